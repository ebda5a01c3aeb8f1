"""FiftyOne multi-label classification: one document of classes and each image's tags."""

from collections.abc import Iterator

import ijson

from annotations.exporters import names
from annotations.exporters.base import Dataset, Exporter, Files, Group, Written
from annotations.exporters.pieces import gathered, json_bytes


def files(dataset: Dataset) -> Files:
    yield "labels.json", gathered(_document(dataset))


def _document(dataset: Dataset) -> Iterator[bytes]:
    """`labels` maps the file without its ending to the names of its tags; written by hand, since it may be huge."""
    yield b'{"classes":' + json_bytes(dataset.tag_names()) + b',\n"labels":{'
    between = b"\n"
    for row in dataset.rows:
        yield between + json_bytes(names.stem(row.file)) + b":" + json_bytes(row.yes)
        between = b",\n"
    yield b"\n}}\n"


def _recount(written: Written) -> int:
    with written.open("labels.json") as stream:
        return sum(1 for prefix, event, _ in ijson.parse(stream) if prefix == "labels" and event == "map_key")


EXPORTER = Exporter(
    name="fiftyone",
    title="FiftyOne multi-label",
    group=Group.TOOLS,
    suits="Opens in FiftyOne as a multi-label set.",
    losses=(
        "No's, disputed tags, captions, metadata, splits and who decided are not written.",
        "An image that nobody has reviewed looks like one to which nothing applies: export only reviewed images "
        "to tell them apart.",
    ),
    files=files,
    picture_paths=lambda row, options: (f"data/{row.file}",),
    recount=_recount,
)
