"""Freezes a project's rows into a file, for one export or to be kept as a snapshot, and opens them again."""

import gzip
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from typing import Any, BinaryIO, cast

import orjson

from annotations.exporters.base import ExportRow, Facts, Needs, VocabularyTag
from annotations.exporters.frozen import Freezer, FrozenRows
from annotations.models import Project
from annotations.selectors.export_rows import Filter
from annotations.services import moments, storage
from annotations.services.moments import Moment

EVERYTHING = Needs(provenance=True, reviews=True, implied_no=False)
"""What a snapshot keeps. Implied no's follow from what was not asked."""
ALL = Filter()
_GZIP_LEVEL = 1
_READ_BYTES = 256 * 1024


@contextmanager
def frozen(
    project: Project,
    wanted: Filter,
    needs: Needs,
    *,
    without_lost_pictures: bool = False,
    on_step: Callable[[], None] = lambda: None,
) -> Iterator[tuple[FrozenRows, Facts]]:
    """The rows as of now, in a temporary file that lives as long as the block.

    `without_lost_pictures` forgets the pictures whose files are gone, so that no format counts on them. `on_step` is
    called after each piece.
    """
    with tempfile.TemporaryFile(prefix="tagger-rows-") as stream:
        with moments.of(project, wanted, needs) as moment:
            freezer, facts = _freeze(
                moment, stream, without_lost_pictures=without_lost_pictures, on_step=on_step
            )
        stream.flush()
        yield FrozenRows(partial(_from_start, stream.fileno()), freezer.clashes()), facts


def passed(
    project: Project,
    wanted: Filter,
    needs: Needs,
    write: Callable[[Iterator[ExportRow], int], object],
    *,
    on_rows: Callable[[int], None],
) -> Facts:
    """The facts of the rows as of now, each of which passes through `write` once, with the vocabulary's version.

    It has to take all of them. `on_rows` is called with how many have been taken.
    """
    freezer = Freezer(None)
    with moments.of(project, wanted, needs) as moment:
        write(_added(freezer, moment.chunks, on_rows), moment.vocabulary_version)
    return moment.facts(freezer)


def keep(project: Project, key: str, *, on_step: Callable[[], None] = lambda: None) -> Facts:
    """Write all rows, with everything that is known of them, under a key of the storage."""
    with tempfile.TemporaryFile(prefix="tagger-rows-") as stream:
        with moments.of(project, ALL, EVERYTHING) as moment:
            freezer, facts = _freeze(moment, stream, without_lost_pictures=False, on_step=on_step)
        stream.seek(0)
        with (
            storage.writer(key) as target,
            gzip.GzipFile(
                fileobj=target, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0, filename=""
            ) as packed,
        ):
            packed.write(orjson.dumps({"facts": asdict(facts), "clashes": sorted(freezer.clashes())}) + b"\n")
            shutil.copyfileobj(stream, packed)
    return facts


def opened(key: str, wanted: Filter = ALL, *, implied_no: bool = False) -> tuple[FrozenRows, Facts]:
    """The rows of a kept file, and its facts. With a filter the facts are those of the rows that it keeps."""

    @contextmanager
    def rows() -> Iterator[BinaryIO]:
        with storage.open_for_reading(key) as stored, gzip.open(stored, "rb") as unpacked:
            unpacked.readline()
            yield cast(BinaryIO, unpacked)

    with storage.open_for_reading(key) as stored, gzip.open(stored, "rb") as unpacked:
        header = orjson.loads(unpacked.readline())
    facts = _facts(header["facts"])
    found = FrozenRows(rows, frozenset(header["clashes"]), wanted.keeps)
    if implied_no:
        found = replace(found, completes=_implied(facts))
    return found, facts if wanted == ALL else _recounted(found, facts)


class _FromStart(io.RawIOBase):
    """An open file from its beginning, wherever others stand in it.

    It has no name, so that a killed process leaves nothing behind; without one it cannot be opened twice.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._at = descriptor, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        read = os.pread(self._descriptor, len(buffer), self._at)
        buffer[: len(read)] = read
        self._at += len(read)
        return len(read)


def _from_start(descriptor: int) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_FromStart(descriptor), _READ_BYTES))


def _freeze(
    moment: Moment, stream: BinaryIO, *, without_lost_pictures: bool, on_step: Callable[[], None]
) -> tuple[Freezer, Facts]:
    freezer = Freezer(stream)
    for chunk in moment.chunks:
        freezer.add(map(_without_lost_picture, chunk) if without_lost_pictures else chunk)
        on_step()
    return freezer, moment.facts(freezer)


def _added(
    freezer: Freezer, chunks: Iterable[Iterable[ExportRow]], on_rows: Callable[[int], None]
) -> Iterator[ExportRow]:
    for chunk in chunks:
        rows = list(chunk)
        freezer.add(rows)
        yield from rows
        on_rows(len(rows))


def _without_lost_picture(row: ExportRow) -> ExportRow:
    """Asked of a disk only: a request an image to a store elsewhere would take hours."""
    path = storage.local_path(row.picture_key)
    return row if path is None or path.is_file() else row._replace(picture_key="")


def _facts(stored: dict[str, object]) -> Facts:
    vocabulary = cast(list[dict[str, object]], stored.pop("vocabulary"))
    return Facts(vocabulary=tuple(VocabularyTag(**tag) for tag in vocabulary), **stored)  # type: ignore[arg-type]


def _recounted(rows: Iterable[ExportRow], facts: Facts) -> Facts:
    """The facts of a part: its rows are read once without being written."""
    freezer = Freezer(None)
    freezer.add(rows)
    return freezer.facts(facts.vocabulary, facts.vocabulary_version, implies_no=facts.implies_no)


def _implied(facts: Facts) -> Callable[[ExportRow], ExportRow]:
    """Gives a reviewed row the no's that its reviews imply: of all active tags but those answered or not asked."""
    active = [tag.name for tag in facts.vocabulary if tag.is_active]

    def complete(row: ExportRow) -> ExportRow:
        if not (row.is_reviewed and facts.implies_no):
            return row
        known = {*row.yes, *row.no, *row.disputed, *row.not_asked}
        return row._replace(implied_no=tuple(name for name in active if name not in known))

    return complete
