"""Keywords put into picture files that are in no project: into copies, beside them, or into the files themselves.

Words that a file has already stay. What is written is read back, and takes a file's place only if its picture is
the same to the last pixel: nothing that goes wrong on the way touches an original.
"""

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from annotations import xmp
from annotations.errors import Refused
from annotations.exporters import keywords
from annotations.importers import keywords as written
from annotations.pictures import PictureError, open_upright


class Place(StrEnum):
    """Where keywords go."""

    COPIES = "copies"
    SIDECARS = "sidecars"
    ORIGINALS = "originals"


def write(place: Place, picture: Path, target: Path, *, tags: Sequence[str], caption: str = "") -> bool:
    """Write the tags for one picture; False if there was nothing to do.

    Args:
        place: into a copy, into an XMP file beside the picture, or into the picture itself.
        picture: the file.
        target: the copy, or the picture beside which the XMP file lies; the picture itself for `ORIGINALS`.
        tags: added to the words that are there.
        caption: fills one that is missing, and replaces none.

    Raises:
        Refused: the file cannot hold words, or they did not read back; nothing was changed.
        OSError: the disk.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if place is Place.SIDECARS:
        return _beside(target, tags=tags, caption=caption)
    if place is Place.COPIES:
        return _copy(picture, target, tags=tags, caption=caption)
    return _inside(picture, tags=tags, caption=caption)


def _copy(picture: Path, target: Path, *, tags: Sequence[str], caption: str) -> bool:
    """The copy with the words inside; as it is, with an XMP file beside it, where the format holds none."""
    if target.exists():
        return False
    data = picture.read_bytes()
    try:
        new = _embedded(data, tags=tags, caption=caption)
    except Refused:
        _beside(target, tags=tags, caption=caption, inside=written.read_all(data))
        new = data
    with _whole(target) as temporary:
        temporary.write_bytes(new)
        shutil.copystat(picture, temporary)
    return True


def _inside(picture: Path, *, tags: Sequence[str], caption: str) -> bool:
    picture = picture.resolve()  # a link stays a link
    data = picture.read_bytes()
    new = _embedded(data, tags=tags, caption=caption)
    if new == data:
        return False
    with _whole(picture) as temporary:
        temporary.write_bytes(new)
        _give_the_same_owner(picture, temporary)
        if temporary.read_bytes() != new or picture.read_bytes() != data:
            raise Refused("It changed while its keywords were written: it was left alone.", code="changed")
    return True


def _embedded(data: bytes, *, tags: Sequence[str], caption: str) -> bytes:
    """The file with the words, read back; the very same bytes if it has them. Raises Refused."""
    had = written.read_all(data)
    wanted = joined(had.tags, tags)
    if wanted == had.tags and (had.caption or not caption):
        return data
    new = keywords.embedded(data, caption=had.caption or caption, tags=wanted)
    if new is None:
        raise Refused("Its format holds no keywords, or its structure is not understood.", code="no_room")
    found = written.read(new)
    if not set(wanted) <= set(found.tags) or not _same_picture(data, new):
        raise Refused("What was written did not read back: the file was left alone.", code="not_read_back")
    return new


def _beside(target: Path, *, tags: Sequence[str], caption: str, inside: xmp.Said | None = None) -> bool:
    """An XMP file at the picture's name with `.xmp` behind it; one that is there keeps all that it says."""
    sidecar = target.with_name(f"{target.name}.xmp")
    packet = sidecar.read_bytes() if sidecar.exists() else None
    try:
        had = xmp.read(packet) if packet is not None else (inside or xmp.Said())
    except xmp.XMP_ERRORS as error:
        raise Refused(
            f"{sidecar.name} lies beside it and does not parse: it was left alone.", code="bad_sidecar"
        ) from error
    wanted = joined(had.tags, tags)
    if packet is not None and wanted == had.tags and (had.caption or not caption):
        return False
    new = xmp.written(packet, caption=had.caption or caption, tags=wanted)
    if not set(wanted) <= set(xmp.read(new).tags):
        raise Refused("What was written did not read back: nothing was changed.", code="not_read_back")
    with _whole(sidecar) as temporary:
        temporary.write_bytes(new)
    return True


def joined(had: Sequence[str], tags: Sequence[str]) -> tuple[str, ...]:
    """The words that are there, and those of the tags that are not, whatever their capitals.

    >>> joined(["Dog", "2019"], ["dog", "boat"])
    ('Dog', '2019', 'boat')
    """
    known = {word.casefold() for word in had}
    return (*had, *(tag for tag in dict.fromkeys(tags) if tag.casefold() not in known))


def _give_the_same_owner(picture: Path, temporary: Path) -> None:
    owner = picture.stat()
    with suppress(
        PermissionError
    ):  # only root gives files away; others own what they may replace, or lose it here
        os.chown(temporary, owner.st_uid, owner.st_gid)
    temporary.chmod(owner.st_mode & 0o7777)


def _same_picture(before: bytes, after: bytes) -> bool:
    try:
        one, other = open_upright(before), open_upright(after)
    except PictureError:
        return False
    return one.size == other.size and one.tobytes() == other.tobytes()


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A file beside the target that takes its place, synced, once the block has ended well."""
    temporary = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex[:12]}.part")
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
