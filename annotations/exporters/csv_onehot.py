"""CSV one-hot: a table a split with a column a tag, as Roboflow writes multi-label sets."""

from collections.abc import Iterator

from annotations.exporters import cells, recounts
from annotations.exporters.base import Dataset, Exporter, ExportRow, Facts, Files, Group
from annotations.exporters.pieces import json_bytes

MAX_CELLS = 1_000_000_000


def files(dataset: Dataset) -> Files:
    """A tag of which a person has not said yes is 0, whether anybody was asked or not."""
    names = dataset.tag_names()
    for split in dataset.facts.split_names:
        rows = _cells(dataset.of_split(split), dataset.tag_numbers())
        yield f"{split}/_classes.csv", cells.write(("filename", *map(cells.guard, names)), rows)
    yield "data.yaml", [_data_yaml(dataset)]


def _cells(rows: Iterator[ExportRow], number_of: dict[str, int]) -> Iterator[list[object]]:
    for row in rows:
        line: list[object] = [row.file, *([0] * len(number_of))]
        for tag in row.yes:
            line[1 + number_of[tag]] = 1
        yield line


def _data_yaml(dataset: Dataset) -> bytes:
    """YAML that is JSON in its values: quoting is JSON's, which every YAML reader takes."""
    names = json_bytes([cells.guard(name) for name in dataset.tag_names()])
    splits = b"".join(f"{split}: {split}\n".encode() for split in dataset.facts.split_names)
    return splits + b"nc: %d\nnames: %s\n" % (len(dataset.facts.vocabulary), names)


def _refusal(facts: Facts) -> str | None:
    if facts.images * len(facts.vocabulary) <= MAX_CELLS:
        return None
    return (
        f"{facts.images:,} images with {len(facts.vocabulary):,} columns each are more than {MAX_CELLS:,} cells. "
        "Export fewer images, or as csv or coco."
    )


EXPORTER = Exporter(
    name="csv-onehot",
    title="CSV one-hot",
    group=Group.TRAINING,
    suits="A column a tag, as Roboflow writes multi-label sets.",
    losses=(
        "A 0 may be a no, a disputed tag, or a question nobody was asked: export only reviewed images to tell "
        "them apart.",
        "Captions, metadata and who decided are not written.",
        "The holdout is the split “test”.",
        cells.GUARD_LOSS,
    ),
    files=files,
    picture_paths=lambda row, options: (f"{row.split}/{row.file}",),
    recount=recounts.csv_rows("_classes.csv"),
    refusal=_refusal,
)
