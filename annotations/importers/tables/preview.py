"""How a table would be read, shown before anything is stored: its columns, what each is taken for, its first rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from annotations.importers.base import TAGS_SEPARATOR, ItemError
from annotations.importers.suggested import Suggested
from annotations.importers.tables.base import Columns, Row, Table
from annotations.importers.tables.mapping import guess
from annotations.importers.tables.words import said
from annotations.importers.words import safe_text, safe_value

ROWS_SHOWN = 8
COLUMNS_SHOWN = 60
_CELL_CHARS = 160


@dataclass(frozen=True)
class Preview:
    """`rows` are the first ones as text; `items` what they would say, and `errors` what of them cannot be read."""

    table: str
    columns: tuple[str, ...]
    mapping: Mapping[str, str]
    tags_separator: str
    rows: tuple[tuple[str, ...], ...]
    items: tuple[Mapping[str, Any], ...]
    errors: tuple[ItemError, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "columns": self.columns,
            "mapping": self.mapping,
            "tags_separator": self.tags_separator,
            "rows": [dict(zip(self.columns, cells, strict=True)) for cells in self.rows],
            "items": self.items,
            "errors": [error.as_json() for error in self.errors],
        }


def preview(table: Table, columns: Columns) -> Preview:
    """Read the first rows as an import would."""
    rows: list[tuple[str, ...]] = []
    items: list[Mapping[str, Any]] = []
    errors: list[ItemError] = []
    for row in islice(table.rows(), ROWS_SHOWN):
        if isinstance(row, Row):
            rows.append(tuple(_shown(row.cells.get(column)) for column in table.columns))
        read = said(table, columns, row) if isinstance(row, Row) else row
        if isinstance(read, ItemError):
            errors.append(_safe(read))
            continue
        errors += map(_safe, read.errors)
        words = read.words
        item = {
            "picture": read.reference,
            "caption": words.caption,
            "tags": words.tags,
            "no": words.no,
            "metadata": words.metadata,
            **_suggested(words.suggested),
            "complete": words.complete,
        }
        items.append(safe_value(item))
    mapping = {column: columns.target(column) for column in table.columns}
    return Preview(
        table.name, table.columns, mapping, columns.tags_separator, tuple(rows), tuple(items), tuple(errors)
    )


def unmapped(table: Table, said: Mapping[str, str]) -> Preview:
    """The first rows as they stand, for a person who has yet to say what the columns are."""
    first = [row for row in islice(table.rows(), ROWS_SHOWN) if isinstance(row, Row)]
    rows = tuple(tuple(_shown(row.cells.get(column)) for column in table.columns) for row in first)
    guessed = {**guess(table.columns, first), **said}
    return Preview(table.name, table.columns, guessed, TAGS_SEPARATOR, rows, (), ())


def _suggested(said: Suggested | None) -> dict[str, Any]:
    """In the form in which the API takes them."""
    if said is None:
        return {"suggestions": [], "model_version": None}
    listed = [{"tag": tag, "score": score} for tag, score in said.scores.items()]
    return {"suggestions": listed, "model_version": said.model}


def _safe(error: ItemError) -> ItemError:
    """It quotes the cell, and half a surrogate cannot be sent."""
    return replace(error, item=safe_text(error.item), message=safe_text(error.message))


def _shown(cell: Any) -> str:
    """As text; lists and objects as JSON writes them."""
    text = "" if cell is None else cell if isinstance(cell, str) else str(cell)
    if isinstance(cell, list | dict):
        text = json.dumps(cell, ensure_ascii=False, default=str)
    return safe_text(text if len(text) <= _CELL_CHARS else text[:_CELL_CHARS] + "…")
