"""What a table is to the rest: its columns, and rows that come one by one. Limits, and what a row is called."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from annotations.errors import BadInput
from annotations.importers.base import TAGS_SEPARATOR, ItemError

MAX_COLUMNS = 1_000
# A caption may have 200,000 characters; a row that is longer than this is a quote that nobody closed.
MAX_ROW_CHARS = 4 * 2**20
MAX_FIELD_CHARS = 2**20
_SHOWN_COLUMNS = 20


class Row(NamedTuple):
    """One row; `number` counts as the file's reader does: lines of JSON, rows of a spreadsheet with its header."""

    number: int
    cells: Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """`rows` reads from the beginning each time it is called; a row that cannot be read comes as an error.

    `empty_is_absent`: the format cannot tell an empty text from none.
    """

    name: str
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row | ItemError]]
    unit: str = "row"
    empty_is_absent: bool = False

    def place(self, number: int, column: str = "") -> str:
        return place(self.name, number, column, unit=self.unit)


@dataclass(frozen=True)
class Columns:
    """The target of each column, and what separates tags within a cell. `mapping.py` knows the targets.

    A key that the first lines of JSON do not have is told by its name alone.
    """

    targets: Mapping[str, str]
    tags_separator: str = TAGS_SEPARATOR
    # Our own CSV export put an apostrophe before cells that a spreadsheet would run.
    is_guarded: bool = False
    empty_is_absent: bool = False
    by_name: Callable[[str], str] = lambda column: ""
    _later: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def target(self, column: str) -> str:
        if column in self.targets:
            return self.targets[column]
        if column not in self._later:
            taken = set(self.targets.values()) | set(self._later.values())
            named = self.by_name(column)
            self._later[column] = named if named not in taken else ""
        return self._later[column]


@dataclass(frozen=True)
class OpenedTable:
    """A table whose columns are understood. `folder`: where it lies within an archive; it names pictures from there.

    `is_format`: a data file of a format, whose first row may be known only when all of it is read.
    """

    table: Table
    columns: Columns
    folder: str = ""
    is_format: bool = False


def place(name: str, number: int, column: str = "", *, unit: str = "row") -> str:
    """How an error names what it is about: “captions.csv, row 5, column “tags””."""
    return f"{name}, {unit} {number:,}" + (f", column “{column}”" if column else "")


def checked_columns(columns: list[str], name: str) -> tuple[str, ...]:
    """The column names of a table. Raises BadInput where there are none, too many, or two alike."""
    if len(columns) > MAX_COLUMNS:
        raise BadInput(
            f"{name}: expected at most {MAX_COLUMNS:,} columns, got {len(columns):,}. "
            "Keep the ones that describe the pictures.",
            code="too_many_columns",
            file=name,
        )
    if not any(columns):
        raise BadInput(
            f"{name}: expected the names of columns, got an empty table. Name them in the first line.",
            code="empty_table",
            file=name,
        )
    if twice := next((column for column in columns if columns.count(column) > 1), None):
        first, second = [at for at, column in enumerate(columns, start=1) if column == twice][:2]
        raise BadInput(
            f"{name}: two columns are called “{twice}” (columns {first} and {second}). Rename one of them.",
            code="duplicate_column",
            file=name,
            column=twice,
        )
    return tuple(columns)


def listed(columns: tuple[str, ...]) -> str:
    """The columns in a sentence; of very many the first."""
    shown = ", ".join(f"“{column[:60]}”" for column in columns[:_SHOWN_COLUMNS])
    return shown + (f" and {len(columns) - _SHOWN_COLUMNS:,} more" if len(columns) > _SHOWN_COLUMNS else "")
