"""A folder of the server, read as an archive with the same files would be: its data files speak of its pictures.

Nothing is copied: all files are opened where they lie. Which files those are is listed where a worker reads them again.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from annotations.errors import BadInput
from annotations.importers import sidecars, together
from annotations.importers.archives.unpacking import is_noise
from annotations.importers.base import Batch, ItemError, StagedFile
from annotations.importers.folder import PICTURE_SUFFIXES, allowed, files_below, staged
from annotations.importers.formats import recognising
from annotations.importers.tables import opening
from annotations.importers.tables.base import OpenedTable, Row
from annotations.services import storage

_SPEAKING = (*opening.ENDINGS, *sidecars.SUFFIXES)
# Unless a picture or a format claims them they are somebody's notes. Other data is told: tags may be lost with it.
_PERHAPS_NOTES = (".txt", ".xmp")
_LIST = "listed.json"
_SHA256 = "sha256"

# Size and time of the last change, by which a data file is known again.
State = list[int]


def read(path: str, area: str, *, is_spoken_of: bool = False) -> Batch:
    """All below a folder of an allowed root; the second time for the same area, the same files once more.

    `is_spoken_of`: a table may be sent with it. Raises BadInput where there is no such folder, a `captions.csv` cannot
    be read, or a data file has changed since.
    """
    if (kept := _kept(area)) is not None:
        return _without_notes(together.described(kept, area))
    folder = allowed(path)
    if not folder.is_dir():
        raise BadInput(
            f"Expected a folder, got “{path}”, which is none on the server.", code="no_such_folder"
        )
    files, errors = _found(folder)
    described = together.described(files, area)
    batch = _without_notes(described)
    if batch.tables or is_spoken_of:
        notes = {file.key for file in described.files} - {file.key for file in batch.files}
        _keep([file for file in files if file.key not in notes], area)
    return replace(batch, errors=(*errors, *batch.errors))


def read_all(folder: Path, area: str) -> Batch:
    """The same for any folder of this machine, read by whoever goes on with it."""
    files, errors = _found(folder)
    batch = _without_notes(together.described(files, area))
    return replace(batch, errors=(*errors, *batch.errors))


def digested(batch: Batch) -> Batch:
    """The batch with the sha256 of the server's pictures, where a table names pictures by it: all of them are read."""
    # Files first: the first row of a document may be known only when all of it is read.
    if not any(map(_lacks_digest, batch.files)) or not any(map(_names_digests, batch.tables)):
        return batch
    return replace(batch, files=tuple(_digested(file) for file in batch.files))


def _found(folder: Path) -> tuple[list[StagedFile], list[ItemError]]:
    files: list[StagedFile] = []
    errors: list[ItemError] = []
    for path in files_below(folder, _is_wanted):
        if isinstance(path, ItemError):
            errors.append(path)
            continue
        file = staged(path, below=folder)
        if is_noise(file.name):
            continue
        error = None if _is_picture(file.name) else _unreadable(path, file.name)
        if error:
            errors.append(error)
        else:
            files.append(file)
    return files, errors


def _is_wanted(name: str) -> bool:
    return _is_picture(name) or name.lower().endswith(_SPEAKING) or recognising.is_data(name)


def _is_picture(name: str) -> bool:
    return name.lower().endswith(PICTURE_SUFFIXES)


def _unreadable(path: Path, name: str) -> ItemError | None:
    """Why a data file is not looked into: it would end or hold up the whole import."""
    try:
        found = _looked_at(path)
    except OSError as error:
        return ItemError(
            name, "file_missing", f"Its bytes cannot be read ({error.strerror}). Let the server read it."
        )
    limit = recognising.MAX_DATA_BYTES
    if found.st_size > limit:
        said = f"Expected at most {limit // 2**20:,} MB, got {found.st_size / 2**20:,.0f} MB. Split it."
        return ItemError(name, "too_large", said)
    return None


def _looked_at(path: Path) -> os.stat_result:
    """Of a file that opens. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # of a pipe nobody may ever write into
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _without_notes(batch: Batch) -> Batch:
    beside = sidecars.paired(file.name for file in batch.files)
    kept = (
        file for file in batch.files if file.name in beside or not file.name.lower().endswith(_PERHAPS_NOTES)
    )
    return replace(batch, files=tuple(kept))


def _keep(files: Sequence[StagedFile], area: str) -> None:
    """How far rows were stored is known by their count: whoever goes on has to find the same ones."""
    listed = [[file.name, file.key, _state(file)] for file in files]
    storage.put(f"{area}/{_LIST}", json.dumps(listed).encode())


def _kept(area: str) -> list[StagedFile] | None:
    try:
        listed = json.loads(storage.read(f"{area}/{_LIST}"))
    except OSError:
        return None
    files = []
    for name, key, state in listed:
        file = StagedFile(name, key)
        if _state(file) != state:
            raise BadInput(
                f"“{name}” has changed or gone since the import began. Start it again: what has landed is known.",
                code="file_changed",
                file=name,
            )
        files.append(file)
    return files


def _state(file: StagedFile) -> State | None:
    """None of a picture, which is looked at when it lands, and of what does not open any more."""
    if _is_picture(file.name):
        return None
    try:
        found = _looked_at(_path(file))
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def _path(file: StagedFile) -> Path:
    return Path(file.key.removeprefix(storage.SERVER_FILE))


def _names_digests(opened: OpenedTable) -> bool:
    """Of a format the first row tells: all have a place for it, and most leave it empty."""
    columns = [column for column, target in opened.columns.targets.items() if target == _SHA256]
    if not columns or not opened.is_format:
        return bool(columns)
    first = next((row for row in opened.table.rows() if isinstance(row, Row)), None)
    return first is not None and any(first.cells.get(column) for column in columns)


def _lacks_digest(file: StagedFile) -> bool:
    return not file.sha256 and file.key.startswith(storage.SERVER_FILE) and _is_picture(file.name)


def _digested(file: StagedFile) -> StagedFile:
    """One that cannot be read is named when it is to land."""
    if not _lacks_digest(file):
        return file
    try:
        with _path(file).open("rb") as stream:
            return file._replace(sha256=hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError:
        return file
