"""What holds for every archive: how much may come out of it, which entries are refused, where the others go."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import BinaryIO, Self

from annotations.errors import TooLarge
from annotations.importers import together
from annotations.importers.base import Batch, ItemError, StagedFile, clean_path
from annotations.importers.captions import MAX_TABLE_BYTES
from annotations.importers.formats import recognising
from annotations.picture_decoding import MAX_BYTES
from annotations.services import storage

MAX_ENTRIES = 10_000
MAX_UNPACKED_BYTES = 4 * 2**30
# Pictures hardly shrink: what unpacks to more than this, past the first megabytes, is there to fill disks.
MAX_RATIO = 200
RATIO_FREE_BYTES = 64 * 2**20
# Written beside the pictures by our own exports, for machines.
_NOTES = ("manifest.json",)
_PIECE_BYTES = 2**20
# What came out of an archive: it is unpacked once, though its tables are opened by the request and by the worker.
_LIST = "unpacked.json"


class Budget:
    """Counts what comes out of an archive, against a limit and against the bytes that went in."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._unpacked = 0

    def spend(self, amount: int, *, packed: int) -> None:
        """`packed` is how much of the archive has been read so far."""
        self._unpacked += amount
        if self._unpacked > MAX_UNPACKED_BYTES:
            raise TooLarge(
                f"{self._name}: expected at most {MAX_UNPACKED_BYTES // 2**30} GB once unpacked, got more. "
                "Split the archive.",
                code="archive_too_large",
            )
        if self._unpacked > max(RATIO_FREE_BYTES, MAX_RATIO * packed):
            raise TooLarge(
                f"{self._name}: expected an archive of pictures, got one that unpacks to more than {MAX_RATIO} times "
                "its size. Pack the pictures as they are.",
                code="archive_bomb",
            )


class Unpacking:
    """Gathers the entries of one archive into a batch; bad ones become errors, the rest land."""

    def __init__(self, area: str, name: str) -> None:
        self._area, self._name = area, name
        self._files: list[StagedFile] = []
        self._errors: list[ItemError] = []
        self._seen = 0

    def refused(self, name: str, size: int) -> bool:
        """Whether an entry may not be read, by what its header says; counts it in any case."""
        self._seen += 1
        if self._seen > MAX_ENTRIES:
            raise TooLarge(
                f"{self._name}: expected at most {MAX_ENTRIES:,} files, got more. Split the archive.",
                code="too_many_files",
            )
        path = name.replace("\\", "/")
        if path.startswith("/") or ".." in path.split("/") or path[1:2] == ":":
            self.refuse(
                name, "unsafe_path", "Its path leads out of the archive. Pack it with relative paths."
            )
            return True
        limit = _limit(path)
        if size > limit:
            said = f"Expected at most {limit // 2**20} MB, got {size / 2**20:,.0f} MB. Make it smaller or leave it out."
            self.refuse(name, "too_large", said)
            return True
        return False

    def refuse(self, name: str, code: str, message: str) -> None:
        self._errors.append(ItemError(name, code, message))

    def take(self, name: str, pieces: Iterable[bytes]) -> None:
        """Stage one entry. What `pieces` raises comes through, and the entry is left out."""
        key = f"{self._area}/{self._seen:06d}"
        digest = hashlib.sha256()
        with storage.writer(key) as target:
            for piece in pieces:
                digest.update(piece)
                target.write(piece)
        self._files.append(StagedFile(clean_path(name), key, sha256=digest.hexdigest()))

    @classmethod
    def earlier(cls, area: str, name: str) -> Self | None:
        """The entries of an archive that is unpacked below this area already."""
        try:
            listed = json.loads(storage.read(f"{area}/{_LIST}"))
        except OSError:
            return None
        made = cls(area, name)
        made._files = [StagedFile(path, key, sha256=sha256) for path, key, sha256 in listed["files"]]
        made._errors = [ItemError(**error) for error in listed["errors"]]
        return made

    def keep(self) -> Self:
        """List the entries for whoever opens the archive once more."""
        listed = {
            "files": [[file.name, file.key, file.sha256] for file in self._files],
            "errors": [error.as_json() for error in self._errors],
        }
        storage.put(f"{self._area}/{_LIST}", json.dumps(listed).encode())
        return self

    def batch(self) -> Batch:
        """What speaks of other entries is read when nothing more comes."""
        batch = together.described(self._files, self._area)
        return replace(batch, errors=(*self._errors, *batch.errors))


def _limit(path: str) -> int:
    if path.lower().endswith((".csv", ".tsv", ".tab", ".jsonl", ".ndjson", *together.CAPTIONS)):
        return MAX_TABLE_BYTES
    return recognising.MAX_DATA_BYTES if recognising.is_data(path) else MAX_BYTES


def is_noise(name: str) -> bool:
    """What file managers and our own exports leave beside pictures."""
    parts = name.replace("\\", "/").split("/")
    return parts[0] == "__MACOSX" or parts[-1].startswith(".") or parts[-1] in ("Thumbs.db", *_NOTES)


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(_PIECE_BYTES):
        yield piece
