"""Tar archives, packed by gzip, bzip2, xz or not at all, read as one stream.

The stream is limited itself: what is skipped has to be unpacked too.
"""

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from typing import BinaryIO, cast

from annotations.errors import BadInput, TooLarge
from annotations.importers.archives.unpacking import Budget, Unpacking, is_noise, pieces
from annotations.importers.base import Batch
from annotations.services import storage

_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"
# xz may ask for gigabytes of memory to unpack a few bytes; its strongest preset needs 65 MB.
_XZ_MEMORY_BYTES = 128 * 2**20
_READ_BYTES = 2**18
# A path's length at most; the reader takes such a header into memory as a whole.
_MAX_LONG_HEADER_BYTES = 2**20
# With folders, notes and refused members, which also cost time.
_MAX_MEMBERS = 200_000
_NOT_FILES = {
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a file with holes",
}
_DAMAGES = (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)


def read_tar(stream: BinaryIO, *, area: str, source_name: str) -> Batch:
    """Stage every picture of the archive below `area`. Of one that breaks off, what came before lands."""
    limited = _Limited(_unpacked(stream), stream, source_name)
    unpacking = Unpacking(area, source_name)
    try:
        archive = tarfile.open(fileobj=cast(BinaryIO, limited), mode="r|", tarinfo=_ShortHeaders)  # noqa: SIM115
    except _DAMAGES as error:
        raise BadInput(
            f"{source_name}: expected a tar archive, got one that does not open ({_said(error)}). Pack it again.",
            code="bad_archive",
        ) from error
    with archive:
        try:
            _read(archive, unpacking, source_name)
        except _DAMAGES as error:
            if storage.is_full(error):
                raise
            message = (
                f"The archive breaks off here ({_said(error)}). What came before was taken. Pack it again."
            )
            unpacking.refuse(source_name, "damaged", message)
    return unpacking.keep().batch()


def _read(archive: tarfile.TarFile, unpacking: Unpacking, source_name: str) -> None:
    count = 0
    while (member := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]  # the reader would keep them all
        count += 1
        if count > _MAX_MEMBERS:
            raise TooLarge(f"{source_name}: it has more than {_MAX_MEMBERS:,} members. Split the archive.")
        name = member.name
        if member.isdir() or is_noise(name) or unpacking.refused(name, member.size):
            continue
        if member.issym() or member.islnk():
            unpacking.refuse(name, "link", "It is a link. Pack the file that it points to.")
        elif not member.isreg() or member.issparse():
            what = _NOT_FILES.get(member.type, "no ordinary file")
            unpacking.refuse(name, "not_a_file", f"It is {what}. Pack the picture itself.")
        elif source := archive.extractfile(member):
            unpacking.take(name, pieces(cast(BinaryIO, source)))


class _ShortHeaders(tarfile.TarInfo):
    """Refuses a name or a set of attributes that would fill the memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        long = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE)
        if self.type in (*long, tarfile.SOLARIS_XHDTYPE) and self.size > _MAX_LONG_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes")
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]


class _Limited:
    """The unpacked stream; counts every byte that is read of it."""

    def __init__(self, source: BinaryIO, packed: BinaryIO, name: str) -> None:
        self._source, self._packed = source, packed
        self._budget = Budget(name)

    def read(self, size: int) -> bytes:
        data = self._source.read(min(size, _READ_BYTES))
        self._budget.spend(len(data), packed=self._packed.tell())
        return data


class _XzStream(io.RawIOBase):
    """Unpacks xz within a stated memory, which the standard library's own file does not."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._open = lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        while True:
            if self._open.eof:
                rest = self._open.unused_data or self._source.read(_READ_BYTES)
                rest = rest.lstrip(b"\0")  # padding between streams
                if not rest:
                    return 0
                self._open = lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES)
            else:
                rest = self._source.read(_READ_BYTES) if self._open.needs_input else b""
                if self._open.needs_input and not rest:
                    raise EOFError("the archive ends in the middle")
            if data := self._open.decompress(rest, max_length=len(target)):
                target[: len(data)] = data
                return len(data)


def _unpacked(stream: BinaryIO) -> BinaryIO:
    start = stream.read(6)
    stream.seek(0)
    if start.startswith(_GZIP):
        return cast(BinaryIO, gzip.open(stream))
    if start.startswith(_BZIP2):
        return cast(BinaryIO, bz2.open(stream))
    if start.startswith(_XZ):
        return cast(BinaryIO, _XzStream(stream))
    return stream


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__
