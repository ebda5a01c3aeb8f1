"""Opens a table by what it is: Parquet by its first bytes, JSON Lines by its ending or first character, else CSV."""

from collections.abc import Callable
from typing import BinaryIO

from annotations.errors import BadInput
from annotations.importers.tables import delimited, json_lines, parquet
from annotations.importers.tables.base import Table

ENDINGS = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet")
_JSON_LINES = (".jsonl", ".ndjson")


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
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"[") and not name.lower().endswith((".csv", ".tsv", ".tab")):
        raise BadInput(
            f"{name}: expected JSON Lines, an object a line, got a JSON list. "
            "Write each object on a line of its own, without brackets and commas between them.",
            code="bad_json",
            file=name,
        )
    if name.lower().endswith(_JSON_LINES) or text.startswith(b"{"):
        return json_lines.table(opened, name)
    return delimited.table(opened, name)
