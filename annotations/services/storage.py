"""Where files lie and how they get there: staged uploads, originals, renditions and exports.

Everything goes through Django's default storage, so that S3 can take its place. On a file system a file
appears under its key whole or not at all. What the files mean is known elsewhere.
"""

import contextlib
import errno
import io
import os
import shutil
import sqlite3
import tempfile
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from annotations.errors import DiskFull

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STAGING = "staging"
_PROJECTS = "projects"
_BUFFER_BYTES = 2**17
_reading = threading.local()
# A file that is being written: hidden, beside the place where it will be.
_PART = ".part"
# A server file that an import reads in place: this prefix, then its absolute path.
SERVER_FILE = "file:"
# A picture that an import fetches: this prefix, then its address (http or https).
WEB_ADDRESS = "url:"
# An object of an S3 bucket that an import reads: this prefix, then bucket/key.
BUCKET_OBJECT = "s3:"
# No bytes at all: an image of the project that gets new words. This prefix, then its id.
STORED_IMAGE = "image:"
DISPLAY = "display"


class ReadingStopped(Exception):
    """Nobody waits any more for what is read."""


def project_area(project_id: int) -> str:
    """The prefix below which everything of a project lies."""
    return f"{_PROJECTS}/{project_id}"


def original_key(project_id: int, sha256: str, extension: str) -> str:
    return f"{project_area(project_id)}/originals/{sha256[:2]}/{sha256}.{extension.lstrip('.')}"


def rendition_key(project_id: int, sha256: str, size: int | str) -> str:
    """`size` is the long side in pixels, or DISPLAY for the full-size copy without position."""
    return f"{project_area(project_id)}/renditions/{size}/{sha256[:2]}/{sha256}.jpg"


def export_key(project_id: int, job_id: int, claim: uuid.UUID, extension: str) -> str:
    """Holds the claim, so that two workers on the same job never write the same file."""
    return f"{project_area(project_id)}/exports/{job_id}-{claim.hex[:12]}.{extension}"


def snapshot_key(project_id: int, snapshot_id: int, claim: uuid.UUID) -> str:
    return f"{project_area(project_id)}/snapshots/{snapshot_id}-{claim.hex[:12]}.jsonl.gz"


def new_staging_area() -> str:
    """A fresh prefix for the uploads of one request."""
    return f"{STAGING}/{uuid.uuid4().hex}"


def local_path(key: str) -> Path | None:
    """The file behind a key, or None where the storage has no files of its own (S3)."""
    if key.startswith(SERVER_FILE):
        return Path(key.removeprefix(SERVER_FILE))
    try:
        return Path(default_storage.path(key))
    except NotImplementedError:
        return None


def is_elsewhere(key: str) -> bool:
    """Whether a key names bytes that an import has to bring first."""
    return key.startswith((WEB_ADDRESS, BUCKET_OBJECT))


def exists(key: str) -> bool:
    path = local_path(key)
    return path.exists() if path else default_storage.exists(key)


def read(key: str, limit_bytes: int | None = None) -> bytes:
    """The bytes of a file; at most one more than the limit, so that the caller can see it is exceeded."""
    with open_for_reading(key) as stream:
        return stream.read() if limit_bytes is None else stream.read(limit_bytes + 1)


def open_for_reading(key: str) -> BinaryIO:
    path = local_path(key)
    if path is None:
        return cast(BinaryIO, default_storage.open(key, "rb"))
    stop: threading.Event | None = getattr(_reading, "stop", None)
    return path.open("rb") if stop is None else io.BufferedReader(_Stoppable(path, stop), _BUFFER_BYTES)


@contextlib.contextmanager
def stoppable(stop: threading.Event) -> Iterator[None]:
    """What this thread opens within the block raises ReadingStopped at its next read once `stop` is set.

    For files that take minutes to read before anything comes of them. A storage without files of its own reads on.
    """
    _reading.stop = stop
    try:
        yield
    finally:
        _reading.stop = None


class _Stoppable(io.FileIO):
    def __init__(self, path: Path, stop: threading.Event) -> None:
        super().__init__(path)
        self._stop = stop

    def readinto(self, target: "WriteableBuffer") -> int | None:
        if self._stop.is_set():
            raise ReadingStopped
        return super().readinto(target)


def size_bytes(key: str) -> int:
    path = local_path(key)
    return path.stat().st_size if path else default_storage.size(key)


def put(key: str, data: bytes, *, durable: bool = False) -> None:
    """Store bytes under a key that names their content. `durable` waits until the disk has them."""
    path = local_path(key)
    if path is None:
        if not default_storage.exists(key):
            default_storage.save(key, ContentFile(data))
        return
    temporary = _temporary_beside(path)
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            if durable:
                _flush_to_disk(stream)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def writer(key: str) -> Iterator[BinaryIO]:
    """Write a file piece by piece; it appears under its key when the block ends without an error."""
    path = local_path(key)
    if path is None:
        with tempfile.TemporaryFile() as stream:
            yield stream
            stream.seek(0)
            default_storage.save(key, File(stream))
        return
    temporary = _temporary_beside(path)
    try:
        with temporary.open("wb") as stream:
            yield stream
            _flush_to_disk(stream)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def is_full(error: BaseException) -> bool:
    """Whether this is how a disk says that it has no room, or SQLite of the disk under it."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def unwritten(error: OSError, done: str) -> str:
    """Why a job's file is not there, and what to do; `done` is what was to be done, say “exported”."""
    if is_full(error):
        return f"The disk is full: nothing was {done}. Free some space, then start it again."
    return (
        f"The file cannot be written ({error.strerror or error}): nothing was {done}. See the worker's log."
    )


@contextlib.contextmanager
def told_when_full() -> Iterator[None]:
    """For what a request waits for: a full disk becomes an answer. Raises DiskFull."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise DiskFull from error


def delete(key: str) -> None:
    """Remove a stored file; what is not ours and what is gone already are left alone."""
    if key and not key.startswith((SERVER_FILE, STORED_IMAGE)) and not is_elsewhere(key):
        default_storage.delete(key)


def delete_area(prefix: str) -> None:
    """Remove everything below a prefix of ours."""
    path = local_path(prefix)
    if path is not None:
        shutil.rmtree(path, ignore_errors=True)
        return
    folders, files = default_storage.listdir(prefix)
    for name in files:
        default_storage.delete(f"{prefix}/{name}")
    for name in folders:
        delete_area(f"{prefix}/{name}")


def abandoned_staging_areas(*, older_than: timedelta) -> list[str]:
    """Areas whose request died before it became a job, or whose job was removed."""
    path = local_path(STAGING)
    if path is None or not path.is_dir():
        return []
    before = datetime.now(UTC) - older_than
    return [
        f"{STAGING}/{area.name}"
        for area in path.iterdir()
        if datetime.fromtimestamp(area.stat().st_mtime, UTC) < before
    ]


def remove_leftovers(*, older_than: timedelta) -> int:
    """Remove what writers left that were killed in the midst of a file; returns how many there were."""
    path, before, removed = local_path(_PROJECTS), datetime.now(UTC) - older_than, 0
    for folder, _, names in os.walk(path) if path else ():
        for name in names:
            if name.startswith(".") and name.endswith(_PART):
                file = Path(folder, name)
                if datetime.fromtimestamp(file.stat().st_mtime, UTC) < before:
                    file.unlink(missing_ok=True)
                    removed += 1
    return removed


def import_roots() -> list[Path]:
    """The server folders that an import may read."""
    return [Path(root).resolve() for root in settings.IMPORT_ROOTS]


def _temporary_beside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}{_PART}")


def _flush_to_disk(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())
