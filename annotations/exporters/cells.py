"""CSV by RFC 4180 in UTF-8, piece by piece, with cells that a spreadsheet would run as a formula disarmed."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
GUARD = "'"
GUARD_LOSS = "Text that starts with = + - @ gets an apostrophe before it, against formulas in spreadsheets."
_PIECE_CHARS = 256 * 1024


def guard(text: str) -> str:
    return GUARD + text if text.startswith(FORMULA_STARTS) else text


def write(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The table as bytes in pieces of some 100 kB."""
    buffer = io.StringIO(newline="")
    table = csv.writer(buffer, lineterminator="\r\n")
    table.writerow(header)
    for row in rows:
        table.writerow(row)
        if buffer.tell() > _PIECE_CHARS:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    data = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return data
