"""CSV with a row a pair of image and tag: every verdict that stands and where it comes from."""

from collections.abc import Iterable, Iterator

from annotations.exporters import cells
from annotations.exporters.base import Context, Exporter, ExportRow, Needs, Provenance

COLUMNS = (
    *("image_id", "name", "path", "sha256", "state", "split", "tag", "verdict"),
    *("source", "person", "time", "score", "model_version"),
)
_NOBODY = ("", "", "", "", "")


def write(rows: Iterable[ExportRow], context: Context) -> Iterator[bytes]:
    """An image without any verdict keeps one row, with `tag` and `verdict` empty."""
    del context
    return cells.write(COLUMNS, (line for row in rows for line in _lines(row)))


def _lines(row: ExportRow) -> Iterator[tuple[object, ...]]:
    image = (
        row.id,
        cells.guard(row.name),
        cells.guard(row.path),
        row.sha256,
        row.state,
        "holdout" if row.is_holdout else "train",
    )
    verdicts = [
        *((tag, "yes") for tag in row.yes),
        *((tag, "no") for tag in row.no),
        *((tag, "implied no") for tag in row.implied_no),
        *((tag, "disputed") for tag in row.disputed),
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
    extension="csv",
    content_type="text/csv",
    losses=(
        "Captions are not written.",
        "No's that a finished review implies are written only with the option implied_no.",
        "Of several decisions on a tag the latest is named as the source.",
        cells.GUARD_LOSS,
    ),
    needs=lambda options: Needs(provenance=True, implied_no=bool(options.get("implied_no"))),
    write=write,
    options={"implied_no": "Write the no's that finished reviews imply, one row each."},
)
