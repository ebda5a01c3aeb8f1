"""CSV by RFC 4180 in UTF-8, piece by piece, with cells that a spreadsheet would run as a formula disarmed."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence

from annotations.exporters.pieces import PIECE_BYTES

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
GUARD = "'"
_SUSPECTS = frozenset((*FORMULA_STARTS, GUARD))
_ROWS_AT_ONCE = 100
GUARD_LOSS = "Text that starts with = + - @ gets an apostrophe before it, against formulas in spreadsheets."


def guard(text: str) -> str:
    """With an apostrophe before it where a spreadsheet would run it, and where it looks as if it had one already.

    >>> guard("=1+1"), guard("'=1+1"), guard("plain"), unguarded(guard("'=1+1"))
    ("'=1+1", "''=1+1", 'plain', "'=1+1")
    """
    return GUARD + text if text[:1] in _SUSPECTS and _is_risky(text) else text


def unguarded(text: str) -> str:
    """What `guard` was given."""
    return text[1:] if text.startswith(GUARD) and _is_risky(text[1:]) else text


def _is_risky(text: str) -> bool:
    return text.lstrip(GUARD).startswith(FORMULA_STARTS)


def write(header: Sequence[str] | None, rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The table as bytes in pieces; a header of None is left out."""
    buffer = io.StringIO(newline="")
    table = csv.writer(buffer, lineterminator="\r\n")
    if header is not None:
        table.writerow(header)
    waiting = iter(rows)
    while some := list(itertools.islice(waiting, _ROWS_AT_ONCE)):
        table.writerows(some)
        if buffer.tell() > PIECE_BYTES:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    data = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return data
