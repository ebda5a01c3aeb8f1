"""Pictures from a zip archive, staged one by one. Names in it are names only: nothing is written by them."""

import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from annotations.errors import BadInput, TooLarge
from annotations.importers.base import Batch, ItemError, StagedFile, Words, clean_path
from annotations.importers.captions import MAX_TABLE_BYTES, read_captions
from annotations.picture_decoding import MAX_BYTES
from annotations.services import storage

MAX_ENTRIES = 10_000
MAX_UNPACKED_BYTES = 4 * 2**30
_CAPTIONS = ("captions.csv", "captions.json")
_ENCRYPTED = 0x1
_PIECE_BYTES = 2**20


@dataclass
class _Budget:
    left: int = MAX_UNPACKED_BYTES

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise TooLarge(
                f"Expected at most {MAX_UNPACKED_BYTES // 2**30} GB once unpacked, got more. Split the archive.",
                code="archive_too_large",
            )


def read_zip(stream: BinaryIO, *, area: str, source_name: str) -> Batch:
    """Stage every picture of the archive below `area`. Bad entries become errors, the rest land."""
    try:
        with zipfile.ZipFile(stream) as archive:
            return _read(archive, area, source_name)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError) as error:
        raise BadInput(
            f"{source_name}: expected a zip archive, got one that does not open ({error}). Pack it again.",
            code="bad_archive",
        ) from error


def _read(archive: zipfile.ZipFile, area: str, source_name: str) -> Batch:
    entries = [entry for entry in archive.infolist() if not _is_noise(entry)]
    if len(entries) > MAX_ENTRIES:
        raise TooLarge(
            f"{source_name}: expected at most {MAX_ENTRIES:,} files, got {len(entries):,}. Split the archive.",
            code="too_many_files",
        )
    budget = _Budget()
    files: list[StagedFile] = []
    errors: list[ItemError] = []
    words: dict[str, Words] = {}
    for number, entry in enumerate(entries):
        if (refusal := _refusal(entry)) is not None:
            errors.append(refusal)
        elif entry.filename in _CAPTIONS:
            words, caption_errors = read_captions(_small(archive, entry, budget), source_name=entry.filename)
            errors.extend(caption_errors)
        else:
            key = f"{area}/{number:06d}"
            try:
                with storage.writer(key) as target:
                    for piece in _pieces(archive, entry, budget):
                        target.write(piece)
            except (zipfile.BadZipFile, EOFError, OSError) as error:
                errors.append(_error(entry, "damaged", f"It does not unpack ({error}). Pack it again."))
                continue
            files.append(StagedFile(clean_path(entry.filename), key))
    return Batch(files=tuple(files), words=words, errors=tuple(errors))


def _is_noise(entry: zipfile.ZipInfo) -> bool:
    """Folders and what file managers leave behind."""
    parts = entry.filename.split("/")
    return entry.is_dir() or parts[0] == "__MACOSX" or parts[-1].startswith(".") or parts[-1] == "Thumbs.db"


def _refusal(entry: zipfile.ZipInfo) -> ItemError | None:
    name = entry.filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        return _error(entry, "unsafe_path", "Its path leads out of the archive. Pack it with relative paths.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        return _error(entry, "link", "It is a link. Pack the file that it points to.")
    if entry.flag_bits & _ENCRYPTED:
        return _error(entry, "encrypted", "It is encrypted. Pack it without a password.")
    if entry.file_size > MAX_BYTES:
        megabytes = MAX_BYTES // 2**20
        return _error(
            entry, "too_large", f"Expected at most {megabytes} MB, got {entry.file_size / 2**20:,.0f} MB."
        )
    return None


def _error(entry: zipfile.ZipInfo, code: str, message: str) -> ItemError:
    return ItemError(entry.filename, code, message)


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: _Budget) -> Iterator[bytes]:
    """The entry's bytes, counted as they come: the size that its header states may be a lie."""
    with archive.open(entry) as source:
        while piece := source.read(_PIECE_BYTES):
            budget.spend(len(piece))
            yield piece


def _small(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: _Budget) -> bytes:
    with archive.open(entry) as source:
        data = source.read(MAX_TABLE_BYTES + 1)
    budget.spend(len(data))
    return data
