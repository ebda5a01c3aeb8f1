"""Folders that name the tag of the pictures in them, as torchvision's ImageFolder reads a tree.

Only where a person asks for it: `dog/1.jpg` and `walk/1.jpg`, or `train/dog/` and `train/left/`, look alike.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from annotations.importers.base import StagedFile, Words
from annotations.importers.folder import PICTURE_SUFFIXES
from annotations.importers.formats.base import split_of
from annotations.models.tag import name_key

FORMAT = "imagefolder"


def tagged(
    files: Sequence[StagedFile], *, elsewhere: Iterable[str] = (), has_root: bool = False
) -> tuple[StagedFile, ...]:
    """The files with the tag that their folder names: the first one below the root, or below its splits.

    `elsewhere` names the other files of the same upload. Not `has_root`: a folder around all others is left off.
    """
    names = [name for name in (*(file.name for file in files), *elsewhere) if _is_picture(name)]
    trees = {tuple(name.split("/")[:-1]) for name in names} - {()}
    depth = 0 if has_root else _around_all(trees)
    below = {folders[depth:] for folders in trees} - {()}
    has_splits = bool(below) and all(len(folders) > 1 and split_of(folders[0]) for folders in below)
    return tuple(file._replace(of_folder=_said(file.name, depth, has_splits)) for file in files)


def joined(words: Words, of_folder: Words) -> Words:
    """What was said of the picture itself, and the tag of its folder where nobody said anything else of it."""
    if not of_folder.tags:
        return words
    judged = {name_key(tag) for tag in (*words.tags, *words.no, *words.disputed)}
    tags = (tag for tag in of_folder.tags if name_key(tag) not in judged)
    return words._replace(tags=(*words.tags, *tags), metadata={**of_folder.metadata, **words.metadata})


def _is_picture(name: str) -> bool:
    return name.lower().endswith(PICTURE_SUFFIXES)


def _around_all(trees: set[tuple[str, ...]]) -> int:
    """How many folders lie around all others. Pictures in one single folder are of one tag."""
    depth = 0
    while len({folders[depth : depth + 1] for folders in trees}) == 1 and any(
        len(folders) > depth + 1 for folders in trees
    ):
        if split_of(next(iter(trees))[depth]):
            break
        depth += 1
    return depth


def _said(name: str, depth: int, has_splits: bool) -> Words:
    folders = name.split("/")[depth:-1]
    split = split_of(folders.pop(0)) if has_splits and folders else ""
    if not folders:
        return Words()
    # As our own export writes letters that a system forbids.
    return Words(tags=(unquote(folders[0]),), metadata={"split": split} if split else {})
