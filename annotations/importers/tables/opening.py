"""Opens a table by what it is: Parquet by its first bytes, JSON by its ending or first character, else CSV."""

from collections.abc import Callable
from itertools import islice
from typing import BinaryIO

from annotations.errors import BadInput
from annotations.importers.base import ItemError
from annotations.importers.tables import delimited, json_lines, json_list, parquet
from annotations.importers.tables.base import Row, Table

ENDINGS = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet")
_JSON_LINES = (".jsonl", ".ndjson")
_DELIMITED = (".csv", ".tsv", ".tab")


def table(opened: Callable[[], BinaryIO], name: str) -> Table:
    """The table in this file; `opened` opens it anew each time. Raises BadInput with what is wrong."""
    with opened() as stream:
        start = stream.read(256)
    if not start:
        raise BadInput(
            f"{name}: expected a table, got an empty file.",
            code="empty_table",
            file=name,
        )
    if start.startswith(parquet.MAGIC):
        return parquet.table(opened, name)
    text, ending = start.removeprefix(b"\xef\xbb\xbf").lstrip(), name.lower()
    if text.startswith(b"[") and not ending.endswith(_DELIMITED):
        return json_list.table(opened, name)
    if ending.endswith(_JSON_LINES) or text.startswith(b"{"):
        return _objects(opened, name)
    if ending.endswith(".json"):
        return json_list.table(opened, name)
    return delimited.table(opened, name)


def _objects(opened: Callable[[], BinaryIO], name: str) -> Table:
    """An object a line; what is called a document may be one object around a list, which is refused as such."""
    if not name.lower().endswith(".json"):
        return json_lines.table(opened, name)
    try:
        table = json_lines.table(opened, name)
    except BadInput:
        return json_list.table(opened, name)
    return json_list.table(opened, name) if _is_document(list(islice(table.rows(), 2))) else table


def _is_document(first: list[Row | ItemError]) -> bool:
    row = first[0]
    if not isinstance(row, Row):
        return True
    lists = [cell for cell in row.cells.values() if isinstance(cell, list)]
    return len(first) == 1 and any(isinstance(one, dict) for cell in lists for one in cell)
