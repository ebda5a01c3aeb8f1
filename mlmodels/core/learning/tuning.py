"""What fine-tuning is given and what it gives: frozen records, and the callbacks' errors. `finetune` does the work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from mlmodels.core.errors import CoreError

Loss = Literal["asymmetric", "binary"]
GIB = 1 << 30
LEAST_IMAGES = 16
"""Below this nothing can be held back to stop by."""


class TuningError(CoreError):
    """Fine-tuning that cannot go on; the message says why and what to do."""


class Pause(Exception):
    """Raised by `on_progress` to stop after a checkpoint; the same call goes on from there later."""


@dataclass(frozen=True)
class TuningSettings:
    """How to fine-tune.

    `stages` counts from the end of the backbone, None tunes all of it. `rate` is the highest learning rate, of the
    backbone and of the layer of tags alike. `patience` is in epochs without a better average precision. `views` of each
    image are made where the frozen part is run once; `cache_bytes` bounds what they take on disk.
    """

    stages: int | None = 1
    loss: Loss = "asymmetric"
    epochs: int = 12
    patience: int = 4
    batch: int = 32
    rate: float = 3e-4
    weight_decay: float = 0.01
    warm_up: float = 0.1
    average: float = 0.99
    mixup: float = 0.2
    augmentations: int = 2
    magnitude: int = 7
    views: int = 3
    cache_bytes: int = 2 * GIB
    seed: int = 0


# Rows of the set to upright RGB pictures, uint8 [n, 3, side, side], in the extractor's shape.
Pictures = Callable[[Sequence[int]], torch.Tensor]


@dataclass(frozen=True, eq=False)
class TuningSet:
    """N images: `pictures` by row, truth int8 [N, K] (1 yes, 0 no, -1 unknown), and ids that say who is held back."""

    pictures: Pictures
    truth: NDArray[np.int8]
    image_ids: Sequence[int]

    def __len__(self) -> int:
        return len(self.image_ids)


@dataclass(frozen=True)
class Epoch:
    """One point of the curve. Epoch 0 is the frozen backbone under its best linear layer; `loss` is NaN there."""

    epoch: int
    loss: float
    held_back_loss: float
    average_precision: float
    seconds: float


@dataclass(frozen=True)
class Progress:
    """Where the work stands. `phase` is look (the frozen part runs) or train; `left_s` is at most that of the phase.

    `saved` says that a kill from now on leaves all that was done.
    """

    phase: str
    done: int
    total: int
    left_s: float | None
    curve: tuple[Epoch, ...] = ()
    notes: tuple[str, ...] = ()
    saved: bool = False


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, eq=False)
class Tuned:
    """The best weights by held-back average precision; `best` is 0 where no epoch beat the frozen backbone."""

    state: dict[str, torch.Tensor]
    curve: tuple[Epoch, ...]
    best: int
    trained_parameters: int
    notes: tuple[str, ...] = field(default=())
