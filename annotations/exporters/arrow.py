"""Parquet files as a stream of bytes: what is written is handed on, row group by row group.

Arrow is imported by what writes: pages and the other workers list the formats and do without its 60 MB.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from annotations.exporters import arrow_arrays
from annotations.exporters.arrow_arrays import Kind
from annotations.exporters.pieces import json_bytes

if TYPE_CHECKING:
    import pyarrow

GROUP_ROWS = 5_000
GROUP_BYTES = 32 * 2**20

_TEXT = {"dtype": "string", "_type": "Value"}
_FEATURES: Mapping[Kind, Mapping[str, Any]] = {
    "text": _TEXT,
    "names": {"_type": "List", "feature": _TEXT},
    "number": {"dtype": "int32", "_type": "Value"},
    "picture": {"_type": "Image"},
}


def written(
    columns: Mapping[str, Kind], rows: Iterable[tuple[int, Sequence[Any]]], *, for_datasets: bool = False
) -> Iterator[bytes]:
    """A Parquet file of `rows`, each with the bytes that it holds beside a few words, and its values in order.

    Uncompressed, so that the same rows give the same bytes whichever codecs a build has. `for_datasets` adds the key by
    which Hugging Face's `datasets` knows which struct is a picture.
    """
    import pyarrow
    from pyarrow import parquet

    schema, drain = _schema(columns, for_datasets), _Drain()
    with parquet.ParquetWriter(drain, schema, compression="none") as writer:
        for group in _groups(rows):
            values = [
                arrow_arrays.of(kind, one)
                for kind, one in zip(columns.values(), zip(*group, strict=True), strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(values, schema=schema))
            yield drain.taken()
    yield drain.taken()


def _schema(columns: Mapping[str, Kind], for_datasets: bool) -> "pyarrow.Schema":
    import pyarrow

    features = {name: _FEATURES[kind] for name, kind in columns.items()}
    key = {b"huggingface": json_bytes({"info": {"features": features}})} if for_datasets else None
    return pyarrow.schema([(name, arrow_arrays.type_of(kind)) for name, kind in columns.items()], key)


def _groups(rows: Iterable[tuple[int, Sequence[Any]]]) -> Iterator[list[Sequence[Any]]]:
    group: list[Sequence[Any]] = []
    size = 0
    for bytes_held, values in rows:
        group.append(values)
        size += bytes_held
        if len(group) >= GROUP_ROWS or size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


class _Drain(io.RawIOBase):
    """A file that forgets what was taken from it."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._waiting.append(piece)
        self._position += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data
