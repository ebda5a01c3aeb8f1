"""CSV rows as lists of cells, numbered from the header on, for tables whose header is none or has a tag a column."""

from collections.abc import Iterator

from annotations.errors import BadInput
from annotations.importers.base import ItemError, StagedFile
from annotations.importers.formats.base import Sent
from annotations.importers.tables import delimited
from annotations.importers.tables.base import place
from annotations.importers.tables.lines import foreign_byte


def rows(sent: Sent, file: StagedFile) -> Iterator[tuple[int, list[str] | ItemError]]:
    try:
        for number, cells in delimited.numbered(lambda: sent.opened(file), file.name):
            if not isinstance(cells, ItemError) and (byte := foreign_byte("".join(cells))):
                said = f"Expected UTF-8, got byte {byte}. Save the table as UTF-8 and send it again."
                yield number, ItemError(place(file.name, number), "not_utf8", said)
            else:
                yield number, cells
    except BadInput as error:
        yield 0, ItemError(file.name, error.code, error.message)
