"""Hugging Face imagefolder: pictures in a folder a split, with their words in `metadata.parquet`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.exporters import arrow, recounts
from annotations.exporters.base import Dataset, Exporter, ExportRow, Files, Group, Pictures

_COLUMNS: Mapping[str, arrow.Kind] = {
    "file_name": "text",
    "tags": "names",
    "caption": "text",
    "no": "names",
    "disputed": "names",
    "state": "text",
    "sha256": "text",
}


def files(dataset: Dataset) -> Files:
    """Typed, since lists that are all empty tell a reader of JSON Lines no type and fail to load."""
    for split in dataset.facts.split_names:
        yield f"{split}/metadata.parquet", arrow.written(_COLUMNS, _rows(dataset, split))


def _rows(dataset: Dataset, split: str) -> Iterator[tuple[int, Sequence[Any]]]:
    """A row without its picture would keep readers from all others."""
    return ((0, _values(row)) for row in dataset.of_split(split) if row.picture_key)


def _values(row: ExportRow) -> Sequence[Any]:
    return (
        row.file,
        list(row.yes),
        row.caption,
        list(row.no),
        list(row.disputed),
        row.state,
        row.sha256,
    )


EXPORTER = Exporter(
    name="hf-imagefolder",
    title="Hugging Face imagefolder",
    group=Group.TRAINING,
    suits='One call of load_dataset("imagefolder").',
    losses=(
        "No's that a finished review implies are not written: the state column says who has been reviewed.",
        "Metadata and who decided are not written.",
        "The holdout is the split “test”. The pictures always come along.",
    ),
    files=files,
    pictures=Pictures.ALWAYS,
    picture_paths=lambda row, options: (f"{row.split}/{row.file}",),
    recount=recounts.parquet_rows("metadata.parquet"),
)
