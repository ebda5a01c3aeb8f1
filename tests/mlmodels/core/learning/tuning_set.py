"""A small set to tune on, the same in every process."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from mlmodels.core.learning import stages
from mlmodels.core.learning.finetune import tune
from mlmodels.core.learning.tuning import Pause, Tuned, TuningSet, TuningSettings
from mlmodels.core.vision.backbones import Backbone, load_backbone
from tests.mlmodels import tiny_backbone

IMAGES, SIDE_PX = 112, 96
SETTINGS = TuningSettings(
    stages=1, epochs=5, batch=16, rate=3e-3, views=2, loss="binary", mixup=0.1, average=0.8
)


def backbone(folder: Path) -> Backbone:
    return load_backbone(tiny_backbone.NAME, weights_file=tiny_backbone.put_weights(folder), allow_hub=False)


def random_backbone(name: str) -> Backbone:
    import tempfile

    import timm

    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.pth"
        torch.save(timm.create_model(name, pretrained=False).state_dict(), path)
        return load_backbone(name, weights_file=path, allow_hub=False)


def training_set(seen: list[list[int]] | None = None, *, side_px: int = SIDE_PX) -> TuningSet:
    """`seen` collects the rows that are asked for."""
    truth = np.random.default_rng(0).integers(0, 2, (IMAGES, 3)).astype(np.int8)
    pictures = {}
    for row in range(IMAGES):
        tags = {int(tag) for tag in np.flatnonzero(truth[row])}
        pictures[row] = tiny_backbone.picture(row, tags)

    def read(rows):
        if seen is not None:
            seen.append(list(rows))
        made = [np.array(pictures[row].resize((side_px, side_px))) for row in rows]
        return torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2).contiguous()

    unknown = np.where(np.random.default_rng(1).random(truth.shape) < 0.1, -1, truth).astype(np.int8)
    return TuningSet(read, unknown, list(range(100, 100 + IMAGES)))


def activation_shape(backbone: Backbone) -> tuple[int, ...]:
    model = backbone.module.model
    probe = torch.zeros(2, 3, SIDE_PX, SIDE_PX)
    parts = stages.cut_in_two(model, stages.trained_names(model, SETTINGS.stages), probe)
    assert parts is not None
    return tuple(parts[0](probe).shape[1:])


def tuned_with_pauses(every: int, *arguments: Any, **options: Any) -> tuple[Tuned, int]:
    """What `tune` makes of these, stopped at every so many calls of its callback and begun again; and the stops."""
    calls = stops = 0

    def now_and_then(_: object) -> None:
        nonlocal calls
        calls += 1
        if calls % every == 0:
            raise Pause

    while True:
        try:
            return tune(*arguments, on_progress=now_and_then, **options), stops
        except Pause:
            stops += 1


def curve_of(result: Tuned) -> list[tuple[float, float]]:
    return [(point.average_precision, point.held_back_loss) for point in result.curve]
