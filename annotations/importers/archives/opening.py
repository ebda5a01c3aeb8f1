"""Which archive it is: told by its name where people choose files, by its first bytes where it is read."""

from typing import BinaryIO

from annotations.importers.archives import tars, zips
from annotations.importers.base import Batch

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_ZIP = b"PK"


def is_archive(path: str) -> bool:
    return path.lower().endswith(ENDINGS)


def read(stream: BinaryIO, *, area: str, source_name: str) -> Batch:
    """Stage the archive's pictures below `area`. Bad entries become errors, the rest land."""
    start = stream.read(2)
    stream.seek(0)
    is_zip = start == _ZIP or source_name.lower().endswith(".zip")
    reader = zips.read_zip if is_zip else tars.read_tar
    return reader(stream, area=area, source_name=source_name)
