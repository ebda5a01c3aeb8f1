"""Uploads that wait in staging while a person looks at what they sent: kept by one request, taken by the next.

What was sent is listed beside the files; the token only says whose it is. The sweep removes what nobody comes for.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.core import signing

from annotations.errors import BadInput
from annotations.importers.uploads import StagedUpload
from annotations.services import storage

MAX_AGE_S = 24 * 3_600
_SALT = "annotations.importers.kept"
_LIST = "sent.json"


def keep(area: str, uploads: Sequence[StagedUpload], *, project_id: int, user_id: int) -> str:
    """List the uploads of this area; returns the token by which the same person takes them up."""
    listed = [
        {"key": one.key, "path": one.path, "size": one.size, "sha256": one.sha256, "field": one.field}
        for one in uploads
    ]
    storage.put(f"{area}/{_LIST}", json.dumps(listed).encode())
    return signing.dumps([area, project_id, user_id], salt=_SALT)


def take(token: str, *, project_id: int, user_id: int) -> tuple[str, list[StagedUpload]]:
    """The area and its uploads. Raises BadInput where the token is not this person's, or the files are gone."""
    try:
        area, *owner = signing.loads(token, salt=_SALT, max_age=MAX_AGE_S)
        listed: list[Any] = json.loads(storage.read(f"{area}/{_LIST}"))
    except (signing.BadSignature, OSError):
        area, owner, listed = "", [], []
    if owner != [project_id, user_id]:
        raise BadInput("The table is not here any more. Choose the file again.", code="upload_gone")
    return area, [StagedUpload(**one) for one in listed]


def forget(area: str) -> None:
    """The files belong to an import now: the same form sent twice starts no second one."""
    storage.delete(f"{area}/{_LIST}")
