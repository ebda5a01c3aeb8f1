"""Exports from request to file: start one, write it, describe it. Formats stand in `annotations.exporters`."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from django.db import transaction

from annotations.errors import Refused
from annotations.exporters import registry
from annotations.exporters.base import Dataset, Exporter, ExportRow, Facts, OneFile, Pictures
from annotations.exporters.frozen import FrozenRows
from annotations.models import ExportJob, JobState, Project, Snapshot, User
from annotations.selectors import export_rows
from annotations.services import audit, export_files, export_request, freezing, garbage, jobs, storage
from annotations.services.export_files import Packed

_BEAT_EVERY_S = 2.0
# Rows between two looks at the clock: few, since a row may bring a picture of many megabytes.
_LOOK_EVERY = 16


@transaction.atomic
def start(
    project: Project,
    *,
    actor: User | None,
    format: str,
    filter: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    with_pictures: bool = False,
    snapshot: Snapshot | None = None,
) -> ExportJob:
    """Store the job. Raises Refused for an unknown format, BadInput for a filter or option it does not know."""
    exporter = registry.exporter_for(format)
    wanted = export_request.wanted(filter or {})
    if snapshot is not None and not snapshot.file_key:
        raise Refused(
            f"The snapshot “{snapshot.name}” is {snapshot.state}: choose one that is done.", code="not_frozen"
        )
    job = ExportJob.objects.create(
        project=project,
        actor=actor,
        format=exporter.name,
        snapshot=snapshot,
        filter={name: value for name, value in asdict(wanted).items() if value is not None},
        options=export_request.options(exporter, options or {}, with_pictures=with_pictures),
        with_pictures=export_files.has_pictures(exporter, asked_for=with_pictures),
        result={"format": exporter.name, "losses": list(exporter.losses)},
    )
    audit.record(
        project.pk,
        "exports.start",
        actor_id=job.actor_id,
        job=job.pk,
        format=exporter.name,
        filter=job.filter,
    )
    return job


def run(job: ExportJob, *, on_progress: Callable[[int], None] = lambda done: None) -> None:
    """Write a claimed job's file. Whoever dies on the way leaves nothing under the file's name."""
    exporter = registry.exporter_for(job.format)
    assert job.claim is not None
    key = storage.export_key(job.project_id, job.pk, job.claim, extension(job))
    try:
        with garbage.only_of_new_objects():
            write = _write_in_passing if _passes(job, exporter) else _write
            facts, packed = write(job, exporter, key, _Watch(job, on_progress))
            result = _checked(job, exporter, key, facts, packed)
        _publish(job, key, {**job.result, **result})
    except jobs.CancelRequestedError:
        jobs.finish(job, JobState.CANCELLED)
    except Refused as refusal:
        storage.delete(key)
        jobs.finish(job, JobState.REFUSED, reason=refusal.message)
    except OSError as error:
        storage.delete(key)
        jobs.finish(job, JobState.FAILED, reason=storage.unwritten(error, "exported"))
    except jobs.ClaimLost:
        storage.delete(key)
        raise


def cancel(job: ExportJob, *, actor: User) -> ExportJob:
    return jobs.request_cancel(job, actor_id=actor.pk, action="exports.cancel", format=job.format)


def file_name(job: ExportJob) -> str:
    """The name under which a browser saves the file: the project's in plain letters, the job and the ending."""
    return f"{plain_name(job.project.name)}-{job.pk}.{extension(job)}"


def plain_name(name: str) -> str:
    """A project's name in letters that every file system takes."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
    return "-".join(part for part in plain.split("-") if part)[:60] or "project"


def extension(job: ExportJob) -> str:
    one_file = _one_file(job)
    return one_file.extension if one_file else "zip"


def content_type(job: ExportJob) -> str:
    one_file = _one_file(job)
    return one_file.content_type if one_file else "application/zip"


def manifest(job: ExportJob) -> dict[str, Any]:
    """What the file holds and what it could not hold."""
    return {
        "project": job.project.name,
        "format": job.format,
        "filter": job.filter,
        "options": job.options,
        "with_pictures": job.with_pictures,
        "file": file_name(job),
        "made_at": job.finished_at,
        **{
            name: job.result.get(name)
            for name in ("items", "bytes", "sha256", "snapshot_sha256", "vocabulary_version", "losses")
        },
    }


def _one_file(job: ExportJob) -> OneFile | None:
    exporter = registry.exporter_for(job.format)
    return exporter.one_file if export_files.is_one_file(exporter, with_pictures=job.with_pictures) else None


def _passes(job: ExportJob, exporter: Exporter) -> bool:
    """Whether the file can be written while the rows are read. Those of a snapshot are read already."""
    one_file = _one_file(job)
    return job.snapshot is None and one_file is not None and one_file.in_passing is not None


def _write_in_passing(job: ExportJob, exporter: Exporter, key: str, watch: "_Watch") -> tuple[Facts, Packed]:
    """Write the file in one go over the project's rows."""
    assert exporter.one_file is not None and exporter.one_file.in_passing is not None
    pieces = exporter.one_file.in_passing
    wanted = export_rows.Filter(**job.filter)
    packed = Packed()
    with storage.writer(key) as target:

        def write(rows: Iterable[ExportRow], vocabulary_version: int) -> None:
            # Counted while more rows are read, not before the first.
            watch.begin(export_rows.count(job.project, wanted), of_pictures=False)
            packed.sha256 = export_files.write_pieces(target, pieces(rows, vocabulary_version))

        needs = exporter.needs(job.options)
        facts = freezing.passed(job.project, wanted, needs, write, on_rows=watch.rows_written)
    watch.look(finished=True)
    return facts, packed


def _write(job: ExportJob, exporter: Exporter, key: str, watch: "_Watch") -> tuple[Facts, Packed]:
    """Write the file from rows that are frozen first: most formats pass over them several times."""
    with _rows(job, exporter, watch) as (rows, facts):
        if told := exporter.refusal(facts):
            raise Refused(told, code="does_not_fit")
        # What one pass over the rows does, the formats that take several do again: progress is of the first.
        watch.begin(facts.images, of_pictures=job.with_pictures)
        dataset = Dataset(
            rows=_Watched(rows, watch),
            facts=facts,
            options=job.options,
            picture=export_files.picture if job.with_pictures else None,
        )
        with storage.writer(key) as target:
            packed = export_files.write(
                exporter,
                dataset,
                target,
                manifest=_contents(job, exporter, facts),
                on_picture=watch.picture_written,
            )
    watch.look(finished=True)
    return facts, packed


def _checked(job: ExportJob, exporter: Exporter, key: str, facts: Facts, packed: Packed) -> dict[str, Any]:
    """Read the file back; returns what the job's result says of it."""
    held = facts.images - len(packed.lost) if exporter.pictures is Pictures.ALWAYS else facts.images
    size, sha256 = export_files.check(
        key, exporter, images=held, with_pictures=job.with_pictures, written=packed.sha256
    )
    return {
        "items": facts.images,
        "bytes": size,
        "sha256": sha256,
        "snapshot_sha256": facts.sha256,
        "vocabulary_version": facts.vocabulary_version,
        "pictures": packed.pictures,
        "lost_pictures": packed.lost[: jobs.MAX_ERRORS_KEPT],
        "without_keywords": packed.without_keywords[: jobs.MAX_ERRORS_KEPT],
    }


@contextmanager
def _rows(job: ExportJob, exporter: Exporter, watch: "_Watch") -> Iterator[tuple[FrozenRows, Facts]]:
    """What the job exports: a snapshot's rows, or the project's as of now."""
    wanted, needs = export_rows.Filter(**job.filter), exporter.needs(job.options)
    if job.snapshot is not None:
        yield freezing.opened(job.snapshot.file_key, wanted, implied_no=needs.implied_no)
        return
    watch.begin(export_rows.count(job.project, wanted), of_pictures=job.with_pictures)
    with freezing.frozen(
        job.project,
        wanted,
        replace(needs, files=needs.files or job.with_pictures),
        without_lost_pictures=job.with_pictures,
        on_step=watch.step,
    ) as found:
        yield found


def _contents(job: ExportJob, exporter: Exporter, facts: Facts) -> dict[str, Any]:
    """The archive's manifest. No times, ids or persons: equal contents give equal bytes."""
    return {
        "format": exporter.name,
        "snapshot_sha256": facts.sha256,
        "images": facts.images,
        "decisions": facts.answers,
        "splits": facts.splits,
        "filter": job.filter,
        "options": job.options,
        "with_pictures": job.with_pictures,
        "vocabulary_version": facts.vocabulary_version,
        "vocabulary": [
            {"name": tag.name, "parent": tag.parent, "aliases": tag.aliases, "description": tag.description}
            for tag in facts.vocabulary
        ],
        "losses": exporter.losses,
    }


class _Watch:
    """Tells now and then how far the writing is, and looks whether somebody wants it to stop."""

    def __init__(self, job: ExportJob, on_progress: Callable[[int], None]) -> None:
        self._job, self._on_progress = job, on_progress
        self._done = self._total = 0
        self._of_pictures = self._has_written = False
        self._told_at = time.monotonic()

    def begin(self, total: int, *, of_pictures: bool) -> None:
        self._total, self._of_pictures = total, of_pictures
        jobs.beat(self._job, total=total, done=0)

    def rows_written(self, count: int) -> None:
        if not self._has_written:
            # A worker that dies of the rows themselves comes no further than reading them, each time.
            self._has_written = True
            jobs.beat(self._job, attempts=1)
        self._count(0 if self._of_pictures else count)

    def picture_written(self) -> None:
        self._count(1)

    def look(self, *, finished: bool = False) -> None:
        """Raises jobs.CancelRequestedError, or jobs.ClaimLost."""
        self._told_at = time.monotonic()
        done = self._total if finished else min(self._done, self._total)
        jobs.beat(self._job, done=done)
        self._on_progress(done)
        if jobs.is_to_stop(self._job):
            raise jobs.CancelRequestedError

    def step(self) -> None:
        """Something is done that nobody counts."""
        self._count(0)

    def _count(self, more: int) -> None:
        self._done += more
        if time.monotonic() - self._told_at > _BEAT_EVERY_S:
            self.look()


@dataclass(frozen=True)
class _Watched:
    """Rows whose passing is watched."""

    rows: Iterable[ExportRow]
    watch: _Watch

    def __iter__(self) -> Iterator[ExportRow]:
        rows = iter(self.rows)
        while some := list(islice(rows, _LOOK_EVERY)):
            yield from some
            self.watch.rows_written(len(some))


@transaction.atomic
def _publish(job: ExportJob, key: str, result: dict[str, Any]) -> None:
    jobs.held(job)
    ExportJob.objects.filter(pk=job.pk).update(file_key=key)
    jobs.finish(job, JobState.DONE, result=result)
