"""CSV with a row an image: the tags that apply, in one cell."""

from collections.abc import Iterable, Iterator

from annotations.exporters import cells, recounts
from annotations.exporters.base import Dataset, Exporter, ExportRow, Files, Group, Needs, OneFile

COLUMNS = ("id", "name", "path", "sha256", "width_px", "height_px", "caption", "tags", "state", "split")
SEPARATOR = "|"
_ESCAPED = "\\"
_NAME = "images.csv"


def files(dataset: Dataset) -> Files:
    """An empty `tags` cell means “none applies” where `state` is reviewed, else that nobody has said yet."""
    if dataset.with_pictures:
        rows = ((*_cells(row), f"images/{row.file}") for row in dataset.rows)
        yield _NAME, cells.write((*COLUMNS, "file"), rows)
    else:
        yield _NAME, in_passing(dataset.rows, dataset.facts.vocabulary_version)


def in_passing(rows: Iterable[ExportRow], vocabulary_version: int) -> Iterator[bytes]:
    del vocabulary_version
    return cells.write(COLUMNS, map(_cells, rows))


def joined(names: Iterable[str]) -> str:
    """Names in one cell; a separator or backslash within a name is written with a backslash before it."""
    return SEPARATOR.join(
        [name.replace(_ESCAPED, _ESCAPED * 2).replace(SEPARATOR, _ESCAPED + SEPARATOR) for name in names]
    )


def _cells(row: ExportRow) -> tuple[object, ...]:
    return (
        row.id,
        cells.guard(row.name),
        cells.guard(row.path),
        row.sha256,
        row.width_px,
        row.height_px,
        cells.guard(row.caption),
        cells.guard(joined(row.yes)),
        row.state,
        "holdout" if row.is_holdout else "train",
    )


EXPORTER = Exporter(
    name="csv",
    title="CSV, a row an image",
    group=Group.OWN,
    suits="A table for spreadsheets and scripts: one line an image.",
    losses=(
        "Only the tags that apply are written: who decided, when, and explicit no's are not.",
        "Tags are separated by |; a | within a name is written as \\|.",
        "A disputed tag is left out; the state column says that the image has one.",
        cells.GUARD_LOSS,
    ),
    files=files,
    needs=lambda options: Needs(files=False),
    one_file=OneFile(_NAME, "text/csv", in_passing),
    recount=recounts.csv_rows(_NAME),
)
