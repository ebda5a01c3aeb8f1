"""The ledger as the page of the models says it: why training ran or did not, and what became of it. Reads nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotations.models.job import JobState
from annotations.services import snapshot_truth
from mlmodels.models import ModelVersion, PolicyCheck, TrainingRun
from mlmodels.views import shown

# Waiting for the run that is open, for the pause after it, or for the next answer, is part of every run: no reader
# misses it.
PASSING_MOMENTS = frozenset({"run_open", "too_soon", "no_features", "nothing_new"})
# Outcome and tone, by what became of a run.
_OF_RUN = {
    JobState.QUEUED: ("asked", "run"),
    JobState.RUNNING: ("asked", "run"),
    JobState.DONE: ("ran", "live"),
    JobState.REFUSED: ("refused", "stop"),
    JobState.FAILED: ("failed", "stop"),
    JobState.CANCELLED: ("cancelled", ""),
}
_OF_CHECK = {"ran": "live", "waited": "wait", "refused": "stop"}


@dataclass(frozen=True)
class Entry:
    """One line: why, the version that came of it ({"id", "number"}), and what became of that, or of the run."""

    at: datetime
    outcome: str
    tone: str
    why: str
    version: Mapping[str, Any] | None = None
    told: str = ""


def entries(
    checks: Sequence[PolicyCheck],
    asked: Sequence[TrainingRun],
    refused: Mapping[int, ModelVersion],
    limit: int,
) -> list[Entry]:
    """Why the policy trained or did not, and what people asked for themselves, the newest first.

    `checks` come without PASSING_MOMENTS; `refused` are the versions of refused runs, by run.
    """
    found = [_of_check(check, refused) for check in checks] + [_of_person(run, refused) for run in asked]
    return sorted(found, key=lambda entry: entry.at, reverse=True)[:limit]


def _of_check(check: PolicyCheck, refused: Mapping[int, ModelVersion]) -> Entry:
    if check.run is not None:
        return _of_run(check.created_at, check.reason, check.run, refused)
    return Entry(check.created_at, check.outcome, _OF_CHECK[check.outcome], check.reason)


def _of_person(run: TrainingRun, refused: Mapping[int, ModelVersion]) -> Entry:
    who = run.actor.get_username() if run.actor else "Somebody"
    what = f"fine-tuning, run {run.pk}" if run.kind == TrainingRun.Kind.FINETUNE else f"run {run.pk}"
    return _of_run(run.created_at, f"{who} asked for {what}.", run, refused)


def _of_run(at: datetime, why: str, run: TrainingRun, refused: Mapping[int, ModelVersion]) -> Entry:
    outcome, tone = _OF_RUN[JobState(run.state)]
    version = None if run.result.get("skipped") else run.result.get("version")
    told = _of_version(run, refused.get(run.pk)) if version else _without_version(run)
    notes = " ".join(run.tuning.get("notes", []))
    return Entry(at, outcome, tone, why, version, f"{told} {notes}".strip())


def _of_version(run: TrainingRun, refused: ModelVersion | None) -> str:
    """What became of the version, to be read after its number."""
    is_tuned = run.kind == TrainingRun.Kind.FINETUNE
    where = "on the tuned backbone " if is_tuned else ""
    if run.state == JobState.DONE:
        return f"{where}{'passed the gate' if is_tuned else 'went live'}. {run.reason}".strip()
    refusal = shown.refusal(refused) if refused else ""
    gate = f"did not pass the gate: {refusal}" if refusal else "did not pass the gate."
    taught = run.result.get("snapshot")
    return f"{where}{gate} {snapshot_truth.told(taught) if taught else ''}".strip()


def _without_version(run: TrainingRun) -> str:
    if run.state in (JobState.QUEUED, JobState.RUNNING):
        return "It is not finished."
    if run.state == JobState.CANCELLED and not run.reason:
        return "It had not begun."
    return shown.sentence(run.reason) if run.reason else ""
