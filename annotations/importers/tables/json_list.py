"""A JSON document that is one list of objects, object by object. Its columns are the keys of the first ones."""

import codecs
from collections.abc import Callable, Iterator
from itertools import islice
from typing import BinaryIO, cast

from annotations.errors import BadInput
from annotations.importers.base import ItemError
from annotations.importers.damage import broken_off, not_an_object
from annotations.importers.json_documents import ANY, JSON_ERRORS, elements
from annotations.importers.tables.base import MAX_ROW_CHARS, Row, Table, checked_columns, place

_OBJECTS_LOOKED_AT = 100
_UNIT = "object"
# A character of JSON takes up to four bytes; the reader takes a little more than it needs.
_MAX_ROW_BYTES = 4 * MAX_ROW_CHARS + 2**17


def table(opened: Callable[[], BinaryIO], name: str) -> Table:
    """Look at the first objects. Raises BadInput where the document is no list of them."""
    with opened() as stream:
        start = stream.read(256).removeprefix(codecs.BOM_UTF8).lstrip()
    if not start.startswith(b"["):
        got = "an object" if start.startswith(b"{") else "something else"
        raise _no_list(name, f"{got} around or instead of it")
    first = list(islice(_rows(opened, name), _OBJECTS_LOOKED_AT))
    columns = list(dict.fromkeys(key for row in first if isinstance(row, Row) for key in row.cells))
    if not columns:
        said = next((one.message for one in first if isinstance(one, ItemError)), "")
        raise _no_list(name, f"none in it ({said})" if said else "none in it")
    return Table(name, checked_columns(columns, name), lambda: _rows(opened, name), unit=_UNIT)


def _rows(opened: Callable[[], BinaryIO], name: str) -> Iterator[Row | ItemError]:
    number = 0
    with opened() as stream:
        source = _RowByRow(stream)
        try:
            for number, (_, value) in enumerate(elements(cast(BinaryIO, source), ((ANY,),)), 1):
                source.begin_row()
                if isinstance(value, dict):
                    yield Row(number, value)
                else:
                    yield not_an_object(place(name, number, unit=_UNIT), value)
        except JSON_ERRORS as error:
            yield broken_off(place(name, number + 1, unit=_UNIT), error)


class _RowByRow:
    """The document's bytes without their mark; refuses an object that would fill the memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        if stream.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            stream.seek(0)
        self.begin_row()

    def begin_row(self) -> None:
        self._left = _MAX_ROW_BYTES

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"an object of more than {MAX_ROW_CHARS:,} characters")
        return data


def _no_list(name: str, got: str) -> BadInput:
    return BadInput(
        f"{name}: expected a list of objects, as in [{{“path”: “a.jpg”, “caption”: “A dog”}}], got {got}. "
        "Send the list of the images alone.",
        code="bad_json",
        file=name,
    )
