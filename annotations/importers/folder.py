"""Files that lie on the server already: read in place, below the folders that the settings allow.

What the data files of a folder say of its pictures stands in `server_folders`.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from annotations.errors import BadInput, Refused
from annotations.importers.base import ItemError, StagedFile, Words, clean_path
from annotations.services import storage

# Wider than what can be read, so that a folder's SVG or icon is reported instead of passed over.
PICTURE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"),
    *(".avif", ".heic", ".heif", ".svg", ".ico"),
)


def server_file(path: str, words: Words, *, item: str) -> StagedFile | ItemError:
    """The file below an allowed root that a person named, or why it cannot be had."""
    try:
        file = allowed(path)
        is_file = file.is_file()
    except BadInput as error:
        return ItemError(item, error.code, error.message)
    except OSError as error:  # a name that is too long for the file system
        return ItemError(item, "file_missing", f"“{path[:100]}” cannot be looked for ({error.strerror}).")
    if not is_file:
        return ItemError(item, "file_missing", f"Expected a file on the server, got none at “{path[:100]}”.")
    root = next(root for root in storage.import_roots() if file.is_relative_to(root))
    return StagedFile(clean_path(file.relative_to(root).as_posix()), f"{storage.SERVER_FILE}{file}", words)


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
    """Files with a picture's ending."""
    return files_below(folder, lambda name: Path(name).suffix.lower() in PICTURE_SUFFIXES)


def files_below(folder: Path, is_wanted: Callable[[str], bool]) -> Iterator[Path]:
    """Files of wanted names, in a stable order; no hidden ones, no links that lead out of the folder."""
    root = folder.resolve()
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or not is_wanted(name):
                continue
            file = Path(place, name)
            if file.resolve().is_relative_to(root):
                yield file


def staged(file: Path, *, below: Path | None) -> StagedFile:
    """A server file as an item; its name is its path below the folder that was asked for."""
    name = file.relative_to(below).as_posix() if below else file.name
    return StagedFile(clean_path(name), f"{storage.SERVER_FILE}{file.absolute()}")
