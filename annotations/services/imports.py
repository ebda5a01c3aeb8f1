"""Imports from request to report: start one, work it off batch by batch, cancel it.

What happens to one batch stands in `import_batches`; how sources are read, in `annotations.importers`.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from annotations.errors import BadInput
from annotations.importers import matching, words
from annotations.importers.base import Batch, ItemError, Options, StagedFile
from annotations.models import ImportItem, ImportJob, JobState, Project, User
from annotations.models.job import FINISHED_STATES
from annotations.models.tag import name_key
from annotations.selectors import vocabulary
from annotations.services import audit, import_batches, jobs, storage, tags
from annotations.services.import_batches import Looked
from annotations.types import TagSpec

BATCH_SIZE = 64
THREADS = 4
BEAT_EVERY_S = 3.0


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
    if not files and not batch.errors and not unmatched:
        raise BadInput(
            "Expected at least one picture, got none. Send files, an archive or a folder.",
            code="nothing_sent",
        )
    job = ImportJob.objects.create(
        project=project, actor=actor, source=source, options={**asdict(options), "area": area}
    )
    items, told = _items(job, files, options)
    refused = sum(not error.code.startswith("caption") for error in batch.errors)
    errors = [*batch.errors, *unmatched, *told]
    ImportItem.objects.bulk_create(items, batch_size=2_000)
    job.errors = [error.as_json() for error in errors[: jobs.MAX_ERRORS_KEPT]]
    job.total, job.done = len(items) + refused, refused
    job.result = {"added": 0, "updated": 0, "duplicates": 0, "refused": refused}
    job.save(update_fields=["errors", "total", "done", "result"])
    audit.record(project.pk, "imports.start", actor_id=job.actor_id, job=job.pk, images=job.total)
    return job


def run(job: ImportJob, *, on_progress: Callable[[int], None] = lambda done: None) -> None:
    """Work a claimed job off. Raises jobs.ClaimLost if another worker took it over."""
    _create_missing_tags(job)
    # A worker that died on this job may have died of one picture: small steps find it, the last one skips it.
    batch_size = BATCH_SIZE if job.attempts == 1 else 1
    if job.attempts >= jobs.MAX_ATTEMPTS:
        import_batches.skip_deadly(job)
    with ThreadPoolExecutor(THREADS) as pool:
        upcoming = _look_at(job, _waiting(job, batch_size), pool)
        while upcoming:
            looked = _finished(job, upcoming)
            after = looked[-1].item.pk
            # The next pictures are decoded while this batch is written.
            upcoming = _look_at(job, _waiting(job, batch_size, after=after), pool)
            try:
                done = import_batches.store(job, looked)
            except import_batches.CancelRequestedError:
                _drop(upcoming)
                _close(job, JobState.CANCELLED)
                return
            except jobs.ClaimLost:
                _drop(upcoming)
                raise
            on_progress(done)
    _close(job, JobState.DONE)


def cancel(job: ImportJob) -> ImportJob:
    """Stop an import; what has landed stays."""
    job = jobs.request_cancel(job)
    if job.state == JobState.CANCELLED:
        _remove_area(job)
    return job


def is_needed(area: str) -> bool:
    """Whether an unfinished import still reads from this staging area."""
    unfinished = ImportJob.objects.exclude(state__in=FINISHED_STATES)
    return unfinished.filter(options__area=area).exists()


def _items(
    job: ImportJob, files: Sequence[StagedFile], options: Options
) -> tuple[list[ImportItem], list[ItemError]]:
    items, errors = [], []
    for file in files:
        said, told = words.storable(file.words, item=file.name)
        errors += told
        items.append(
            ImportItem(
                job=job,
                name=file.name,
                staged_key=file.key,
                caption=said.caption,
                tags=list(said.tags),
                metadata=said.metadata,
                complete=said.complete or options.complete,
            )
        )
    return items, errors


def _create_missing_tags(job: ImportJob) -> None:
    """Create the import's new tags before its first image, so that a complete item answers all of them."""
    if not job.options.get("create_tags"):
        return
    with transaction.atomic():
        jobs.held(job)
        Project.objects.select_for_update().get(pk=job.project_id)
        _, unknown = vocabulary.resolve(job.project, _named_tags(job))
        retired = set(_retired_keys(job.project))
        by_key = {name_key(word): word for word in unknown if isinstance(word, str)}
        missing = [TagSpec(name=word) for key, word in by_key.items() if key not in retired]
        if missing:
            tags.create_many(job.project, missing, actor=job.actor)


def _named_tags(job: ImportJob) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT word FROM annotations_importitem item, jsonb_array_elements_text(item.tags) AS word
            WHERE item.job_id = %s AND item.state = 'waiting' GROUP BY word ORDER BY min(item.id), word
            """,
            [job.pk],
        )
        return [word for (word,) in cursor.fetchall()]


def _retired_keys(project: Project) -> list[str]:
    return list(vocabulary.all_tags(project).exclude(retired_at=None).values_list("key", flat=True))


def _waiting(job: ImportJob, size: int, *, after: int = 0) -> list[ImportItem]:
    waiting = job.items.filter(state=ImportItem.State.WAITING, pk__gt=after)
    return list(waiting.order_by("pk")[:size])


def _look_at(job: ImportJob, items: Sequence[ImportItem], pool: ThreadPoolExecutor) -> list[Future[Looked]]:
    keep_gps = job.project.keep_gps
    return [pool.submit(import_batches.look, item, job.project_id, keep_gps) for item in items]


def _finished(job: ImportJob, futures: Sequence[Future[Looked]]) -> list[Looked]:
    """Wait for the decoders, saying now and then that the job lives."""
    left: Any = futures
    while left:
        _, left = wait(left, timeout=BEAT_EVERY_S)
        if left:
            jobs.beat(job)
    return [future.result() for future in futures]


def _drop(futures: Sequence[Future[Looked]]) -> None:
    for future in futures:
        future.cancel()


def _close(job: ImportJob, state: JobState) -> None:
    jobs.finish(job, state)
    _remove_area(job)
    job.state, job.finished_at = state, timezone.now()


def _remove_area(job: ImportJob) -> None:
    if area := job.options.get("area"):
        storage.delete_area(area)
