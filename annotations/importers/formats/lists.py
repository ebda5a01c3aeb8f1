"""Text files with a line an entry, which the list formats are made of."""

from collections.abc import Iterator

from annotations.errors import BadInput
from annotations.importers.base import ItemError, StagedFile
from annotations.importers.formats.base import Sent
from annotations.importers.tables.base import place
from annotations.importers.tables.lines import Lines, RowTooLong, foreign_byte


def lines(sent: Sent, file: StagedFile) -> Iterator[tuple[int, str | ItemError]]:
    """The lines with their numbers, without their ends; empty ones are left out."""
    number = 0
    try:
        with sent.opened(file) as stream:
            reader = Lines(stream, file.name)
            while True:
                number += 1
                reader.begin_row()
                line = next(reader, None)
                if line is None:
                    return
                if byte := foreign_byte(line):
                    said = f"Expected UTF-8, got byte {byte}. Save the list as UTF-8 and send it again."
                    yield number, ItemError(place(file.name, number, unit="line"), "not_utf8", said)
                elif line.strip():
                    yield number, line.rstrip("\r\n")
    except RowTooLong:
        said = "Expected a line of an ordinary length, got more. What follows is lost."
        yield number, ItemError(place(file.name, number, unit="line"), "row_too_long", said)
    except BadInput as error:
        yield 0, ItemError(file.name, error.code, error.message)


def names(sent: Sent, file: StagedFile) -> list[str]:
    """The names of tags in a list; a line that cannot be read keeps its place, without a name."""
    return ["" if isinstance(line, ItemError) else line for number, line in lines(sent, file) if number]
