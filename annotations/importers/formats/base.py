"""What a format is given and what it answers: the files that came together, and tables that speak of them.

A format says which picture a row is about by the path it has among the sent files; placing it is the tables' work.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO
from urllib.parse import unquote

from annotations.exporters.names import stem as without_ending
from annotations.importers.base import ItemError, StagedFile, clean_path
from annotations.importers.folder import PICTURE_SUFFIXES
from annotations.importers.tables.base import Columns, OpenedTable, Row, Table
from annotations.services import storage

# What a row of any format may hold; each is the target of its own column.
CELLS = (
    *("path", "name", "sha256", "url", "caption", "tags", "no", "disputed", "not_asked", "state", "split"),
    *("holdout", "metadata", "suggestions"),
)
_PLACES = ("images/{split}", "{split}", "images", "JPEGImages", "data", "data/{split}", "")
_SPLITS = re.compile(r"(?:^|[_\-/.])(train|val|valid|validation|test)(?=[_\-/.\d]|$)", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

Rows = Callable[[], Iterator[Row | ItemError]]


@dataclass(frozen=True)
class Sent:
    """The files that came together. What formats find within their data is staged below `area`."""

    files: tuple[StagedFile, ...]
    area: str

    def opened(self, file: StagedFile) -> BinaryIO:
        return storage.open_for_reading(file.key)

    def ending(self, *endings: str) -> list[StagedFile]:
        return [file for file in self.files if file.name.lower().endswith(endings)]

    def named(self, name: str) -> list[StagedFile]:
        """Files of this base name, in whatever folder."""
        return [file for file in self.files if file.name.rpartition("/")[2].lower() == name]

    def beside(self, file: StagedFile, name: str) -> list[StagedFile]:
        folder = file.name.rpartition("/")[0]
        return [self.by_name[path] for path in [f"{folder}/{name}".strip("/")] if path in self.by_name]

    @cached_property
    def by_name(self) -> dict[str, StagedFile]:
        return {file.name: file for file in self.files}

    @cached_property
    def _by_stem(self) -> dict[str, str]:
        pictures = [file.name for file in self.files if file.name.lower().endswith(PICTURE_SUFFIXES)]
        return {clean_path(without_ending(name)): name for name in reversed(pictures)}

    def located(self, path: str, data: str, split: str = "") -> str:
        """The sent file that a data file means by `path`: from where it lies, where formats keep pictures.

        An address, or an absolute path of another machine, means the file whose path it ends with.
        Where there is none, the path itself, by which an image of the project may be called.
        """
        if not path:
            return ""
        tails = [clean_path(path)]
        if path.startswith(("/", "\\")) or _ADDRESS.match(path):
            parts = clean_path(unquote(_ADDRESS.sub("", path))).split("/")
            tails = ["/".join(parts[at:]) for at in range(len(parts))]
        for tail in tails:
            for place in _places(data, split):
                if (found := f"{place}/{tail}".strip("/")) in self.by_name:
                    return found
        return path

    def by_stem(self, stem: str, data: str, split: str = "") -> str:
        """The same for a path without its ending."""
        stem = clean_path(stem)
        for place in _places(data, split):
            if found := self._by_stem.get(f"{place}/{stem}".strip("/")):
                return found
        return stem

    def without(self, used: frozenset[str]) -> "Sent":
        return Sent(tuple(file for file in self.files if file.name not in used), self.area)


@dataclass(frozen=True)
class Found:
    """A format among the sent files. `used` are its data files, by name, which are no pictures.

    `pictures` lay within data files and are staged now.
    """

    used: frozenset[str]
    tables: tuple[OpenedTable, ...] = ()
    pictures: tuple[StagedFile, ...] = ()
    errors: tuple[ItemError, ...] = ()


Finder = Callable[[Sent], Found | None]


def found(
    used: Iterable[StagedFile],
    tables: Iterable[OpenedTable],
    pictures: Iterable[StagedFile] = (),
    errors: Iterable[ItemError] = (),
) -> Found:
    return Found(frozenset(file.name for file in used), tuple(tables), tuple(pictures), tuple(errors))


def table(name: str, rows: Rows, *, unit: str = "image") -> OpenedTable:
    """A table whose cells are called what they mean."""
    return OpenedTable(
        Table(name, CELLS, rows, unit=unit), Columns({cell: cell for cell in CELLS}), is_format=True
    )


def row(number: int, **cells: Any) -> Row:
    return Row(number, {name: cell for name, cell in cells.items() if cell is not None})


def split_of(name: str) -> str:
    """The split that a data file's name tells: `instances_val2017.json` is val."""
    said = _SPLITS.findall(name)
    return said[-1].lower() if said else ""


def text(value: Any) -> str | None:
    """The value where it is text."""
    return value if isinstance(value, str) else None


def digest(value: Any) -> str | None:
    """A sha256 where it is one: other tools may keep anything under this name."""
    is_digest = isinstance(value, str) and re.fullmatch("[0-9a-fA-F]{64}", value)
    return value if is_digest else None


def part(item: str, code: str, message: str) -> ItemError:
    """An error that costs a tag, not the picture."""
    return ItemError(item, code, message, is_part=True)


def undeclared(item: str, number: Any) -> ItemError:
    message = f"Its tag has the number {str(number)[:40]}, which the document does not name. It was left out."
    return part(item, "unknown_category", message)


def _places(data: str, split: str) -> Iterator[str]:
    """Folders in which a data file's pictures may lie, nearest first."""
    root = data
    while root:
        root = root.rpartition("/")[0]
        for place in _PLACES:
            if split or "{split}" not in place:
                yield f"{root}/{place.format(split=split)}".strip("/")
