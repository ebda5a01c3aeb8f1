"""A training run as a row: asked for, claimed, kept alive, stopped between stages. `training` does the work.

Claiming, heartbeats and the end are those of every job (`annotations.services.jobs`); here is what differs:
one run at a time in a project, one more waiting behind it.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, IntegrityError, connection, transaction

from annotations.services import jobs
from mlmodels import selectors
from mlmodels.errors import CancelledByPerson
from mlmodels.models import TrainingRun

logger = logging.getLogger(__name__)

STAGES = ("read", "fit", "judge", "store", "rescore", "publish")
HEARTBEAT_EVERY_S = 4.0


def request(
    project_id: int,
    *,
    actor_id: int | None = None,
    trigger: str = TrainingRun.Trigger.PERSON,
    seed: int = 0,
    extractor_id: int | None = None,
) -> TrainingRun:
    """A run that waits for a worker; one that waits already is answered instead, it reads the newest truth.

    With `extractor_id` it reads that extractor's features, else those that suggestions read when it starts.
    """
    waiting = TrainingRun.objects.filter(project_id=project_id, state="queued")
    found = waiting.first()
    while found is None:
        try:
            with transaction.atomic():
                return TrainingRun.objects.create(
                    project_id=project_id,
                    actor_id=actor_id,
                    trigger=trigger,
                    seed=seed,
                    total=len(STAGES),
                    extractor_id=extractor_id,
                )
        except IntegrityError:  # somebody else asked in the same moment; theirs may be running by now
            found = waiting.first()
    if extractor_id is not None:
        waiting.filter(pk=found.pk).update(extractor_id=extractor_id)
    return found


def claim(run_id: int) -> TrainingRun | None:
    """Take a waiting run, or one whose worker fell silent; None while another one runs in the project."""
    try:
        with transaction.atomic():
            return jobs.claim(TrainingRun, run_id)
    except IntegrityError:
        return None


def next_waiting(project_id: int) -> int | None:
    """The run that waited behind one that has just ended."""
    run = selectors.runs(project_id).filter(state="queued").first()
    return None if run is None else run.pk


def enter(run: TrainingRun, stage: str) -> None:
    """Say that a stage begins.

    Raises:
        CancelledByPerson: somebody asked to stop.
        ClaimLost: another worker took over.
    """
    jobs.beat(run, stage=stage, done=STAGES.index(stage))
    if TrainingRun.objects.filter(pk=run.pk, cancel_requested=True).exists():
        raise CancelledByPerson


@contextmanager
def kept_alive(run: TrainingRun) -> Iterator[None]:
    """Beat from a thread, with a connection of its own, while a stage computes."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat_until, args=(run, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat_until(run: TrainingRun, ended: threading.Event) -> None:
    try:
        while not ended.wait(HEARTBEAT_EVERY_S):
            try:
                jobs.beat(run)
            except jobs.ClaimLost:
                return  # the worker itself finds out at its next stage
            except DatabaseError:
                logger.exception("run %s: a heartbeat failed", run.pk)
    finally:
        connection.close()
