"""Folders of pictures that are in no project: what lies there, and what a captions file says of it. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from annotations.errors import BadInput
from annotations.importers import captions, folder, matching
from annotations.importers.base import ItemError, StagedFile


@dataclass(frozen=True)
class PictureFolder:
    """Pictures below a folder by their names there, with `/` between folders, in a stable order; and what is none."""

    root: Path
    names: tuple[str, ...]
    problems: tuple[ItemError, ...] = ()

    def path(self, name: str) -> Path:
        return self.root / name


def look(root: Path, *, but_not: Path | None = None) -> PictureFolder:
    """The pictures below a folder, without those below another one. Raises BadInput if there are none."""
    if not root.is_dir():
        raise BadInput(f"Expected a folder, got {root}, which is none.", code="no_such_folder")
    aside = folder.real_path(but_not) if but_not else None
    names, problems = [], []
    for file in folder.pictures_below(root):
        if isinstance(file, ItemError):
            problems.append(file)
        elif aside is None or not folder.real_path(file).is_relative_to(aside):
            names.append(file.relative_to(root).as_posix())
    if not names and not problems:
        raise BadInput(f"Expected pictures in {root}, found none.", code="no_pictures")
    return PictureFolder(root, tuple(names), tuple(problems))


def captions_of(pictures: PictureFolder, file: Path) -> tuple[Mapping[str, str], Sequence[ItemError]]:
    """Captions by the picture's name, and what of the file names no picture. Raises BadInput for no such table."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.", code="no_captions") from error
    words, told = captions.read_captions(data, source_name=file.name)
    matched, unmatched = matching.match([StagedFile(name, "") for name in pictures.names], words)
    found = {one.name: one.words.caption for one in matched if one.words.caption}
    return found, (*told, *unmatched)
