"""What was sent with tables whose rows a worker reads: listed beside the files, so that it can be opened once more."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from annotations.importers.uploads import StagedUpload
from annotations.services import storage

_LIST = "unread.json"


def keep(sent: Mapping[str, Any], uploads: Sequence[StagedUpload], *, area: str) -> str:
    """List the fields and the files of a request in its area; returns the list's key."""
    listed = [
        {"key": one.key, "path": one.path, "size": one.size, "sha256": one.sha256, "field": one.field}
        for one in uploads
    ]
    key = f"{area}/{_LIST}"
    storage.put(key, json.dumps({"sent": dict(sent), "uploads": listed}, default=str).encode())
    return key


def take(key: str) -> tuple[Mapping[str, Any], list[StagedUpload]]:
    listed = json.loads(storage.read(key))
    return listed["sent"], [StagedUpload(**one) for one in listed["uploads"]]
