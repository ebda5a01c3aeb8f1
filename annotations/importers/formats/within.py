"""Pictures that lie within data files: staged as files of their own, under the names that the data gives them."""

import hashlib
from collections.abc import Iterable

from annotations.exporters.names import stem
from annotations.importers.base import StagedFile, clean_path
from annotations.services import storage

MAX_PICTURES = 100_000
MAX_BYTES = 4 * 2**30


class TooMuch(ValueError):
    """More comes out of data files than an import takes."""


class Room:
    """How much may still come out of the data files of one import."""

    def __init__(self) -> None:
        self._pictures = self._bytes = 0

    def spend(self, amount: int) -> None:
        self._pictures += 1
        self._bytes += amount
        if self._pictures > MAX_PICTURES or self._bytes > MAX_BYTES:
            raise TooMuch(
                f"more than {MAX_PICTURES:,} pictures or {MAX_BYTES // 2**30} GB of them in one import: split it"
            )


class Names:
    """What the pictures of one data file are called: asked in the same order, the same names come again."""

    def __init__(self, data: str) -> None:
        self._data = data
        self._taken: set[str] = set()

    def name(self, said: str, number: int) -> str:
        """Several of one name are told apart by the number of their rows."""
        path = clean_path(said) if said else f"{stem(self._data)}-{number:06d}"
        if path in self._taken:
            start, dot, ending = path.rpartition(".")
            path = f"{start}-{number}{dot}{ending}" if dot else f"{path}-{number}"
        self._taken.add(path)
        return path


class Staging:
    """Stages the pictures of one data file."""

    def __init__(self, area: str, data: str, room: Room) -> None:
        self._data, self._room = data, room
        self._folder = f"{area}/within/{hashlib.sha256(data.encode()).hexdigest()[:16]}"
        self.files: list[StagedFile] = []

    def put(self, path: str, data: bytes, number: int) -> None:
        self._room.spend(len(data))
        key = f"{self._folder}-{number:07d}"
        if not storage.exists(key):  # the worker opens the data once more
            storage.put(key, data)
        self.files.append(StagedFile(path, key, sha256=hashlib.sha256(data).hexdigest()))

    def apart_from(self, others: Iterable[StagedFile]) -> str:
        """A folder before all names where some of them are names of other data files too; returns it, or nothing."""
        taken = {file.name for file in others}
        if not any(file.name in taken for file in self.files):
            return ""
        folder = f"{stem(self._data)}/"
        self.files = [file._replace(name=f"{folder}{file.name}") for file in self.files]
        return folder
