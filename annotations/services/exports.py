"""Exports from request to file: start one, write it, describe it. Formats stand in `annotations.exporters`."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction

from annotations.errors import BadInput
from annotations.exporters import registry
from annotations.exporters.base import Context, ExportRow
from annotations.models import ExportJob, Image, JobState, Project, User
from annotations.selectors import export_rows
from annotations.services import audit, jobs, storage


class CancelRequestedError(Exception):
    """Somebody asked the job to stop."""


@transaction.atomic
def start(
    project: Project,
    *,
    actor: User | None,
    format: str,
    filter: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> ExportJob:
    """Store the job. Raises Refused for an unknown format, BadInput for a filter or option it does not know."""
    exporter = registry.exporter_for(format)
    wanted = _filter(filter or {})
    for name, value in (options or {}).items():
        if name not in exporter.options or not isinstance(value, bool):
            known = ", ".join(exporter.options) or "none"
            raise BadInput(
                f"options: expected true or false for one of these: {known}; got {name} = {value!r}.",
                code="bad_option",
            )
    job = ExportJob.objects.create(
        project=project,
        actor=actor,
        format=exporter.name,
        filter={name: value for name, value in asdict(wanted).items() if value is not None},
        options=dict(options or {}),
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
    key = storage.export_key(job.project_id, job.pk, job.claim, exporter.extension)
    wanted = export_rows.Filter(**job.filter)
    jobs.beat(job, total=export_rows.count(job.project, wanted), done=0)
    context = Context(vocabulary_version=job.project.vocabulary_version, options=job.options)
    tally = _Tally()
    try:
        with storage.writer(key) as target:
            chunks = export_rows.chunks(job.project, wanted, exporter.needs(job.options))
            for piece in exporter.write(_counted(job, chunks, tally, on_progress), context):
                tally.add(piece)
                target.write(piece)
        result = {**job.result, **tally.result(), "vocabulary_version": context.vocabulary_version}
        _publish(job, key, result)
    except CancelRequestedError:
        jobs.finish(job, JobState.CANCELLED)
    except jobs.ClaimLost:
        storage.delete(key)
        raise


def cancel(job: ExportJob) -> ExportJob:
    return jobs.request_cancel(job)


def file_name(job: ExportJob) -> str:
    """The name under which a browser saves the file: the project's in plain letters, the job and the ending."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in job.project.name.lower())
    stem = "-".join(part for part in plain.split("-") if part)[:60] or "project"
    return f"{stem}-{job.pk}.{registry.exporter_for(job.format).extension}"


def manifest(job: ExportJob) -> dict[str, Any]:
    """What the file holds and what it could not hold."""
    return {
        "project": job.project.name,
        "format": job.format,
        "filter": job.filter,
        "options": job.options,
        "file": file_name(job),
        "made_at": job.finished_at,
        **{
            name: job.result.get(name)
            for name in ("items", "bytes", "sha256", "vocabulary_version", "losses")
        },
    }


class _Tally:
    """Counts items and bytes as they pass, and their sha256."""

    def __init__(self) -> None:
        self.items = self.bytes = 0
        self.digest = hashlib.sha256()

    def add(self, piece: bytes) -> None:
        self.bytes += len(piece)
        self.digest.update(piece)

    def result(self) -> dict[str, Any]:
        return {"bytes": self.bytes, "sha256": self.digest.hexdigest(), "items": self.items}


def _counted(
    job: ExportJob, chunks: Iterator[list[ExportRow]], tally: _Tally, on_progress: Callable[[int], None]
) -> Iterator[ExportRow]:
    """The rows one by one, with a heartbeat, the progress and a look at the cancel flag after each chunk."""
    for chunk in chunks:
        yield from chunk
        tally.items += len(chunk)
        jobs.beat(job, done=tally.items, attempts=1)
        on_progress(tally.items)
        if ExportJob.objects.filter(pk=job.pk, cancel_requested=True).exists():
            raise CancelRequestedError


@transaction.atomic
def _publish(job: ExportJob, key: str, result: dict[str, Any]) -> None:
    jobs.held(job)
    ExportJob.objects.filter(pk=job.pk).update(file_key=key)
    jobs.finish(job, JobState.DONE, result=result)


def _filter(sent: Mapping[str, Any]) -> export_rows.Filter:
    unknown = sent.keys() - {"state", "is_holdout"}
    if unknown:
        raise BadInput(
            f"filter: expected `state` or `is_holdout`, got {', '.join(sorted(map(str, unknown)))}.",
            code="bad_filter",
        )
    state, is_holdout = sent.get("state"), sent.get("is_holdout")
    if state is not None and state not in Image.State.values:
        raise BadInput(
            f"filter: expected a state of {', '.join(Image.State.values)}, got {state!r}.", code="bad_filter"
        )
    if is_holdout is not None and not isinstance(is_holdout, bool):
        raise BadInput(
            f"filter: expected is_holdout to be true or false, got {is_holdout!r}.", code="bad_filter"
        )
    return export_rows.Filter(state=state, is_holdout=is_holdout)
