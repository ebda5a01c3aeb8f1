"""Files that lie on the server already: read in place, below the folders that the settings allow.

What the data files of a folder say of its pictures stands in `server_folders`.
"""

import os
import stat
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
        resolved = real_path(root / path)
        if resolved.is_relative_to(root):
            return resolved
    raise BadInput(
        f"“{path}” is not below an allowed folder of this server. Its operator names those in TAGGER_IMPORT_ROOTS.",
        code="path_not_allowed",
    )


def pictures_below(folder: Path) -> Iterator[Path | ItemError]:
    """Files with a picture's ending, and why others cannot be had."""
    return files_below(folder, lambda name: Path(name).suffix.lower() in PICTURE_SUFFIXES)


def files_below(folder: Path, is_wanted: Callable[[str], bool]) -> Iterator[Path | ItemError]:
    """Files of wanted names, in a stable order, and what cannot be read, by its path below the folder.

    No hidden ones, no links that lead out of the folder.
    """
    root = real_path(folder)
    shut: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=shut.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or not is_wanted(name):
                continue
            file = Path(place, name)
            if real_path(file).is_relative_to(root):
                yield _problem(file, below=folder) or file
    for error in shut:
        yield _unlisted(error, below=folder)


def real_path(path: Path) -> Path:
    """Links followed. One that leads to itself stays as it is, where `Path.resolve` raises."""
    return Path(os.path.realpath(path))


def _problem(file: Path, *, below: Path) -> ItemError | None:
    """Why nobody should open it: a pipe would hold up its reader for ever."""
    name = _told(file, below)
    try:
        file.relative_to(below).as_posix().encode()
        is_ordinary = stat.S_ISREG(file.stat().st_mode)
    except UnicodeEncodeError:
        return ItemError(name, "not_utf8", "Its name, or that of its folder, is not UTF-8. Rename it.")
    except OSError as error:
        return ItemError(name, "file_missing", f"It cannot be read ({error.strerror}).")
    if not is_ordinary:
        return ItemError(name, "not_a_file", "It is no ordinary file. Put the data itself there.")
    return None


def _unlisted(error: OSError, *, below: Path) -> ItemError:
    said = f"The folder cannot be read ({error.strerror}), nor what is in it."
    return ItemError(_told(Path(error.filename), below), "folder_not_readable", said)


def _told(path: Path, below: Path) -> str:
    """The name of an item that any output takes."""
    return path.relative_to(below).as_posix().encode("utf-8", "backslashreplace").decode()


def staged(file: Path, *, below: Path | None) -> StagedFile:
    """A server file as an item; its name is its path below the folder that was asked for."""
    name = file.relative_to(below).as_posix() if below else file.name
    return StagedFile(clean_path(name), f"{storage.SERVER_FILE}{file.absolute()}")
