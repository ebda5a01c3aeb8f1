"""How long fine-tuning would take here: a few batches of made pictures are timed before anything is started."""

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mlmodels.core.learning import stages
from mlmodels.core.learning.finetune import tune
from mlmodels.core.learning.tuning import LEAST_IMAGES, Progress, TuningSet, TuningSettings
from mlmodels.core.vision.backbones import Backbone

_BATCHES = 3


@dataclass(frozen=True)
class Estimate:
    """Seconds at most (early stopping may end sooner), where they go, and the device. `parameters` are trained."""

    device: str
    seconds: float
    look_seconds: float
    train_seconds: float
    parameters: int


def measure(
    backbone: Backbone, settings: TuningSettings, *, images: int, tags: int, side_px: int, device: str
) -> Estimate:
    """Tune on a few made pictures, and multiply.

    Args:
        backbone: what would be tuned; left as it is.
        settings: how.
        images: N that would be trained on.
        tags: K.
        side_px: of the pictures.
        device: where.

    Raises:
        TuningError: as `tune` does.
    """
    count = max(_BATCHES * settings.batch, 2 * LEAST_IMAGES)
    random = np.random.default_rng(0)
    pictures = torch.from_numpy(
        random.integers(0, 256, (settings.batch, 3, side_px, side_px), dtype=np.uint8)
    )
    made = TuningSet(
        lambda rows: pictures[[row % settings.batch for row in rows]],
        random.integers(0, 2, (count, tags)).astype(np.int8),
        range(count),
    )
    ended: dict[str, float] = {}
    counts: dict[str, int] = {}

    def note(progress: Progress) -> None:
        ended.setdefault(f"first {progress.phase}", time.monotonic())
        ended[progress.phase] = time.monotonic()
        counts[progress.phase] = max(counts.get(progress.phase, 0), progress.done)

    one = replace(settings, epochs=1, views=min(1, settings.views))
    with tempfile.TemporaryDirectory() as folder:
        tune(backbone, made, one, folder=Path(folder), side_px=side_px, device=device, on_progress=note)
    batches = images / settings.batch
    looks = batches * (1 + settings.views) if "look" in ended else 0.0
    look_s = looks * _each(ended, counts, "look")
    train_s = settings.epochs * batches * _each(ended, counts, "train")
    wrapped: Any = backbone.module
    names = stages.trained_names(wrapped.model, settings.stages)
    sizes = dict(wrapped.model.named_parameters())
    return Estimate(
        device=device,
        seconds=look_s + train_s,
        look_seconds=look_s,
        train_seconds=train_s,
        parameters=sum(sizes[name].numel() for name in names),
    )


def _each(ended: dict[str, float], counts: dict[str, int], phase: str) -> float:
    """Seconds of one batch, the first left out: it pays for what is set up once."""
    if counts.get(phase, 0) < 2:
        return 0.0
    return (ended[phase] - ended[f"first {phase}"]) / (counts[phase] - 1)
