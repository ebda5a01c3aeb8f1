"""CSV with a row an image: the tags that apply, in one cell."""

from collections.abc import Iterable, Iterator

from annotations.exporters import cells
from annotations.exporters.base import Context, Exporter, ExportRow, Needs

COLUMNS = ("id", "name", "path", "sha256", "width_px", "height_px", "caption", "tags", "state", "split")
SEPARATOR = "|"
_ESCAPED = "\\"


def write(rows: Iterable[ExportRow], context: Context) -> Iterator[bytes]:
    """An empty `tags` cell means “none applies” where `state` is reviewed, else that nobody has said yet."""
    del context
    return cells.write(COLUMNS, (_cells(row) for row in rows))


def joined(names: Iterable[str]) -> str:
    """Names in one cell; a separator or backslash within a name is written with a backslash before it."""
    return SEPARATOR.join(
        name.replace(_ESCAPED, _ESCAPED * 2).replace(SEPARATOR, _ESCAPED + SEPARATOR) for name in names
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
    extension="csv",
    content_type="text/csv",
    losses=(
        "Only the tags that apply are written: who decided, when, and explicit no's are not.",
        "Tags are separated by |; a | within a name is written as \\|.",
        "A disputed tag is left out; the state column says that the image has one.",
        cells.GUARD_LOSS,
    ),
    needs=lambda options: Needs(),
    write=write,
    options={},
)
