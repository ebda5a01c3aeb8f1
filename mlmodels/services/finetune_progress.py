"""How far a fine-tuning run is, in its row: curve, time left, notes. Its callback is where a run learns to stop."""

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from annotations.models.job import JobState
from annotations.selectors import model_inputs
from annotations.services import jobs, worker_deaths
from mlmodels import selectors
from mlmodels.errors import CancelledByPerson
from mlmodels.models import TrainingRun
from mlmodels.services import finetune_estimates, policy

if TYPE_CHECKING:
    from mlmodels.core.learning.tuning import Epoch, Progress

logger = logging.getLogger(__name__)

TELL_EVERY_S = 1.0
# The policy's checks wait behind fine-tuning in the same worker: here they are done in between.
CHECK_EVERY_S = 2.0
DIGITS = 4
# Progress that a kill leaves: one after it is the first one again.
_SAVED = {"attempts": 1}
KILLED = "Its worker was killed{by}; it went on from the last checkpoint."
ON_CPU = "Trains on the CPU: slow, and slower while people and other jobs need it."


def begin(run: TrainingRun, device: str) -> None:
    """Say that a worker has it. One that was at work and has not said otherwise was killed."""
    told = dict(run.tuning)
    notes = list(told.get("notes", []))
    number = worker_deaths.take(run)
    if told.get("at_work"):
        notes.append(KILLED.format(by="" if number is None else f" by {worker_deaths.named(number)}"))
    elif "at_work" not in told and device == "cpu":
        notes.append(ON_CPU)
    _store(run, {**told, "device": device, "at_work": True, "notes": notes})


def release(run: TrainingRun) -> None:
    """Back into the queue, for whoever comes after what it made way for."""
    ours = TrainingRun.objects.filter(pk=run.pk, claim=run.claim, state=JobState.RUNNING)
    told = {**run.tuning, "at_work": False}
    ours.update(state=JobState.QUEUED, claim=None, heartbeat_at=None, attempts=0, tuning=told)


def clear(run: TrainingRun) -> None:
    """It ends: nobody is at work, nothing is left."""
    _store(run, {**run.tuning, "at_work": False, "left_s": None})


def tuned(run: TrainingRun, curve: "Sequence[Epoch]", notes: Sequence[str]) -> None:
    _store(run, {**run.tuning, "curve": _points(curve), "notes": _notes(run, notes), "left_s": None})


class Watch:
    """Called after every batch; writes now and then, and raises what ends or interrupts the work."""

    def __init__(self, run: TrainingRun, *, steps_aside: bool) -> None:
        self._run, self._steps_aside = run, steps_aside
        self._told_at = self._checked_at = 0.0

    def __call__(self, progress: "Progress") -> None:
        now = time.monotonic()
        if not progress.saved and now - self._told_at < TELL_EVERY_S:
            return
        self._told_at = now
        told = self._run.tuning | {
            "phase": progress.phase,
            "done": progress.done,
            "total": progress.total,
            "left_s": None if progress.left_s is None else round(progress.left_s, 1),
            "curve": _points(progress.curve),
            "notes": _notes(self._run, progress.notes),
        }
        _store(self._run, told, **(_SAVED if progress.saved else {}))
        self._stop_if_asked()
        self._step_aside(now)

    def looked(self, done: int, total: int) -> None:
        """How many images the tuned backbone has looked at; what it saw of them is stored."""
        told = self._run.tuning | {"phase": "features", "done": done, "total": total, "left_s": None}
        _store(self._run, told, **_SAVED)
        self._stop_if_asked()
        self._step_aside(time.monotonic())

    def _stop_if_asked(self) -> None:
        if jobs.is_to_stop(self._run):
            raise CancelledByPerson
        if model_inputs.project(self._run.project_id) is None:
            raise CancelledByPerson("The project is in the trash.")

    def _step_aside(self, now: float) -> None:
        from mlmodels.core.learning.tuning import Pause

        if not self._steps_aside or now - self._checked_at < CHECK_EVERY_S:
            return
        self._checked_at = now
        _check_policies()
        if selectors.heads_waiting() or selectors.exports_waiting() or finetune_estimates.take_awaited():
            raise Pause


def _check_policies() -> None:
    """A policy that cannot be checked, perhaps another project's, is not this run's error: beat asks again."""
    for project_id in model_inputs.with_unread_answers():
        try:
            policy.check(project_id)
        except Exception:
            logger.exception("project %s: the policy could not be checked", project_id)


def _store(run: TrainingRun, told: dict[str, Any], **changes: Any) -> None:
    run.tuning = told
    jobs.beat(run, tuning=told, **changes)


def _notes(run: TrainingRun, notes: Sequence[str]) -> list[str]:
    """What the service said stays; what the training says is added once."""
    known = list(run.tuning.get("notes", []))
    return known + [note for note in notes if note not in known]


def _points(curve: "Sequence[Epoch]") -> list[dict[str, Any]]:
    return [
        {
            "epoch": point.epoch,
            "loss": None if point.epoch == 0 else round(point.loss, DIGITS),
            "held_back_loss": round(point.held_back_loss, DIGITS),
            "average_precision": round(point.average_precision, DIGITS),
            "seconds": round(point.seconds, 1),
        }
        for point in curve
    ]
