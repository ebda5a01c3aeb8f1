"""CSV with a row a pair of image and tag: every verdict that stands and where it comes from."""

from collections.abc import Iterable, Iterator

from annotations.exporters import cells, recounts
from annotations.exporters.base import (
    Dataset,
    Exporter,
    ExportRow,
    Files,
    Group,
    Needs,
    OneFile,
    Option,
    Provenance,
)
from annotations.exporters.pieces import json_bytes

COLUMNS = (
    *("image_id", "name", "path", "sha256", "state", "split", "caption", "metadata", "tag", "verdict"),
    *("source", "person", "time", "score", "model_version"),
)
_NAME = "verdicts.csv"
_NOBODY = ("", "", "", "", "")


def files(dataset: Dataset) -> Files:
    """An image without any verdict keeps one row, with `tag` and `verdict` empty."""
    if dataset.with_pictures:
        lines = ((*line, f"images/{row.file}") for row in dataset.rows for line in _lines(row))
        yield _NAME, cells.write((*COLUMNS, "file"), lines)
    else:
        yield _NAME, in_passing(dataset.rows, dataset.facts.vocabulary_version)


def in_passing(rows: Iterable[ExportRow], vocabulary_version: int) -> Iterator[bytes]:
    del vocabulary_version
    return cells.write(COLUMNS, (line for row in rows for line in _lines(row)))


def _lines(row: ExportRow) -> Iterator[tuple[object, ...]]:
    image = (
        row.id,
        cells.guard(row.name),
        cells.guard(row.path),
        row.sha256,
        row.state,
        "holdout" if row.is_holdout else "train",
        cells.guard(row.caption),
        json_bytes(row.metadata).decode() if row.metadata else "",
    )
    verdicts = [
        *((tag, "yes") for tag in row.yes),
        *((tag, "no") for tag in row.no),
        *((tag, "implied no") for tag in row.implied_no),
        *((tag, "disputed") for tag in row.disputed),
        *((tag, "not asked") for tag in row.not_asked),
    ]
    for tag, verdict in verdicts or [("", "")]:
        yield (*image, cells.guard(tag), verdict, *_origin((row.provenance or {}).get(tag)))


def _origin(provenance: Provenance | None) -> tuple[object, ...]:
    if provenance is None:
        return _NOBODY
    return (
        provenance.source,
        cells.guard(provenance.person or ""),
        provenance.at,
        "" if provenance.score is None else provenance.score,
        provenance.model_version or "",
    )


EXPORTER = Exporter(
    name="csv-long",
    title="CSV, a row a verdict",
    group=Group.OWN,
    suits="Every verdict on a line of its own, with who said it and when.",
    losses=(
        "No's that a finished review implies are written only with the option implied_no.",
        "Of several decisions on a tag the latest is named as the source.",
        "An image's caption and metadata stand in each of its rows.",
        cells.GUARD_LOSS,
    ),
    files=files,
    needs=lambda options: Needs(provenance=True, implied_no=bool(options.get("implied_no")), files=False),
    options={"implied_no": Option("Write the no's that finished reviews imply, one row each.")},
    one_file=OneFile(_NAME, "text/csv", in_passing),
    recount=recounts.csv_rows(_NAME, column="sha256"),
)
