"""Packs what an exporter writes into one file or an archive, and reads it back before anybody gets it."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Self

from annotations.errors import Refused
from annotations.exporters import keywords
from annotations.exporters.archive import Archive
from annotations.exporters.base import (
    BESIDE,
    INSIDE,
    KEYWORDS,
    PICTURE_OPTIONS,
    Dataset,
    Exporter,
    ExportRow,
    Option,
    Pictures,
    Written,
)
from annotations.exporters.pieces import of_stream
from annotations.services import storage

MANIFEST = "manifest.json"


class DamagedExport(Refused):
    """What was written does not read back as what was to be written."""


@dataclass
class Packed:
    """What was packed beside the rows: pictures, images whose pictures are gone, and those that hold no keywords.

    `sha256` is of the bytes of a file that is no archive, which has a checksum for each of its own files.
    """

    sha256: str = ""
    pictures: int = 0
    lost: list[str] = field(default_factory=list)
    without_keywords: list[str] = field(default_factory=list)


def is_one_file(exporter: Exporter, *, with_pictures: bool) -> bool:
    """Whether the export downloads as the format's own file, not as an archive."""
    return exporter.one_file is not None and not with_pictures


def has_pictures(exporter: Exporter, *, asked_for: bool) -> bool:
    return asked_for or exporter.pictures is Pictures.ALWAYS


def options(exporter: Exporter, *, with_pictures: bool) -> Mapping[str, Option]:
    """What may be chosen for a format; more where its pictures are files."""
    are_files = exporter.pictures is not Pictures.WITHIN and has_pictures(exporter, asked_for=with_pictures)
    return {**exporter.options, **PICTURE_OPTIONS} if are_files else exporter.options


def write(
    exporter: Exporter,
    dataset: Dataset,
    stream: BinaryIO,
    *,
    manifest: Mapping[str, Any],
    on_picture: Callable[[], None],
) -> Packed:
    """Write the export into a seekable stream."""
    packed = Packed()
    if is_one_file(exporter, with_pictures=dataset.with_pictures):
        for _, pieces in exporter.files(dataset):
            packed.sha256 = write_pieces(stream, pieces)
        return packed
    with Archive(stream) as archive:
        for name, pieces in exporter.files(dataset):
            archive.add(name, pieces)
        if dataset.with_pictures and exporter.pictures is not Pictures.WITHIN:
            _add_pictures(exporter, dataset, archive, packed, on_picture)
        archive.add(MANIFEST, [json.dumps(manifest, ensure_ascii=False, indent=1).encode() + b"\n"])
    return packed


def write_pieces(stream: BinaryIO, pieces: Iterable[bytes]) -> str:
    """Write a file; returns the sha256 of what it should hold."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        stream.write(piece)
    return digest.hexdigest()


def picture(row: ExportRow) -> bytes:
    return storage.read(row.picture_key)


def check(
    key: str, exporter: Exporter, *, images: int, with_pictures: bool, written: str = ""
) -> tuple[int, str]:
    """Size in bytes and sha256 of a written file, once it has been read back whole. Raises DamagedExport.

    `written` is the sha256 that it should have, where that is known.
    """
    size, sha256 = _measured(key)
    try:
        if written and sha256 != written:
            raise ValueError("other bytes came back")
        if is_one_file(exporter, with_pictures=with_pictures) and exporter.one_file:
            found = _recounted(exporter, _OneFile(key, exporter.one_file.name), images)
        else:
            with storage.open_for_reading(key) as stream:
                found = _recounted(exporter, _Unpacked.whole(stream), images)
    except (ValueError, OSError, zlib.error, zipfile.BadZipFile) as error:
        raise DamagedExport(
            f"What was written does not read back ({error}). Start it again.", code="damaged_export"
        ) from error
    if found != images:
        raise DamagedExport(
            f"Expected {images:,} images in what was written, read back {found:,}. Start it again; if it stays "
            "so, choose another format and report this.",
            code="damaged_export",
        )
    return size, sha256


def _add_pictures(
    exporter: Exporter, dataset: Dataset, archive: Archive, packed: Packed, on_picture: Callable[[], None]
) -> None:
    for row in dataset.rows:
        on_picture()
        places = exporter.picture_paths(row, dataset.options)
        if not row.picture_key:
            packed.lost.append(row.path or row.name)
            continue
        for place in places:
            _add_picture(row, place, dataset.options.get(KEYWORDS), archive, packed)
        packed.pictures += bool(places)


def _add_picture(row: ExportRow, place: str, wanted: str | None, archive: Archive, packed: Packed) -> None:
    """As it was sent; or with keywords inside, where its format holds them, or in a file beside it."""
    if wanted == INSIDE:
        written = keywords.embedded(storage.read(row.picture_key), caption=row.caption, tags=row.yes)
        if written is not None:
            archive.add(place, [written])
            return
        packed.without_keywords.append(row.path or row.name)
    with storage.open_for_reading(row.picture_key) as picture:
        archive.add(place, of_stream(picture))
    if wanted == BESIDE:
        archive.add(f"{place}.xmp", [keywords.sidecar(caption=row.caption, tags=row.yes)])


def _measured(key: str) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with storage.open_for_reading(key) as stream:
        for piece in of_stream(stream):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def _recounted(exporter: Exporter, written: Written, images: int) -> int:
    return exporter.recount(written) if exporter.recount else images


class _OneFile(Written):
    def __init__(self, key: str, name: str) -> None:
        self._key, self._name = key, name

    def names(self) -> Sequence[str]:
        return [self._name]

    def open(self, name: str) -> BinaryIO:
        return storage.open_for_reading(self._key)


class _Unpacked(Written):
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @classmethod
    def whole(cls, stream: BinaryIO) -> Self:
        """The archive, once the checksum of each of its files was found to be right. Raises ValueError."""
        archive = zipfile.ZipFile(stream)
        if damaged := archive.testzip():
            raise ValueError(f"{damaged} is damaged")
        return cls(archive)

    def names(self) -> Sequence[str]:
        return self._archive.namelist()

    def open(self, name: str) -> Any:
        return self._archive.open(name)
