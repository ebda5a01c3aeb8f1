"""The newest fine-tuning run as the page of the models says it: stage, curve, time left, what happened on the way."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone

from annotations.models.job import JobState
from annotations.views.plots import Plot
from mlmodels.models import ModelVersion, TrainingRun
from mlmodels.services import finetune_settings, runs
from mlmodels.services.finetune_estimates import lasting, place
from mlmodels.views import plots
from mlmodels.views import shown as version_words

STAGES = {
    "read": "reading what people said",
    "tune": "tuning the backbone",
    "look": "looking at the images that judge it",
    "fit": "fitting a head on its features",
    "judge": "judging",
    "store": "storing the file",
    "adopt": "asking for the tuned backbone",
}
PHASES = {
    "look": "running the frozen part over the images",
    "features": "images looked at",
}


@dataclass(frozen=True)
class TuningShown:
    """`is_open` while it waits or runs; else what it left is shown: why it ended, its curve and notes."""

    run: TrainingRun
    is_open: bool
    stage: str
    stage_number: int
    phase: str
    done: int
    total: int
    pace: tuple[str, ...]
    what: str
    curve: Plot | None
    losses: Plot | None
    notes: tuple[str, ...]
    refused: ModelVersion | None
    refusal: str
    reasons: tuple[str, ...]

    @property
    def may_start_again(self) -> bool:
        """Whether it ended without an answer of the gate or of the images held back."""
        return self.run.state in (JobState.FAILED, JobState.CANCELLED)

    @property
    def settings(self) -> str:
        """Its settings, as the page that asks for a run takes them."""
        return urlencode(asdict(finetune_settings.of_run(self.run.options)))


def shown(run: TrainingRun, refused: ModelVersion | None = None) -> TuningShown:
    """`refused` is the version that the gate refused, where its words are wanted here."""
    told, epochs = run.tuning, finetune_settings.of_run(run.options).epochs
    is_open = run.state in (JobState.QUEUED, JobState.RUNNING)
    is_inside = run.stage in ("tune", "look") and bool(told.get("total"))
    points = told.get("curve", [])
    return TuningShown(
        run=run,
        is_open=is_open,
        stage=STAGES.get(run.stage, "waits for a worker"),
        stage_number=min(run.done + 1, len(runs.FINETUNE_STAGES)),
        phase=_phase(told, epochs) if is_inside else "",
        done=told.get("done", 0) if is_inside else run.done,
        total=told.get("total", 1) if is_inside else len(runs.FINETUNE_STAGES),
        pace=_pace(run) if is_inside else (f"{run.done} of {len(runs.FINETUNE_STAGES)} stages done",),
        what=_what(run, told.get("device", "")),
        curve=plots.tuning(points, epochs),
        losses=plots.losses(points, epochs),
        notes=tuple(told.get("notes", [])),
        refused=refused,
        refusal=version_words.refusal(refused) if refused else "",
        reasons=tuple(version_words.beside_refusal(refused)) if refused else (),
    )


def _phase(told: Mapping[str, Any], epochs: int) -> str:
    """What it does within its stage; while it trains `done` and `total` are batches of all epochs."""
    if told.get("phase") == "train":
        return f"epoch {min(epochs, told['done'] * epochs // told['total'] + 1)} of {epochs}"
    return PHASES.get(told.get("phase", ""), "")


def _pace(run: TrainingRun) -> tuple[str, ...]:
    """What the bar measures, how fast it goes, and how long it will take."""
    told = run.tuning
    words = [f"{told['done'] / told['total']:.0%} of this stage".replace("%", " %")]
    left_s, left = told.get("left_s"), told["total"] - told["done"]
    if left_s:
        at_once = finetune_settings.of_run(run.options).batch if told.get("phase") == "train" else 1
        images_a_second = left * at_once / left_s
        words.append(f"{images_a_second:,.{0 if images_a_second >= 10 else 1}f} images a second")
    if left_s is not None:
        words.append(f"at most {lasting(left_s)} left")
    return tuple(words)


def lost(run: TrainingRun) -> str:
    """What is lost when it is stopped now: “It stops at its next batch, in epoch 4 of 12. …”."""
    if run.started_at is None:
        return "It has not begun: nothing is lost."
    epochs = finetune_settings.of_run(run.options).epochs
    ended = max(0, len(run.tuning.get("curve", [])) - 1)
    where = f", after epoch {ended} of {epochs}" if ended else ""
    worked = lasting((timezone.now() - run.started_at).total_seconds())
    when = "at its next batch" if run.state == JobState.RUNNING else "at once"
    return f"It stops {when}{where}. All it has learnt is lost, the work of {worked}."


def _what(run: TrainingRun, device: str) -> str:
    settings = finetune_settings.of_run(run.options)
    stages = (
        "the whole backbone"
        if not settings.stages
        else f"last {settings.stages} stage{'s' * (settings.stages > 1)}"
    )
    parts = [stages, f"up to {settings.epochs} epochs", f"{finetune_settings.LOSSES[settings.loss]} loss"]
    return ", ".join(parts + ([f"on {place(device)}"] if device else []))
