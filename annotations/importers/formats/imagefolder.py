"""A folder a tag, as torchvision and YOLO have it, where a `classes.txt` beside the splits names the folders."""

from collections.abc import Iterator
from urllib.parse import unquote

from annotations.importers.base import ItemError, StagedFile, clean_path
from annotations.importers.folder import PICTURE_SUFFIXES
from annotations.importers.formats import base, lists
from annotations.importers.formats.base import Found, Sent, found
from annotations.importers.tables.base import OpenedTable, Row

_CLASSES = "classes.txt"


def find(sent: Sent) -> Found | None:
    for file in sent.named(_CLASSES):
        root = file.name.removesuffix(file.name.rpartition("/")[2])
        folders = {clean_path(name): unquote(name) for name in lists.names(sent, file)}
        pictures = [one for one in sent.ending(*PICTURE_SUFFIXES) if _folder(one.name, root, folders)]
        if pictures:
            return found([file], [_opened(file, pictures, root, folders)])
    return None


def _opened(file: StagedFile, pictures: list[StagedFile], root: str, folders: dict[str, str]) -> OpenedTable:
    return base.table(file.name, lambda: _rows(pictures, root, folders))


def _rows(pictures: list[StagedFile], root: str, folders: dict[str, str]) -> Iterator[Row | ItemError]:
    for number, file in enumerate(pictures, 1):
        split = file.name.removeprefix(root).split("/")[0]
        tag = folders[_folder(file.name, root, folders)]
        yield base.row(number, path=file.name, tags=[tag], split=base.split_of(split))


def _folder(name: str, root: str, folders: dict[str, str]) -> str:
    """The folder of a tag in which the picture lies: the first one below the split, or below the root."""
    if not name.startswith(root):
        return ""
    above = name.removeprefix(root).split("/")[:-1][:2]
    return next((part for part in reversed(above) if part in folders), "")
