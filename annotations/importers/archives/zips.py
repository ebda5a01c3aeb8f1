"""Zip archives. The sizes that headers state may be lies: bytes are counted as they come."""

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from annotations.errors import BadInput, TooLarge
from annotations.importers.archives.unpacking import Budget, Unpacking, is_noise, pieces
from annotations.importers.base import Batch
from annotations.services import storage

_ENCRYPTED = 0x1
_DAMAGES = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)
# The list of entries is read as a whole: a hundred bytes an entry are many.
_MAX_DIRECTORY_BYTES = 64 * 2**20
_END, _END_BYTES, _COMMENT_BYTES = b"PK\5\6", 22, 65_535
_LOCATOR, _LOCATOR_BYTES = b"PK\6\7", 20
_IN_ZIP64 = 0xFFFFFFFF


def read_zip(stream: BinaryIO, *, area: str, source_name: str) -> Batch:
    """Stage every picture of the archive below `area`."""
    _refuse_long_list(stream, source_name)
    try:
        with zipfile.ZipFile(stream) as archive:
            return _read(archive, stream.seek(0, 2), area, source_name)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError) as error:
        raise BadInput(
            f"{source_name}: expected a zip archive, got one that does not open ({error}). Pack it again.",
            code="bad_archive",
        ) from error


def _read(archive: zipfile.ZipFile, size: int, area: str, source_name: str) -> Batch:
    budget = Budget(source_name)
    unpacking = Unpacking(area, source_name)
    for entry in archive.infolist():
        name = entry.filename
        if entry.is_dir() or is_noise(name) or unpacking.refused(name, entry.file_size):
            continue
        if stat.S_ISLNK(entry.external_attr >> 16):
            unpacking.refuse(name, "link", "It is a link. Pack the file that it points to.")
        elif entry.flag_bits & _ENCRYPTED:
            unpacking.refuse(name, "encrypted", "It is encrypted. Pack it without a password.")
        else:
            try:
                unpacking.take(name, _counted(archive, entry, budget, size))
            except _DAMAGES as error:
                if storage.is_full(error):
                    raise
                unpacking.refuse(name, "damaged", f"It does not unpack ({error}). Pack it again.")
    return unpacking.keep().batch()


def _counted(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget, size: int) -> Iterator[bytes]:
    with archive.open(entry) as source:
        for piece in pieces(source):  # type: ignore[arg-type]
            budget.spend(len(piece), packed=size)
            yield piece


def _refuse_long_list(stream: BinaryIO, source_name: str) -> None:
    """The list of entries comes into memory before the first entry: look at its length first."""
    size = stream.seek(0, 2)
    start = max(0, size - _END_BYTES - _COMMENT_BYTES - _LOCATOR_BYTES)
    stream.seek(start)
    tail = stream.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + _END_BYTES:
        return  # no archive, as its reader will say
    (length,) = struct.unpack_from("<L", tail, end + 12)
    locator = end - _LOCATOR_BYTES
    if length == _IN_ZIP64 and locator >= 0 and tail[locator : locator + 4] == _LOCATOR:
        (at,) = struct.unpack_from("<Q", tail, locator + 8)
        stream.seek(min(at, size))
        record = stream.read(56)
        length = struct.unpack_from("<Q", record, 40)[0] if len(record) == 56 else 0
    if length > _MAX_DIRECTORY_BYTES:
        raise TooLarge(
            f"{source_name}: its list of files alone has {length / 2**20:,.0f} MB. Split the archive.",
            code="too_many_files",
        )
