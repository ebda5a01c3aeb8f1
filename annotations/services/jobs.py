"""The life of a job row: claimed by one conditional UPDATE, kept by heartbeats, finished once.

What the work is, imports, exports and others know. A claim that went stale can be taken over by
anybody; the former holder finds out at its next write and stops.
"""

import uuid
from collections.abc import Mapping
from concurrent.futures import Future, wait
from datetime import timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from annotations.errors import Conflict
from annotations.models.job import Job, JobState
from annotations.services import audit, worker_deaths

STALE_AFTER = timedelta(seconds=15)
MAX_ATTEMPTS = 5
MAX_ERRORS_KEPT = 1_000
BEAT_EVERY_S = 3.0
_LOOK_IN_LOG = "See the worker's log."

AnyJob = TypeVar("AnyJob", bound=Job)
Outcome = TypeVar("Outcome")


class ClaimLost(Exception):
    """Somebody else holds the job now, or it is finished: the work stops without a trace."""


class CancelRequestedError(Exception):
    """Somebody asked the job to stop."""


def claim(model: type[AnyJob], job_id: int) -> AnyJob | None:
    """Take a job that waits or whose worker fell silent; None if it is not to be had."""
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, heartbeat_at__lt=Now() - STALE_AFTER)
    token = uuid.uuid4()
    taken = model._default_manager.filter(free, pk=job_id).update(
        state=JobState.RUNNING,
        claim=token,
        heartbeat_at=Now(),
        started_at=Coalesce(F("started_at"), Now()),
        attempts=F("attempts") + 1,
    )
    return model._default_manager.select_related("project", "actor").get(pk=job_id) if taken else None


def held(job: AnyJob) -> AnyJob:
    """The job's row, locked for this transaction; raises ClaimLost if the claim is not ours any more."""
    row = _ours(job).select_for_update().first()
    if row is None:
        raise ClaimLost(f"job {job.pk}")
    return row


def beat(job: Job, **changes: Any) -> None:
    """Say that the work goes on; raises ClaimLost if somebody took over."""
    if not _ours(job).update(heartbeat_at=Now(), **changes):
        raise ClaimLost(f"job {job.pk}")


def is_to_stop(job: Job) -> bool:
    """Whether somebody asked a held job to stop."""
    return bool(_ours(job).filter(cancel_requested=True).exists())


def awaited(job: Job, future: Future[Outcome]) -> Outcome:
    """Wait for what a thread does, saying now and then that the job lives. Raises CancelRequestedError."""
    while True:
        is_done = wait([future], timeout=BEAT_EVERY_S).done
        if is_to_stop(job):
            raise CancelRequestedError
        if is_done:
            return future.result()
        beat(job)


def finish(job: Job, state: JobState, *, reason: str = "", result: Mapping[str, Any] | None = None) -> None:
    """End a held job; raises ClaimLost if it is not ours any more."""
    changes: dict[str, Any] = {"state": state, "reason": reason, "finished_at": Now(), "claim": None}
    if result is not None:
        changes["result"] = dict(result)
    if not _ours(job).update(**changes):
        raise ClaimLost(f"job {job.pk}")


@transaction.atomic
def request_cancel(job: AnyJob, *, actor_id: int | None, action: str, **details: Any) -> AnyJob:
    """Stop a job: at once if it waits, else at its worker's next step. The first to ask is told of as `action`."""
    model = type(job)
    waiting = model._default_manager.filter(pk=job.pk, state=JobState.QUEUED)
    running = model._default_manager.filter(pk=job.pk, state=JobState.RUNNING)
    is_first = bool(
        waiting.update(state=JobState.CANCELLED, cancel_requested=True, finished_at=Now())
        or running.filter(cancel_requested=False).update(cancel_requested=True)
    )
    job.refresh_from_db()
    if is_first:
        audit.record(job.project_id, action, actor_id=actor_id, job=job.pk, **details)
    elif job.state != JobState.RUNNING:
        raise Conflict(f"The job is {job.state} already.", code="job_finished", state=job.state)
    return job


def waiting_ids(model: type[Job]) -> list[int]:
    """Jobs that need a nudge: their message was lost, or their worker fell silent."""
    silent = Q(state=JobState.RUNNING, heartbeat_at__lt=Now() - STALE_AFTER)
    unheard = Q(state=JobState.QUEUED, created_at__lt=Now() - STALE_AFTER)
    rows = model._default_manager.filter(silent | unheard, attempts__lt=MAX_ATTEMPTS)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:1_000])


def give_up(model: type[Job]) -> int:
    """Fail the jobs that ended their worker several times in a row; returns how many."""
    silent = model._default_manager.filter(
        state=JobState.RUNNING, heartbeat_at__lt=Now() - STALE_AFTER, attempts__gte=MAX_ATTEMPTS
    )
    return sum(
        silent.filter(pk=job.pk).update(
            state=JobState.FAILED, claim=None, finished_at=Now(), reason=_why_given_up(job)
        )
        for job in silent
    )


def _why_given_up(job: Job) -> str:
    died = f"Its worker died {MAX_ATTEMPTS} times in a row without progress"
    number = worker_deaths.take(job)
    if number is None:
        return f"{died}. {_LOOK_IN_LOG}"
    remedy = job.memory_remedy if worker_deaths.is_for_memory(number) else _LOOK_IN_LOG
    return f"{died}, killed the last time by {worker_deaths.named(number)}. {remedy}"


def _ours(job: AnyJob) -> Any:
    return type(job)._default_manager.filter(pk=job.pk, claim=job.claim, state=JobState.RUNNING)
