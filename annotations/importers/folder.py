"""Pictures that lie on the server already: read in place, below the folders that the settings allow."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from annotations.errors import BadInput, Refused
from annotations.importers.base import Batch, ItemError, StagedFile, clean_path
from annotations.importers.captions import words_from_object
from annotations.services import storage

# Wider than what can be read, so that a folder's HEIC or SVG is reported instead of passed over.
PICTURE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"),
    *(".avif", ".heic", ".heif", ".svg", ".ico"),
)


def read_folder(path: str) -> Batch:
    """Every picture below a folder of an allowed root."""
    folder = allowed(path)
    if not folder.is_dir():
        raise BadInput(
            f"Expected a folder, got “{path}”, which is none on the server.", code="no_such_folder"
        )
    return Batch(files=tuple(staged(file, below=folder) for file in pictures_below(folder)))


def read_items(items: Sequence[Any]) -> Batch:
    """Items that name a server file under `path`. One that cannot be had becomes an error, the rest land."""
    files: list[StagedFile] = []
    errors: list[ItemError] = []
    for position, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise BadInput(
                f"items[{position}]: expected an object, got {type(item).__name__}.", code="bad_items"
            )
        path = item.get("path")
        if not isinstance(path, str) or not path:
            keys = ", ".join(sorted(map(str, item))) or "nothing"
            raise Refused(
                f"items[{position}]: expected a server file under `path`, got {keys}. "
                "Addresses are not read yet: send the pictures as files or as a zip archive.",
                code="unsupported_source",
            )
        try:
            file = allowed(path)
        except BadInput as error:
            errors.append(ItemError(path, error.code, error.message))
            continue
        if not file.is_file():
            errors.append(
                ItemError(path, "file_missing", "Expected a file on the server, got none at this path.")
            )
            continue
        words = words_from_object(item, item=path)
        root = next(root for root in storage.import_roots() if file.is_relative_to(root))
        name = clean_path(file.relative_to(root).as_posix())
        files.append(StagedFile(name, f"{storage.SERVER_FILE}{file}", words))
    return Batch(files=tuple(files), errors=tuple(errors))


def allowed(path: str) -> Path:
    """The real path, if it lies below an allowed root once links are followed."""
    roots = storage.import_roots()
    if not roots:
        raise Refused(
            "This server allows no folders to be read. Its operator names them in TAGGER_IMPORT_ROOTS.",
            code="no_import_roots",
        )
    if "\0" in path:
        raise BadInput("Expected a path, got text with a null character.", code="path_not_allowed")
    for root in roots:
        resolved = (root / path).resolve()
        if resolved.is_relative_to(root):
            return resolved
    raise BadInput(
        f"“{path}” is not below an allowed folder of this server. Its operator names those in TAGGER_IMPORT_ROOTS.",
        code="path_not_allowed",
    )


def pictures_below(folder: Path) -> Iterator[Path]:
    """Files with a picture's ending, in a stable order; no hidden ones, no links that lead out of the folder."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(place, name)
            if name.startswith(".") or file.suffix.lower() not in PICTURE_SUFFIXES:
                continue
            if file.resolve().is_relative_to(folder.resolve()):
                yield file


def staged(file: Path, *, below: Path | None) -> StagedFile:
    """A server file as an item; its name is its path below the folder that was asked for."""
    name = file.relative_to(below).as_posix() if below else file.name
    return StagedFile(clean_path(name), f"{storage.SERVER_FILE}{file.absolute()}")
