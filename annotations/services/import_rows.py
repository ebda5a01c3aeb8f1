"""What a source offers, stored piece by piece as the items of its import.

The rows of a table are read by the import's worker. Every piece is stored together with how far it went, so that a
killed worker's successor goes on there and no row is stored twice.
"""

import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice

from django.db import transaction

from annotations.errors import BadInput
from annotations.importers import matching, sources, tag_folders, words
from annotations.importers.base import Batch, ItemError, Offered, StagedFile
from annotations.importers.tables import pictures
from annotations.models import ImportJob
from annotations.services import import_batches, import_items, import_tags, jobs, known_images, storage
from annotations.services.read_ahead import read_ahead

PIECE_SIZE = 2_000


@dataclass(frozen=True)
class Prepared:
    """What of a piece can land. `refused` items are among the errors; others of these cost a part only."""

    files: Sequence[StagedFile]
    errors: Sequence[ItemError]
    refused: int


def pieces(offered: Iterable[Offered]) -> Iterator[list[Offered]]:
    """As many at once as one COPY takes: a table's million rows never stand in memory together."""
    coming = iter(offered)
    while piece := list(islice(coming, PIECE_SIZE)):
        yield piece


def prepared(job: ImportJob, offered: Sequence[Offered]) -> Prepared:
    """Find the images that rows name, and make their words fit for the database."""
    files, refused = known_images.placed(job.project, offered)
    is_complete = bool(job.options.get("complete"))
    errors = list(refused)
    clean: list[StagedFile] = []
    for file in files:
        joined = tag_folders.joined(file.words, file.of_folder)
        said, cut = words.storable(joined, item=file.name)
        errors += cut
        if is_complete:
            said = said._replace(complete=True)
        clean.append(file if said is file.words else file._replace(words=said))
    return Prepared(clean, errors, count_refused(refused))


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
    """Read the rows that are not read yet. Raises BadInput, CancelRequestedError or jobs.ClaimLost.

    Rows of words for images that are here land as they are read, up to the first that has to wait: for its picture,
    or, complete, for the tags of all others. After that all wait, since of two rows of an image the later one counts.
    """
    if not job.options.get("unread") or job.options.get("is_read"):
        return
    stop = threading.Event()
    coming = _coming(job.options["unread"], job.options.get("read_to", 0), stop)
    with closing(read_ahead(coming, result=partial(_awaited, job, stop))) as ahead:
        for piece in ahead:
            _store_next(job, piece)
    if not job.total:
        raise BadInput("Expected rows that name pictures, got none.", code="nothing_sent")
    job.options["is_read"] = True
    jobs.beat(job, options=job.options)


def _awaited(job: ImportJob, stop: threading.Event, piece: Future[list[Offered]]) -> list[Offered]:
    """Some documents are read to their end before their first row is known: a wish to stop ends that too."""
    try:
        return jobs.awaited(job, piece)
    except (jobs.CancelRequestedError, jobs.ClaimLost):
        stop.set()
        raise


def _coming(unread: str, after: int, stop: threading.Event) -> Generator[list[Offered], None, None]:
    """The pieces after those that are stored: what is sent is read in the same order each time."""
    with storage.stoppable(stop):
        batch: Batch = sources.again(unread)
        files, _ = matching.match(batch.files, batch.words)
        yield from pieces(islice(pictures.offered(batch.tables, files), after, None))


@transaction.atomic
def _store_next(job: ImportJob, piece: Sequence[Offered]) -> None:
    row = jobs.held(job)
    if row.cancel_requested:
        raise jobs.CancelRequestedError
    said = prepared(job, piece)
    row.errors = told(row.errors, said.errors)
    if job.options.get("waits") or not all(map(_lands_at_once, said.files)):
        job.options["waits"] = True
        import_items.store(job, said.files)
    elif said.files:
        _land(job, row, said.files)
    job.options["read_to"] = job.options.get("read_to", 0) + len(piece)
    job.total = (row.total or 0) + len(said.files) + said.refused
    job.done = row.done + said.refused
    job.result = {**row.result, "refused": row.result["refused"] + said.refused}
    job.errors = row.errors
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


def _lands_at_once(file: StagedFile) -> bool:
    return file.key.startswith(storage.STORED_IMAGE) and not file.words.complete


def _land(job: ImportJob, row: ImportJob, files: Sequence[StagedFile]) -> None:
    said = [file.words for file in files]
    import_tags.create(
        job,
        [
            *(word for one in said for word in (*one.tags, *one.no, *one.disputed)),
            *(word for one in said for word in one.not_asked),
        ],
    )
    items, errors = import_batches.land(job, files)
    import_batches.count(row, items, errors)
