"""JSON Lines: an object a line. Its columns are the keys of the first lines; later keys are known by their names."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, BinaryIO

from annotations.errors import BadInput
from annotations.importers.base import ItemError
from annotations.importers.tables.base import MAX_ROW_CHARS, Row, Table, checked_columns, place
from annotations.importers.tables.lines import Lines, RowTooLong, foreign_byte

_LINES_LOOKED_AT = 100


class _RepeatedKeyError(ValueError):
    pass


def table(opened: Callable[[], BinaryIO], name: str) -> Table:
    """Look at the first lines. Raises BadInput where none of them is an object."""
    first = list(islice(_rows(opened, name), _LINES_LOOKED_AT))
    columns = list(dict.fromkeys(key for row in first if isinstance(row, Row) for key in row.cells))
    if not columns:
        said = next((f" ({row.item}: {row.message})" for row in first if isinstance(row, ItemError)), "")
        raise BadInput(
            f"{name}: expected JSON Lines, an object a line, got none{said}. Correct it and send it again.",
            code="bad_json",
            file=name,
        )
    return Table(name, checked_columns(columns, name), lambda: _rows(opened, name), unit="line")


def _rows(opened: Callable[[], BinaryIO], name: str) -> Iterator[Row | ItemError]:
    with opened() as stream:
        lines = Lines(stream, name)
        number = 0
        while True:
            number += 1
            lines.begin_row()
            try:
                line = next(lines)
            except StopIteration:
                return
            except RowTooLong:
                yield _bad(name, number, "row_too_long", f"more than {MAX_ROW_CHARS:,} characters")
                continue
            if line.strip():
                yield _row(name, number, line)


def _row(name: str, number: int, line: str) -> Row | ItemError:
    if byte := foreign_byte(line):
        return _bad(name, number, "not_utf8", f"byte {byte}, which is no UTF-8")
    try:
        content = _DECODE(line)
    except RecursionError:
        return _bad(name, number, "too_deep", "lists in lists without end")
    except _RepeatedKeyError as error:
        return _bad(name, number, "duplicate_key", f"the key “{error}” twice")
    except ValueError as error:
        return _bad(name, number, "bad_json", f"text that does not parse ({error})")
    if not isinstance(content, dict):
        return _bad(name, number, "bad_json", type(content).__name__)
    return Row(number, content)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _RepeatedKeyError(next(key for key in keys if keys.count(key) > 1)[:60])
    return found


# One for all lines: `json.loads` makes a decoder each time.
_DECODE = json.JSONDecoder(object_pairs_hook=_object).decode


def _bad(name: str, number: int, code: str, got: str) -> ItemError:
    return ItemError(
        place(name, number, unit="line"),
        code,
        f"Expected a JSON object on one line, got {got}. Correct the line and send it again.",
    )
