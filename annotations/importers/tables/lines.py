"""Lines of a text file that end: one without a line break is refused at its length, not held in memory."""

import codecs
import io
from typing import BinaryIO

from annotations.errors import BadInput
from annotations.importers.tables.base import MAX_ROW_CHARS

_ENDS = ("\n", "\r")


class RowTooLong(Exception):
    """A row is longer than any row is; the lines go on after it."""


class Lines:
    """Iterates over lines with their endings. Call `begin_row` before each row, which may have several lines.

    Bytes that are no UTF-8 come through as lone surrogates, so that only their own row is lost.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        start = stream.read(64)
        stream.seek(0)
        is_utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        if b"\0" in start and not is_utf16:
            raise BadInput(
                f"{name}: expected text in UTF-8, got null characters, as UTF-16 without a mark has them. "
                "Save the table as “CSV UTF-8” and send it again.",
                code="not_utf8",
                file=name,
            )
        encoding, errors = ("utf-16", "replace") if is_utf16 else ("utf-8-sig", "surrogateescape")
        self._text = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
        self.begin_row()

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        if not line:
            raise StopIteration
        self._left -= len(line)
        if self._left < 0:
            while line and not line.endswith(_ENDS):
                line = self._text.readline(2**20)
            raise RowTooLong
        return line

    def begin_row(self) -> None:
        self._left = MAX_ROW_CHARS


def foreign_byte(text: str) -> str | None:
    """The first byte that was no UTF-8, as “0xE9”; None where all of the text was."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        number = ord(text[error.start])
        return f"0x{number - 0xDC00:02X}" if 0xDC80 <= number <= 0xDCFF else f"0x{number:04X}"
    return None
