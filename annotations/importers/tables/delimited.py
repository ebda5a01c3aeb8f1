"""CSV and TSV, row by row. Which character separates the columns is told from the first line."""

import csv
from collections.abc import Callable, Iterator
from typing import BinaryIO

from annotations.errors import BadInput
from annotations.importers.base import ItemError
from annotations.importers.tables.base import (
    MAX_FIELD_CHARS,
    MAX_ROW_CHARS,
    Row,
    Table,
    checked_columns,
    place,
)
from annotations.importers.tables.lines import Lines, RowTooLong, foreign_byte

SEPARATORS = ",;\t"

# The module's own limit is 131,072, less than a caption may have; it holds for the whole process.
csv.field_size_limit(MAX_FIELD_CHARS)


def table(opened: Callable[[], BinaryIO], name: str) -> Table:
    """Read the header. Raises BadInput where it names no columns, or two alike."""
    with opened() as stream:
        lines = Lines(stream, name)
        try:
            first = next(lines, "")
        except RowTooLong as error:
            raise BadInput(
                f"{name}: the first line has more than {MAX_ROW_CHARS:,} characters. "
                "Expected the names of the columns there.",
                code="bad_csv",
                file=name,
            ) from error
    if byte := foreign_byte(first):
        raise BadInput(
            f"{name}: expected UTF-8, got byte {byte} in the first line. "
            "Save the table as “CSV UTF-8” and send it again.",
            code="not_utf8",
            file=name,
        )
    separator = max(SEPARATORS, key=first.count)
    header = next(csv.reader([first], delimiter=separator), [])
    named = [cell.strip() or f"column {at}" for at, cell in enumerate(header, start=1)]
    columns = checked_columns(named if first.strip() else [], name)
    return Table(name, columns, lambda: _rows(opened, name, columns, separator), empty_is_absent=True)


def _rows(
    opened: Callable[[], BinaryIO], name: str, columns: tuple[str, ...], separator: str
) -> Iterator[Row | ItemError]:
    for number, cells in numbered(opened, name, separator):
        if number == 1:
            continue
        yield cells if isinstance(cells, ItemError) else _row(name, number, cells, columns)


def numbered(
    opened: Callable[[], BinaryIO], name: str, separator: str = ","
) -> Iterator[tuple[int, list[str] | ItemError]]:
    """The rows with their numbers, the header's too; empty ones are left out."""
    with opened() as stream:
        lines = Lines(stream, name)
        reader = csv.reader(lines, delimiter=separator)
        number = 0
        while True:
            number += 1
            lines.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (RowTooLong, csv.Error) as error:
                yield number, _too_long(name, number, error)
                continue
            if any(cells):
                yield number, cells


def _row(name: str, number: int, cells: list[str], columns: tuple[str, ...]) -> Row | ItemError:
    if len(cells) > len(columns) and any(cells[len(columns) :]):
        return ItemError(
            place(name, number),
            "too_many_cells",
            f"Expected {len(columns):,} cells, as the first row has, got {len(cells):,}. "
            "Put quotes around text that holds a separator.",
        )
    if foreign_byte("".join(cells)):
        at, byte = next((at, byte) for at, cell in enumerate(cells) if (byte := foreign_byte(cell)))
        return ItemError(
            place(name, number, columns[at]),
            "not_utf8",
            f"Expected UTF-8, got byte {byte}. Save the table as “CSV UTF-8” and send it again.",
        )
    return Row(number, dict(zip(columns, cells, strict=False)))


def _too_long(name: str, number: int, error: Exception) -> ItemError:
    limit = MAX_ROW_CHARS if isinstance(error, RowTooLong) else MAX_FIELD_CHARS
    what = "row" if isinstance(error, RowTooLong) else "cell"
    return ItemError(
        place(name, number),
        "row_too_long",
        f"Expected a {what} of at most {limit:,} characters, got more: "
        "perhaps a quote before it is not closed. Rows right after it may be lost too.",
    )
