"""How long fine-tuning would take here: a few batches of made pictures are timed before anything is started."""

import copy
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mlmodels.core.learning import stages
from mlmodels.core.learning.finetune import tune
from mlmodels.core.learning.sources import probe_of, views_to_keep
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
    backbone: Backbone,
    settings: TuningSettings,
    *,
    images: int,
    tags: int,
    side_px: int,
    device: str,
    folder: Path | None = None,
) -> Estimate:
    """Tune on a few made pictures, and multiply.

    Args:
        backbone: what would be tuned; left as it is.
        settings: how.
        images: N that would be trained on.
        tags: K.
        side_px: of the pictures.
        device: where.
        folder: that the run's files would lie in, or below; None for the temporary one. What its disk has no room for
            is computed anew in each epoch.

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

    views = _views(backbone, settings, images, side_px, folder or Path(tempfile.gettempdir()))
    # So few pictures would always fit: they are kept only where those of the run are.
    one = replace(settings, epochs=1, views=min(1, views), cache_bytes=settings.cache_bytes if views else 0)
    with tempfile.TemporaryDirectory() as work:
        tune(backbone, made, one, folder=Path(work), side_px=side_px, device=device, on_progress=note)
    batches = images / settings.batch
    looks = batches * (1 + views) if "look" in ended else 0.0
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


def _views(backbone: Backbone, settings: TuningSettings, images: int, side_px: int, folder: Path) -> int:
    """How many views the run would keep beside the plain one; 0 where nothing is kept."""
    wrapped: Any = backbone.module
    model, probe = copy.deepcopy(wrapped.model).eval(), probe_of(side_px)
    parts = stages.cut_in_two(model, stages.trained_names(model, settings.stages), probe)
    if parts is None:
        return 0
    with torch.no_grad():
        shape = parts[0](probe).shape[1:]
    return views_to_keep(settings, images=images, shape=shape, folder=folder)


def _each(ended: dict[str, float], counts: dict[str, int], phase: str) -> float:
    """Seconds of one batch, the first left out: it pays for what is set up once."""
    if counts.get(phase, 0) < 2:
        return 0.0
    return (ended[phase] - ended[f"first {phase}"]) / (counts[phase] - 1)
