"""Idempotency of POSTs that store something: the same `client_id` again gets the first answer."""

import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from annotations.errors import BadInput, Conflict
from annotations.models import StoredRequest, User


def once(
    *, project_id: int | None, user: User, client_id: str | None, body: Any, act: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """The JSON answer of `act`, and whether it ran now. Raises Conflict `client_id_reused` for another body."""
    if client_id is None:
        return act(), True
    key = _uuid(client_id)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
    stored = _stored(project_id, user, key, digest)
    if stored is not None:
        return stored, False
    try:
        with transaction.atomic():
            request = StoredRequest.objects.create(
                project_id=project_id, user=user, client_id=key, body_sha256=digest, answer={}
            )
            answer = act()
            request.answer = answer
            request.save(update_fields=["answer"])
    except IntegrityError:
        stored = _stored(project_id, user, key, digest)
        if stored is None:
            raise
        return stored, False
    return answer, True


def _uuid(client_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(str(client_id))
    except ValueError as error:
        raise BadInput(f"`client_id` is a UUID, not “{client_id}”.", code="bad_client_id") from error


def _stored(project_id: int | None, user: User, client_id: uuid.UUID, digest: str) -> dict[str, Any] | None:
    request = StoredRequest.objects.filter(project=project_id, user=user, client_id=client_id).first()
    if request is None:
        return None
    if request.body_sha256 != digest:
        raise Conflict(
            f"The client_id {client_id} was used for another request; make a new one.",
            code="client_id_reused",
        )
    return request.answer
