"""Parquet by pyarrow, a few hundred rows at a time. Columns of bytes are left where they are."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from annotations.errors import BadInput
from annotations.importers.base import ItemError
from annotations.importers.tables.base import Row, Table, checked_columns, place

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

MAGIC = b"PAR1"
_ROWS_AT_ONCE = 256
_BUFFER_BYTES = 2**20
# Of one column in one row group, unpacked: the reader holds that much.
_MAX_CHUNK_BYTES = 512 * 2**20


def table(opened: Callable[[], BinaryIO], name: str) -> Table:
    """Read the schema. Raises BadInput for a file that is none, or whose parts are too large to be held."""
    import pyarrow

    try:
        with opened() as stream:
            file = _file(stream)
            schema, metadata = file.schema_arrow, file.metadata
            kept = [field.name for field in schema if not _holds_bytes(field.type)]
            columns = checked_columns(kept, name)
            _refuse_large(metadata, columns, name)
    except (pyarrow.ArrowException, OSError, RecursionError) as error:
        raise BadInput(
            f"{name}: expected a Parquet file, got one that does not open ({_first_line(error)}). Write it again.",
            code="bad_parquet",
            file=name,
        ) from error
    return Table(name, columns, lambda: _rows(opened, name, columns))


def _rows(opened: Callable[[], BinaryIO], name: str, columns: tuple[str, ...]) -> Iterator[Row | ItemError]:
    import pyarrow

    number = 0
    with opened() as stream:
        try:
            for batch in _file(stream).iter_batches(_ROWS_AT_ONCE, columns=list(columns), use_threads=False):
                for cells in batch.to_pylist():
                    number += 1
                    yield Row(number, cells)
        except (pyarrow.ArrowException, OSError) as error:
            yield ItemError(
                place(name, number + 1),
                "damaged_table",
                f"It cannot be read from here on ({_first_line(error)}). Write the file again.",
            )


def _file(stream: BinaryIO) -> "pyarrow.parquet.ParquetFile":
    import pyarrow.parquet

    return pyarrow.parquet.ParquetFile(stream, buffer_size=_BUFFER_BYTES, pre_buffer=False)


def _holds_bytes(kind: "pyarrow.DataType") -> bool:
    import pyarrow.types as types

    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return True
    return any(_holds_bytes(kind.field(at).type) for at in range(kind.num_fields))


def _refuse_large(metadata: "pyarrow.parquet.FileMetaData", columns: tuple[str, ...], name: str) -> None:
    wanted = set(columns)
    for group in range(metadata.num_row_groups):
        parts = metadata.row_group(group)
        for at in range(parts.num_columns):
            part = parts.column(at)
            if (
                part.path_in_schema.split(".")[0] in wanted
                and part.total_uncompressed_size > _MAX_CHUNK_BYTES
            ):
                raise BadInput(
                    f"{name}: column “{part.path_in_schema}” has {part.total_uncompressed_size / 2**20:,.0f} MB in one "
                    f"row group, more than {_MAX_CHUNK_BYTES // 2**20}. Write it with smaller row groups.",
                    code="row_group_too_large",
                    file=name,
                )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
