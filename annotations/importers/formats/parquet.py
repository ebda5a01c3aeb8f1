"""Parquet with pictures in it, as Hugging Face datasets store them: a struct of bytes and path beside the words."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from annotations.errors import BadInput
from annotations.importers.base import ItemError, StagedFile
from annotations.importers.damage import broken_off
from annotations.importers.formats import base
from annotations.importers.formats.base import Found, Sent, found
from annotations.importers.formats.within import Names, Room, Staging, TooMuch
from annotations.importers.tables import mapping, parquet
from annotations.importers.tables.base import Columns, OpenedTable, Row, Table

if TYPE_CHECKING:
    import pyarrow.parquet

_ROWS_AT_ONCE = 16
# Of the pictures in one row group: the reader holds that much.
_MAX_GROUP_BYTES = 2**30
_PICTURE, _SPLIT = "path within the table", "split of the file"


def find(sent: Sent) -> Found | None:
    used: list[StagedFile] = []
    tables: list[OpenedTable] = []
    pictures: list[StagedFile] = []
    errors: list[ItemError] = []
    room = Room()
    for file in sent.ending(".parquet"):
        column = _column(sent, file)
        if not column:
            continue
        used.append(file)
        staging = Staging(sent.area, file.name, room)
        try:
            errors += _stage(sent, file, column, staging)
            folder = staging.apart_from(pictures)
            pictures += staging.files
            tables.append(_opened(sent, file, column, folder))
        except BadInput as error:
            errors.append(ItemError(file.name, error.code, error.message))
    return found(used, tables, pictures, errors) if used else None


def _column(sent: Sent, file: StagedFile) -> str:
    """The column of pictures; empty where there is none, or the file is none that opens."""
    import pyarrow
    import pyarrow.types as types

    try:
        with sent.opened(file) as stream:
            schema = _file(stream).schema_arrow
    except (pyarrow.ArrowException, OSError, RecursionError):
        return ""
    structs = (field for field in schema if types.is_struct(field.type))
    held = (
        field.name
        for field in structs
        if {"bytes", "path"} <= {field.type.field(at).name for at in range(field.type.num_fields)}
        and types.is_binary(field.type.field("bytes").type)
    )
    return str(next(held, ""))


def _opened(sent: Sent, file: StagedFile, column: str, folder: str) -> OpenedTable:
    """The other columns as any table's, and the picture's own path instead of what else may name it."""
    inner = parquet.table(lambda: sent.opened(file), file.name)
    sample = [row for row in islice(inner.rows(), mapping.ROWS_LOOKED_AT) if isinstance(row, Row)]
    guessed = mapping.guess(inner.columns, sample)
    names = {"path", "name", "url"}
    targets = {name: "" if target in names else target for name, target in guessed.items()}
    targets |= {_PICTURE: "path"} | ({} if "split" in targets.values() else {_SPLIT: "split"})
    table = Table(file.name, tuple(targets), lambda: _rows(sent, file, column, folder, inner))
    return OpenedTable(table, Columns(targets))


def _rows(sent: Sent, file: StagedFile, column: str, folder: str, inner: Table) -> Iterator[Row | ItemError]:
    names, split = Names(file.name), base.split_of(file.name)
    paths = _values(sent, file, f"{column}.path", column)
    for row in inner.rows():
        if isinstance(row, ItemError):
            yield row
            return
        path = folder + names.name((next(paths, None) or {}).get("path") or "", row.number)
        yield Row(row.number, {**row.cells, _PICTURE: path, _SPLIT: split})


def _stage(sent: Sent, file: StagedFile, column: str, staging: Staging) -> list[ItemError]:
    import pyarrow

    names = Names(file.name)
    try:
        for number, picture in enumerate(_values(sent, file, column, column), 1):
            path = names.name((picture or {}).get("path") or "", number)
            if picture and picture.get("bytes"):
                staging.put(path, picture["bytes"], number)
    except (pyarrow.ArrowException, OSError, TooMuch) as error:
        return [broken_off(file.name, error)]
    return []


def _values(sent: Sent, file: StagedFile, read: str, column: str) -> Iterator[dict[str, Any] | None]:
    with sent.opened(file) as stream:
        reader = _file(stream)
        _refuse_large(reader, column)
        for batch in reader.iter_batches(_ROWS_AT_ONCE, columns=[read], use_threads=False):
            yield from batch.column(0).to_pylist()


def _refuse_large(reader: "pyarrow.parquet.ParquetFile", column: str) -> None:
    for group in range(reader.metadata.num_row_groups):
        parts = reader.metadata.row_group(group)
        sizes = (
            part.total_uncompressed_size
            for part in (parts.column(at) for at in range(parts.num_columns))
            if part.path_in_schema.split(".")[0] == column
        )
        if (size := sum(sizes)) > _MAX_GROUP_BYTES:
            raise TooMuch(f"a row group with {size / 2**20:,.0f} MB of pictures: write smaller ones")


def _file(stream: BinaryIO) -> "pyarrow.parquet.ParquetFile":
    import pyarrow.parquet

    return pyarrow.parquet.ParquetFile(stream, buffer_size=2**20, pre_buffer=False)
