"""Zip archives whose bytes depend on nothing but their contents.

No times, no owners, and nothing compressed: two builds of zlib need not agree on the bytes they make.
"""

import zipfile
from collections.abc import Iterable
from types import TracebackType
from typing import BinaryIO, Self

_BEFORE_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE_FILE = 0o100644 << 16
_UNIX = 3


class Archive:
    """Writes files one after the other into a seekable stream; closing it completes the archive."""

    def __init__(self, stream: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """Add a file; its size need not be known, and may pass 4 GB."""
        info = zipfile.ZipInfo(name, date_time=_BEFORE_TIME)
        info.external_attr, info.create_system = _READABLE_FILE, _UNIX
        with self._zip.open(info, "w", force_zip64=True) as target:
            for piece in pieces:
                target.write(piece)
