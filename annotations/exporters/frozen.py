"""Rows kept in a file as they were at one moment: any number of passes, one row in memory.

The file is JSON Lines, a row a line by ascending sha256 of the image. Its facts are worked out as it is written.
"""

import array
import hashlib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from annotations.exporters import names
from annotations.exporters.base import TEST, TRAIN, ExportRow, Facts, Provenance, VocabularyTag

_CONTENT_FORMAT = b"tagger dataset 1\n"
_ROWS_AT_ONCE = 1_000
_PROVENANCE, _YES = (ExportRow._fields.index(name) for name in ("provenance", "yes"))


class Freezer:
    """Writes rows into a stream, and learns what holds for all of them."""

    def __init__(self, stream: BinaryIO | None) -> None:
        """Without a stream the facts are worked out, and nothing is written nor any clash of files looked for."""
        self._stream = stream
        self._content = hashlib.sha256(_CONTENT_FORMAT)
        self._used: set[str] = set()
        self._keys = array.array("Q")
        self._images = self._holdout = self._answers = 0

    def add(self, rows: Iterable[ExportRow]) -> None:
        """Append rows, which come by ascending sha256."""
        waiting = iter(rows)
        while some := list(itertools.islice(waiting, _ROWS_AT_ONCE)):
            if self._stream is not None:
                self._stream.write(b"".join(map(_line, some)))
                self._keys.extend([int.from_bytes(names.clash_key(row.file)) for row in some])
            self._content.update(b"".join(map(content, some)))
            self._holdout += sum([row.is_holdout for row in some])
            self._images += len(some)
            for row in some:
                if said := (*row.yes, *row.no, *row.disputed):
                    self._used.update(said)
                    self._answers += len(said)
                if row.implied_no:
                    self._used.update(row.implied_no)

    def facts(self, vocabulary: Sequence[VocabularyTag], version: int, *, implies_no: bool) -> Facts:
        """`vocabulary` has all tags, sorted by name; of the retired ones those that no row has are left out."""
        splits = {TEST: self._holdout, TRAIN: self._images - self._holdout}
        return Facts(
            images=self._images,
            answers=self._answers,
            splits={split: images for split, images in splits.items() if images},
            vocabulary=tuple(tag for tag in vocabulary if tag.is_active or tag.name in self._used),
            vocabulary_version=version,
            implies_no=implies_no,
            sha256=self._content.hexdigest(),
        )

    def clashes(self) -> frozenset[int]:
        """The keys that several files have."""
        import numpy as np  # only workers freeze; a million numbers as objects would take 40 MB

        ordered = np.sort(np.frombuffer(self._keys, dtype=np.uint64))
        return frozenset(ordered[1:][ordered[1:] == ordered[:-1]].tolist())


@dataclass(frozen=True)
class FrozenRows:
    """Rows of a file, as a thing that can be passed through again and again.

    `keeps` leaves out rows, and `completes` adds to them; `clashes` are the keys of files that need a piece of their
    sha256 to be told apart.
    """

    open: Callable[[], AbstractContextManager[BinaryIO]]
    clashes: Collection[int] = frozenset()
    keeps: Callable[[ExportRow], bool] | None = None
    completes: Callable[[ExportRow], ExportRow] | None = None

    def __iter__(self) -> Iterator[ExportRow]:
        with self.open() as stream:
            rows: Iterator[ExportRow] = map(thawed, stream)
            if self.clashes:
                rows = map(self._told_apart, rows)
            if self.keeps is not None:
                rows = filter(self.keeps, rows)
            yield from map(self.completes, rows) if self.completes else rows

    def lines(self) -> Iterator[bytes]:
        """Every row as it lies in the file, for whoever compares files: equal lines are equal rows."""
        with self.open() as stream:
            yield from stream

    def _told_apart(self, row: ExportRow) -> ExportRow:
        if int.from_bytes(names.clash_key(row.file)) not in self.clashes:
            return row
        return row._replace(file=names.told_apart(row.file, row.sha256))


def content(row: ExportRow) -> bytes:
    """What of a row is contents, as canonical JSON: the same on any installation and whoever said it when."""
    return orjson.dumps(
        {
            "caption": row.caption,
            "disputed": row.disputed,
            "metadata": row.metadata,
            "name": row.name,
            "no": row.no,
            "not_asked": row.not_asked,
            "path": row.path,
            "reviewed": row.is_reviewed,
            "sha256": row.sha256,
            "split": row.split,
            "yes": row.yes,
        },
        default=_plain,
        # The keys above are in their order; what is in metadata is in anybody's.
        option=_SORTED_LINE if row.metadata else orjson.OPT_APPEND_NEWLINE,
    )


_SORTED_LINE = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def _line(row: ExportRow) -> bytes:
    return orjson.dumps(tuple(row), default=_plain, option=orjson.OPT_APPEND_NEWLINE)


def _plain(value: Any) -> Any:
    """What orjson does not write by itself: named tuples, and a mapping that nobody may change."""
    return tuple(value) if isinstance(value, tuple) else dict(value)


def thawed(line: bytes) -> ExportRow:
    """The row that a line holds."""
    values = orjson.loads(line)
    if origins := values[_PROVENANCE]:
        values[_PROVENANCE] = {tag: Provenance._make(origin) for tag, origin in origins.items()}
    return ExportRow._make(values)


def yes_of(line: bytes) -> list[str]:
    """The row's tags with a yes, without making a row."""
    found: list[str] = orjson.loads(line)[_YES]
    return found
