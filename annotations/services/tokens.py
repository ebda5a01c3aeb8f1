"""A person's own API tokens: made, told once, revoked. By name, for the command: `accounts.create_token`."""

from datetime import timedelta

from django.db import transaction
from knox.models import AuthToken

from annotations.errors import BadInput, NotFound
from annotations.models import User

MOST_DAYS = 36_500


@transaction.atomic
def create(user: User, *, days: int) -> str:
    """A new token, valid for so many days (0: until it is revoked). Only its hash is stored."""
    if not 0 <= days <= MOST_DAYS:
        raise BadInput(
            f"A token is valid for 1 to {MOST_DAYS} days, or 0 for until it is revoked; got {days}.",
            code="bad_days",
        )
    _, key = AuthToken.objects.create(user=user, expiry=timedelta(days=days) if days else None)
    return key


@transaction.atomic
def revoke(user: User, token_key: str) -> None:
    """End one of the person's tokens; `token_key` is the part of it that the list shows."""
    deleted, _ = AuthToken.objects.filter(user=user, token_key=token_key).delete()
    if not deleted:
        raise NotFound("You have no token that begins like this.")
