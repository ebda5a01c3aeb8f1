"""A training run as a row: asked for, claimed, kept alive, stopped between stages. `training` does the work.

Claiming, heartbeats and the end are those of every job (`annotations.services.jobs`); here is what differs:
one run at a time in a project, one more waiting behind it.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from django.db import DatabaseError, IntegrityError, connection, transaction

from annotations.errors import Conflict
from annotations.models.job import Job
from annotations.selectors import stats
from annotations.services import audit, jobs
from annotations.types import SnapshotRef
from mlmodels import selectors
from mlmodels.errors import CancelledByPerson
from mlmodels.models import TrainingRun
from mlmodels.services.finetune_settings import FinetuneSettings

logger = logging.getLogger(__name__)

STAGES = ("read", "fit", "judge", "store", "rescore", "publish")
FINETUNE_STAGES = ("read", "tune", "look", "fit", "judge", "store", "adopt")
HEARTBEAT_EVERY_S = 4.0


def request(
    project_id: int,
    *,
    actor_id: int | None = None,
    trigger: str = TrainingRun.Trigger.PERSON,
    seed: int = 0,
    extractor_id: int | None = None,
    snapshot: SnapshotRef | None = None,
) -> TrainingRun:
    """A run that waits for a worker; one that waits already is answered instead, it reads the newest truth.

    With `extractor_id` it reads that extractor's features, else those that suggestions read when it starts. With
    `snapshot` it learns what that one says instead of the present answers.

    Raises:
        Conflict: one that learns from something else waits already.
    """
    options = {} if snapshot is None else {"snapshot": asdict(snapshot)}
    head = TrainingRun.Kind.HEAD
    waiting = TrainingRun.objects.filter(project_id=project_id, kind=head, state="queued")
    found = waiting.first()
    while found is None:
        try:
            with transaction.atomic():
                run = TrainingRun.objects.create(
                    project_id=project_id,
                    actor_id=actor_id,
                    trigger=trigger,
                    seed=seed,
                    total=len(STAGES),
                    extractor_id=extractor_id,
                    options=options,
                )
                if trigger == TrainingRun.Trigger.PERSON:  # why the policy asks, its ledger says
                    _record(run)
                return run
        except IntegrityError:  # somebody else asked in the same moment; theirs may be running by now
            found = waiting.first()
    if found.options != options:
        raise Conflict(
            f"Run {found.pk} waits already and learns from something else: cancel it, or ask again when it has begun.",
            code="run_waits",
            run=found.pk,
        )
    if extractor_id is not None:
        waiting.filter(pk=found.pk).update(extractor_id=extractor_id)
    return found


def request_finetune(
    project_id: int,
    *,
    actor_id: int | None = None,
    trigger: str = TrainingRun.Trigger.PERSON,
    seed: int = 0,
    settings: FinetuneSettings | None = None,
) -> TrainingRun:
    """A run that tunes the backbone; one that is open already is answered instead if it was asked for in the same way.

    Raises:
        Conflict: one with other settings is open.
    """
    options = {"finetune": asdict(settings or FinetuneSettings())}
    is_open = TrainingRun.objects.filter(
        project_id=project_id, kind=TrainingRun.Kind.FINETUNE, state__in=selectors.OPEN_STATES
    )
    found = is_open.first()
    while found is None:
        try:
            with transaction.atomic():
                run = TrainingRun.objects.create(
                    project_id=project_id,
                    kind=TrainingRun.Kind.FINETUNE,
                    actor_id=actor_id,
                    trigger=trigger,
                    seed=seed,
                    total=len(FINETUNE_STAGES),
                    options=options,
                    tuning={"asked_at_reviews": stats.trainable(project_id).reviews},
                )
                if trigger == TrainingRun.Trigger.PERSON:
                    _record(run)
                return run
        except IntegrityError:  # another admin pressed in the same moment
            found = is_open.first()
    if found.options != options:
        raise Conflict(
            f"Run {found.pk} tunes the backbone already, with other settings: cancel it, or wait for its end.",
            code="run_open",
            run=found.pk,
        )
    return found


def _record(run: TrainingRun) -> None:
    if run.kind == TrainingRun.Kind.FINETUNE:
        audit.record(run.project_id, "training.finetune", actor_id=run.actor_id, job=run.pk)
        return
    if run.snapshot is None:
        audit.record(run.project_id, "training.start", actor_id=run.actor_id, job=run.pk)
        return
    snapshot = {"name": run.snapshot.name, "sha256": run.snapshot.sha256}
    audit.record(run.project_id, "training.from_snapshot", actor_id=run.actor_id, job=run.pk, **snapshot)


def cancel(run: TrainingRun, *, actor_id: int | None) -> TrainingRun:
    """Stop a run between two of its stages; at once if it waits."""
    if run.kind == TrainingRun.Kind.FINETUNE:
        return jobs.request_cancel(run, actor_id=actor_id, action="training.cancel_finetune")
    return jobs.request_cancel(run, actor_id=actor_id, action="training.cancel")


def claim(run_id: int) -> TrainingRun | None:
    """Take a waiting run, or one whose worker fell silent; None while another one runs in the project."""
    try:
        with transaction.atomic():
            return jobs.claim(TrainingRun, run_id)
    except IntegrityError:
        return None


def next_waiting(project_id: int) -> int | None:
    """The run that waited behind one that has just ended."""
    run = selectors.runs(project_id).filter(kind=TrainingRun.Kind.HEAD, state="queued").first()
    return None if run is None else run.pk


def enter(run: TrainingRun, stage: str) -> None:
    """Say that a stage begins.

    Raises:
        CancelledByPerson: somebody asked to stop.
        ClaimLost: another worker took over.
    """
    stages = FINETUNE_STAGES if run.kind == TrainingRun.Kind.FINETUNE else STAGES
    jobs.beat(run, stage=stage, done=stages.index(stage))
    if TrainingRun.objects.filter(pk=run.pk, cancel_requested=True).exists():
        raise CancelledByPerson


@contextmanager
def kept_alive(run: Job) -> Iterator[None]:
    """Beat from a thread, with a connection of its own, while a stage computes."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat_until, args=(run, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat_until(run: Job, ended: threading.Event) -> None:
    try:
        while not ended.wait(HEARTBEAT_EVERY_S):
            try:
                jobs.beat(run)
            except jobs.ClaimLost:
                return  # the worker itself finds out at its next stage
            except DatabaseError:
                logger.exception("%s: a heartbeat failed", run)
    finally:
        connection.close()
