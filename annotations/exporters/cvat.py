"""CVAT for images 1.1: an XML document a split, with a `<tag>` an image and tag."""

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from annotations.exporters import names
from annotations.exporters.base import Dataset, Exporter, ExportRow, Files, Group, Written
from annotations.exporters.pieces import gathered


def files(dataset: Dataset) -> Files:
    """The file's stem is the subset that its images name: readers load nothing where the two differ."""
    first = 0
    for split in dataset.facts.split_names:
        yield f"{split}.xml", gathered(_document(dataset, split, first))
        first += dataset.facts.splits.get(split, 0)


def _document(dataset: Dataset, split: str, first: int) -> Iterator[bytes]:
    size = dataset.facts.splits.get(split, 0)
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n<meta><task>'
    yield f"<name>{split}</name><size>{size}</size><mode>annotation</mode><subset>{split}</subset>".encode()
    yield b"<labels>\n"
    for tag in dataset.tag_names():
        yield f"<label><name>{escape(_text(tag))}</name><type>tag</type><attributes/></label>\n".encode()
    yield b"</labels></task></meta>\n"
    for number, row in enumerate(dataset.of_split(split), first):
        yield _image(row, number)
    yield b"</annotations>\n"


def _image(row: ExportRow, number: int) -> bytes:
    tags = "".join(f'<tag label={quoteattr(_text(tag))} source="manual"></tag>' for tag in row.yes)
    return (
        f'<image id="{number}" name={quoteattr(_text(row.file))} subset="{row.split}" width="{row.width_px}" '
        f'height="{row.height_px}">{tags}</image>\n'
    ).encode()


def _text(word: str) -> str:
    """XML has no place for control characters, not even escaped."""
    return "".join(letter if letter.isprintable() else names.escaped(letter, letter) for letter in word)


def _recount(written: Written) -> int:
    count = 0
    for name in written.names():
        if name.endswith(".xml"):
            with written.open(name) as stream:
                count += sum(line.startswith(b"<image ") for line in stream)
    return count


EXPORTER = Exporter(
    name="cvat",
    title="CVAT for images 1.1",
    group=Group.TOOLS,
    suits="Tags as CVAT imports them.",
    losses=(
        "No's, disputed tags, captions, metadata and who decided are not written.",
        "An image that nobody has reviewed looks like one to which nothing applies: export only reviewed images "
        "to tell them apart.",
        "The holdout is the subset “test”.",
        "Most readers need the pictures beside the data: export with images.",
    ),
    files=files,
    recount=_recount,
)
