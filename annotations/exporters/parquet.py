"""Parquet with pictures as Hugging Face datasets store them: a table a split, readable by any Parquet tool."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.exporters import arrow, recounts
from annotations.exporters.base import Dataset, Exporter, ExportRow, Files, Group, Pictures

_COLUMNS: Mapping[str, arrow.Kind] = {
    "image": "picture",
    "tags": "names",
    "caption": "text",
    "no": "names",
    "disputed": "names",
    "state": "text",
    "name": "text",
    "sha256": "text",
    "width_px": "number",
    "height_px": "number",
}


def files(dataset: Dataset) -> Files:
    for split in dataset.facts.split_names:
        rows = _rows(dataset, split)
        yield f"data/{split}-00000-of-00001.parquet", arrow.written(_COLUMNS, rows, for_datasets=True)


def _rows(dataset: Dataset, split: str) -> Iterator[tuple[int, Sequence[Any]]]:
    for row in dataset.of_split(split):
        data = dataset.picture(row) if dataset.picture and row.picture_key else None
        yield len(data or b""), _values(row, data)


def _values(row: ExportRow, data: bytes | None) -> Sequence[Any]:
    return (
        {"bytes": data, "path": row.file},
        list(row.yes),
        row.caption,
        list(row.no),
        list(row.disputed),
        row.state,
        row.path or row.name,
        row.sha256,
        row.width_px,
        row.height_px,
    )


EXPORTER = Exporter(
    name="parquet",
    title="Parquet",
    group=Group.TRAINING,
    suits="Pictures and tags in one table, for datasets, DuckDB and Arrow.",
    losses=(
        "No's that a finished review implies are not written: the state column says who has been reviewed.",
        "Metadata and who decided are not written. Without images each row holds the picture's name only.",
        "The holdout is the split “test”.",
    ),
    files=files,
    pictures=Pictures.WITHIN,
    picture_paths=lambda row, options: (),
    recount=recounts.parquet_rows(".parquet"),
)
