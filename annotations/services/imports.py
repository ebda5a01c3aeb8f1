"""Imports from request to report: start one, work it off batch by batch, cancel it.

What happens to one batch stands in `import_batches`; how sources are read, in `annotations.importers`.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict
from itertools import chain
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotations.errors import BadInput
from annotations.importers import matching
from annotations.importers.base import Batch, Options
from annotations.importers.elsewhere import Elsewhere
from annotations.importers.tables import pictures
from annotations.models import ImportJob, JobState, Project, User
from annotations.models.job import FINISHED_STATES
from annotations.services import (
    audit,
    garbage,
    import_batches,
    import_items,
    import_keywords,
    import_rows,
    import_tags,
    jobs,
    listings,
    storage,
)
from annotations.services.import_batches import Looked

BATCH_SIZE = 64
# Most of them wait for servers; how many pictures are decoded at once stands in `import_batches`.
THREADS = 16
# Most rows of a table bring words alone: what a batch costs is shared by more of them.
TABLE, ROWS_AT_ONCE = "table", 1_000


@transaction.atomic
def start(
    project: Project,
    *,
    actor: User | None,
    source: str,
    batch: Batch,
    options: Options | None = None,
    area: str = "",
) -> ImportJob:
    """Store the job with its items. `area` is the staging area that the finished job removes."""
    options = options or Options()
    files, unmatched = matching.match(batch.files, batch.words, report_unmatched=options.report_unmatched)
    job = ImportJob.objects.create(
        project=project,
        actor=actor,
        source=source,
        # What is fetched from elsewhere waits in an area too.
        options={
            **asdict(options),
            "area": area or storage.new_staging_area(),
            "listing": batch.listing,
            **({"unread": batch.unread} if batch.unread else {}),
        },
    )
    offered = () if batch.unread else chain(pictures.offered(batch.tables, files), batch.rows)
    job.errors = import_rows.told([], chain(batch.errors, unmatched))
    refused, waiting = import_rows.count_refused(batch.errors), 0
    for piece in import_rows.pieces(offered):
        said = import_rows.prepared(job, piece)
        job.errors = import_rows.told(job.errors, said.errors)
        refused, waiting = refused + said.refused, waiting + import_items.store(job, said.files)
    if not waiting and not job.errors and not batch.listing and not batch.unread:
        raise BadInput(
            "Expected at least one picture, got none. Send files, an archive, addresses or a folder.",
            code="nothing_sent",
        )
    job.total, job.done = waiting + refused, refused
    job.result = {"added": 0, "updated": 0, "duplicates": 0, "refused": refused}
    job.save(update_fields=["errors", "total", "done", "result"])
    _tell(job, batch)
    return job


def run(job: ImportJob, *, on_progress: Callable[[int], None] = lambda done: None) -> None:
    """Work a claimed job off. Raises jobs.ClaimLost if another worker took it over, BadInput for a bad bucket."""
    try:
        listings.complete(job)
        with garbage.only_of_new_objects():
            import_rows.complete(job)
        import_keywords.gather(job)
        import_tags.create_waiting(job)
        if job.attempts >= jobs.MAX_ATTEMPTS:
            import_batches.skip_deadly(job)
        _land(job, on_progress)
    except jobs.CancelRequestedError:
        _close(job, JobState.CANCELLED)
    else:
        _close(job, JobState.DONE)


def cancel(job: ImportJob, *, actor: User) -> ImportJob:
    """Stop an import; what has landed stays."""
    job = jobs.request_cancel(job, actor_id=actor.pk, action="imports.cancel", images=job.total)
    if job.state == JobState.CANCELLED:
        _remove_area(job)
    return job


def is_needed(area: str) -> bool:
    """Whether an unfinished import still reads from this staging area."""
    unfinished = ImportJob.objects.exclude(state__in=FINISHED_STATES)
    return unfinished.filter(options__area=area).exists()


def _tell(job: ImportJob, batch: Batch) -> None:
    """How many images there are is not always known yet."""
    said: dict[str, Any] = {"actor_id": job.actor_id, "job": job.pk}
    if batch.listing:
        audit.record(job.project_id, "imports.list", place=f"s3://{batch.listing}", **said)
    elif batch.unread:
        names = ", ".join(one.table.name for one in batch.tables)
        audit.record(job.project_id, "imports.read", table=names[:200], **said)
    else:
        audit.record(job.project_id, "imports.start", images=job.total, **said)


def _land(job: ImportJob, on_progress: Callable[[int], None]) -> None:
    """Store what waits, batch by batch. Raises CancelRequestedError or jobs.ClaimLost once its threads are still."""
    known: list[Looked] = []  # words alone: nothing of them is waited for
    upcoming: list[Future[Looked]] = []
    after = seen = 0
    with ThreadPoolExecutor(THREADS) as pool, Elsewhere(job.options.get("area", "")) as source:

        def look_ahead() -> None:
            nonlocal after
            for item in import_items.waiting(job, _batch_size(job, seen) - len(upcoming), after=after):
                after = item.pk
                if (words := import_batches.known(item)) is not None:
                    known.append(words)
                else:
                    upcoming.append(pool.submit(import_batches.look, item, job.project_id, keep_gps, source))

        keep_gps = job.project.keep_gps
        try:
            look_ahead()
            while known or upcoming:
                ready = _ready(job, upcoming, is_to_wait=not known)
                looked = [*known, *(future.result() for future in ready)]
                known.clear()
                upcoming = [future for future in upcoming if future not in ready]
                seen += len(looked)
                # The next pictures are brought and decoded while this batch is written.
                look_ahead()
                on_progress(import_batches.store(job, looked))
        finally:
            for future in upcoming:
                future.cancel()


def _batch_size(job: ImportJob, seen: int) -> int:
    """A worker that died on this job may have died of one of the pictures in its hands: small steps find it."""
    if job.attempts > 1 and seen < 2 * BATCH_SIZE:
        return 1
    return ROWS_AT_ONCE if job.source == TABLE else BATCH_SIZE


def _ready(
    job: ImportJob, futures: Sequence[Future[Looked]], *, is_to_wait: bool
) -> dict[Future[Looked], None]:
    """Wait for the threads, saying now and then that the job lives. In the order of the futures.

    All of them, or after a while those that have ended: what a slow server holds back is stored later.
    """
    while True:
        done = wait(futures, timeout=jobs.BEAT_EVERY_S if is_to_wait else 0).done if futures else set()
        if done or not is_to_wait:
            return {future: None for future in futures if future in done}
        jobs.beat(job)
        if jobs.is_to_stop(job):
            raise jobs.CancelRequestedError


def _close(job: ImportJob, state: JobState) -> None:
    jobs.finish(job, state)
    _remove_area(job)
    job.state, job.finished_at = state, timezone.now()


def _remove_area(job: ImportJob) -> None:
    if area := job.options.get("area"):
        storage.delete_area(area)
