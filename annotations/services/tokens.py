"""A person's own API tokens: made, told once, revoked. For accounts by command see `accounts.create_token`."""

from datetime import timedelta

from django.db import transaction
from knox.models import AuthToken

from annotations.errors import NotFound
from annotations.models import User


@transaction.atomic
def create(user: User, *, days: int) -> str:
    """A new token, valid for so many days (0: until it is revoked). Only its hash is stored."""
    _, key = AuthToken.objects.create(user=user, expiry=timedelta(days=days) if days else None)
    return key


@transaction.atomic
def revoke(user: User, token_key: str) -> None:
    """End one of the person's tokens; `token_key` is the part of it that the list shows."""
    deleted, _ = AuthToken.objects.filter(user=user, token_key=token_key).delete()
    if not deleted:
        raise NotFound("You have no token that begins like this.")
