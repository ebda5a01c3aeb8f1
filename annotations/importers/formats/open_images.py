"""Open Images: labels that people verified, where a confidence of 0 is a no, and boxes. Tags are the shown names."""

from collections.abc import Iterator

from annotations.importers.base import ItemError, StagedFile
from annotations.importers.formats import base, csv_rows
from annotations.importers.formats.base import Found, Sent, found, part
from annotations.importers.formats.spool import NO, YES, Spool
from annotations.importers.tables.base import Row, place

_LABEL_COLUMNS = {"ImageID", "LabelName"}
_IMAGE_COLUMNS = {"ImageID", "OriginalURL"}
_VERDICTS = {"1": YES, "1.0": YES, "": YES, "0": NO, "0.0": NO}


def find(sent: Sent) -> Found | None:
    listed = [(file, _header(sent, file)) for file in sent.ending(".csv")]
    labels = [file for file, header in listed if header >= _LABEL_COLUMNS]
    if not labels:
        return None
    images = [file for file, header in listed if header >= _IMAGE_COLUMNS and file not in labels]
    names = [file for file, _ in listed if "class-descriptions" in file.name.rpartition("/")[2].lower()]
    name = labels[0].name if len(labels) == 1 else labels[0].name.rpartition("/")[0] or "Open Images"
    opened = base.table(name, lambda: _rows(sent, labels, images, names))
    return found([*labels, *images, *names], [opened])


def _header(sent: Sent, file: StagedFile) -> set[str]:
    first = next(csv_rows.rows(sent, file), None)
    return {cell.strip() for cell in first[1]} if first and not isinstance(first[1], ItemError) else set()


def _rows(
    sent: Sent, labels: list[StagedFile], images: list[StagedFile], names: list[StagedFile]
) -> Iterator[Row | ItemError]:
    with Spool() as spool:
        count = 0
        for file in images:
            for _, cells in _tabled(sent, file):
                if isinstance(cells, ItemError):
                    yield cells
                elif key := cells.get("ImageID", ""):
                    count += 1
                    spool.add(key, count, _image(sent, file, key, cells))
        shown = {name: words for file in names for name, words in _names(sent, file)}
        for file in labels:
            split = base.split_of(file.name)
            for number, cells in _tabled(sent, file):
                if isinstance(cells, ItemError):
                    yield cells
                    continue
                key, name = cells.get("ImageID", ""), cells.get("LabelName", "")
                verdict = _VERDICTS.get(cells.get("Confidence", "").strip())
                if not key or not name or verdict is None:
                    yield _bad(file, number, cells)
                    continue
                count += 1
                spool.add(key, count, {"path": sent.by_stem(key, file.name, split), "split": split})
                spool.say(key, shown.get(name, name), verdict)
        for number, cells, yes, no in spool.images():
            yield base.row(number, **cells, tags=yes, no=no)


def _image(sent: Sent, file: StagedFile, key: str, cells: dict[str, str]) -> dict[str, str]:
    """Where the picture did not come along, its title may name an image of the project; our own export's does."""
    split = cells.get("Subset", "")
    path = sent.by_stem(key, file.name, split)
    is_sent = path in sent.by_name
    title = cells.get("Title", "")
    found = {"path": path if is_sent or not title else title, "split": split}
    url = cells.get("OriginalURL", "")
    return {**found, "url": url} if url and not is_sent else found


def _names(sent: Sent, file: StagedFile) -> Iterator[tuple[str, str]]:
    for _, cells in csv_rows.rows(sent, file):
        if not isinstance(cells, ItemError) and len(cells) > 1 and cells[0] != "LabelName":
            yield cells[0], cells[1]


def _tabled(sent: Sent, file: StagedFile) -> Iterator[tuple[int, dict[str, str] | ItemError]]:
    header: list[str] = []
    for number, cells in csv_rows.rows(sent, file):
        if isinstance(cells, ItemError):
            yield number, cells
        elif number == 1:
            header = [cell.strip() for cell in cells]
        else:
            yield number, dict(zip(header, cells, strict=False))


def _bad(file: StagedFile, number: int, cells: dict[str, str]) -> ItemError:
    said = (
        f"Expected an ImageID, a LabelName and a Confidence of 1 or 0, got “{'|'.join(cells.values())[:80]}”."
    )
    return part(place(file.name, number), "bad_label", said)
