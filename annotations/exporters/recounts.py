"""Counts the images in what an export wrote, by reading the files back as others will."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import IO

import ijson
import orjson

from annotations.exporters.base import Written
from annotations.exporters.pieces import of_stream

Recount = Callable[[Written], int]


def csv_rows(ending: str, *, column: str | None = None) -> Recount:
    """Rows of all tables whose names end so; with `column`, the different runs of values in it."""

    def count(written: Written) -> int:
        return sum(_rows(table, column) for table in _opened(written, ending))

    return count


def lines(ending: str) -> Recount:
    """Lines of all files whose names end so; one without an end counts too."""
    return lambda written: sum(map(_lines, _opened(written, ending)))


def _lines(stream: IO[bytes]) -> int:
    count, end = 0, b"\n"
    for piece in of_stream(stream):
        count, end = count + piece.count(b"\n"), piece[-1:]
    return count + (end != b"\n")


def json_lines(ending: str) -> Recount:
    """Lines of all files whose names end so, each of which must parse."""
    return lambda written: sum(
        sum(1 for line in stream if orjson.loads(line) is not None) for stream in _opened(written, ending)
    )


def json_objects(ending: str, path: str) -> Recount:
    """Objects of the JSON lists at `path` (as ijson writes it), which also proves that all of it parses."""
    return lambda written: sum(
        sum(prefix == path and event == "start_map" for prefix, event, _ in ijson.parse(stream))
        for stream in _opened(written, ending)
    )


def _opened(written: Written, ending: str) -> Iterator[IO[bytes]]:
    for name in written.names():
        if name.endswith(ending):
            with written.open(name) as stream:
                yield stream


def _rows(stream: IO[bytes], column: str | None) -> int:
    table = csv.reader(io.TextIOWrapper(stream, encoding="utf-8", newline=""))
    header = next(table)
    if column is None:
        return sum(1 for _ in table)
    position, count, last = header.index(column), 0, None
    for row in table:
        if row[position] != last:
            last, count = row[position], count + 1
    return count


def parquet_rows(ending: str) -> Recount:
    """Rows of all Parquet files whose names end so; all of their words are read, the pictures are not."""
    return lambda written: sum(_parquet_rows(stream) for stream in _opened(written, ending))


def _parquet_rows(stream: IO[bytes]) -> int:
    from pyarrow import parquet  # only workers read: pages list the formats and need no Arrow

    table = parquet.ParquetFile(stream)
    columns = [name for name in table.schema_arrow.names if name != "image"]
    # Group by group: over a whole file Arrow reads ahead and keeps what it has read, 30 MB of 100,000 rows.
    return sum(
        batch.num_rows
        for group in range(table.num_row_groups)
        for batch in table.iter_batches(1_000, row_groups=[group], columns=columns, use_threads=False)
    )
