"""What a source offers, stored piece by piece as the items of its import.

The rows of a table are read by the import's worker. Every piece is stored together with how far it went, so that a
killed worker's successor goes on there and no row is stored twice.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

from django.db import transaction

from annotations.errors import BadInput
from annotations.importers import matching, sources, tag_folders, words
from annotations.importers.base import Batch, ItemError, Offered, StagedFile
from annotations.importers.tables import pictures
from annotations.models import ImportJob
from annotations.services import import_items, jobs, known_images

PIECE_SIZE = 2_000


@dataclass(frozen=True)
class Stored:
    """What a piece came to. `refused` items are among the errors; others of these cost a part only."""

    waiting: int
    refused: int
    errors: tuple[ItemError, ...]


def pieces(offered: Iterable[Offered]) -> Iterator[list[Offered]]:
    """As many at once as one COPY takes: a table's million rows never stand in memory together."""
    coming = iter(offered)
    while piece := list(islice(coming, PIECE_SIZE)):
        yield piece


def store(job: ImportJob, offered: Sequence[Offered]) -> Stored:
    """Store what can land."""
    files, refused = known_images.placed(job.project, offered)
    is_complete = bool(job.options.get("complete"))
    errors = list(refused)
    clean: list[StagedFile] = []
    for file in files:
        joined = tag_folders.joined(file.words, file.of_folder)
        said, cut = words.storable(joined, item=file.name)
        errors += cut
        clean.append(replace(file, words=replace(said, complete=True) if is_complete else said))
    waiting = import_items.store(job, clean)
    return Stored(waiting, count_refused(refused), tuple(errors))


def count_refused(errors: Iterable[ItemError]) -> int:
    """How many of the errors each cost an item."""
    return sum(not error.is_part and not error.code.startswith("caption") for error in errors)


def told(had: Sequence[dict[str, str]], errors: Iterable[ItemError]) -> list[dict[str, str]]:
    """The first errors of an import, as PostgreSQL can hold them."""
    listed = list(had)
    for error in errors:
        if len(listed) >= jobs.MAX_ERRORS_KEPT:
            break
        listed.append(words.safe_value(error.as_json()))
    return listed


def complete(job: ImportJob) -> None:
    """Read the rows that are not read yet. Raises BadInput, CancelRequestedError or jobs.ClaimLost."""
    if not job.options.get("unread") or job.options.get("is_read"):
        return
    coming = _coming(job.options["unread"], job.options.get("read_to", 0))
    with ThreadPoolExecutor(1) as pool:
        try:
            while piece := jobs.awaited(job, pool.submit(next, coming, None)):
                _store_next(job, piece)
        finally:
            pool.submit(coming.close)  # by the thread that has opened what is read
    if not job.total:
        raise BadInput("Expected rows that name pictures, got none.", code="nothing_sent")
    job.options["is_read"] = True
    jobs.beat(job, options=job.options)


def _coming(unread: str, after: int) -> Generator[list[Offered], None, None]:
    """The pieces after those that are stored: what is sent is read in the same order each time."""
    batch: Batch = sources.again(unread)
    files, _ = matching.match(batch.files, batch.words)
    yield from pieces(islice(pictures.offered(batch.tables, files), after, None))


@transaction.atomic
def _store_next(job: ImportJob, piece: Sequence[Offered]) -> None:
    row = jobs.held(job)
    if row.cancel_requested:
        raise jobs.CancelRequestedError
    stored = store(job, piece)
    job.options["read_to"] = job.options.get("read_to", 0) + len(piece)
    job.total = (row.total or 0) + stored.waiting + stored.refused
    job.done = row.done + stored.refused
    job.result = {**row.result, "refused": row.result["refused"] + stored.refused}
    job.errors = told(row.errors, stored.errors)
    job.attempts = 1
    jobs.beat(
        job,
        options=job.options,
        total=job.total,
        done=job.done,
        result=job.result,
        errors=job.errors,
        attempts=job.attempts,
    )
