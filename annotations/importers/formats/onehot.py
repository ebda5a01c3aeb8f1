"""CSV one-hot: `_classes.csv` with a column a tag, as Roboflow writes multi-label sets. A 0 says nothing."""

from collections.abc import Iterator

from annotations.exporters import cells
from annotations.importers.base import ItemError, StagedFile
from annotations.importers.formats import base, csv_rows
from annotations.importers.formats.base import Found, Sent, found, part
from annotations.importers.tables.base import OpenedTable, Row, place

_ENDING = "_classes.csv"
_COMPANIONS = ("data.yaml", "readme.dataset.txt", "readme.roboflow.txt")
_YES, _NOTHING = ("1", "1.0", "true"), ("0", "0.0", "false", "")


def find(sent: Sent) -> Found | None:
    listed = sent.named(_ENDING)
    companions = [file for name in _COMPANIONS for file in sent.named(name)]
    return found([*listed, *companions], [_opened(sent, file) for file in listed]) if listed else None


def _opened(sent: Sent, file: StagedFile) -> OpenedTable:
    return base.table(file.name, lambda: _rows(sent, file), unit="row")


def _rows(sent: Sent, file: StagedFile) -> Iterator[Row | ItemError]:
    tags: list[str] = []
    split = base.split_of(file.name)
    for number, said in csv_rows.rows(sent, file):
        if isinstance(said, ItemError):
            yield said
        elif number == 1:
            # Roboflow puts a space before each name.
            tags = [cells.unguarded(name.strip()) for name in said[1:]]
        else:
            yield from _row(sent, file, number, said, tags, split)


def _row(
    sent: Sent, file: StagedFile, number: int, said: list[str], tags: list[str], split: str
) -> Iterator[Row | ItemError]:
    values = [value.strip().lower() for value in said[1:]]
    odd = next((at for at, value in enumerate(values) if value not in (*_YES, *_NOTHING)), None)
    if odd is not None:
        column = tags[odd] if odd < len(tags) else ""
        yield part(
            place(file.name, number, column), "bad_verdict", f"Expected 1 or 0, got “{values[odd][:40]}”."
        )
    yes = [tag for tag, value in zip(tags, values, strict=False) if value in _YES]
    yield base.row(number, path=sent.located(said[0].strip(), file.name, split), tags=yes, split=split)
