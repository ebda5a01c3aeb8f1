"""Runs the frozen part of a backbone: OpenVINO where it may and agrees with torch, as for features; else torch."""

import logging
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from mlmodels.core.errors import EngineError
from mlmodels.core.learning.stages import Front
from mlmodels.core.vision.engines import AGREEMENT, OpenVinoEngine, agreement

# Converting takes seconds: fewer passes than this are done sooner without.
WORTH_CONVERTING = 500

_log = logging.getLogger(__name__)

Run = Callable[[Tensor], Tensor]


def runner(front: Front, probe: Tensor, *, passes: int) -> Run:
    """What maps pixels [N, 3, side, side] to activations, on the device of `probe` [2, 3, side, side].

    Args:
        front: in evaluation mode.
        probe: two pictures to compare engines on.
        passes: how many pictures will be run.

    Example:
        >>> front = Front(nn.Identity())
        >>> front.model.forward_features = lambda pixels: 2 * pixels
        >>> float(runner(front, torch.ones(2, 3, 4, 4), passes=10)(torch.ones(1, 3, 4, 4)).mean())
        2.0
    """

    @torch.no_grad()
    def by_torch(pixels: Tensor) -> Tensor:
        activations: Tensor = front(pixels.contiguous(memory_format=torch.channels_last))
        return activations

    if probe.device.type != "cpu" or passes < WORTH_CONVERTING:
        return by_torch
    try:
        engine = OpenVinoEngine(_Doubled(front), side_px=probe.shape[-1], threads=torch.get_num_threads())
    except EngineError as error:
        _log.info("the frozen part runs on torch: %s", error)
        return by_torch

    def by_openvino(pixels: Tensor) -> Tensor:
        return torch.from_numpy(engine.run(np.ascontiguousarray(pixels.numpy()))[0])

    found, wanted = (by(probe).flatten(1).numpy() for by in (by_openvino, by_torch))
    return by_openvino if agreement(found, wanted) > AGREEMENT else by_torch


class _Doubled(nn.Module):
    """Engines give two answers; here the second is a stand-in."""

    def __init__(self, front: Front) -> None:
        super().__init__()
        self.front = front

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        activations = self.front(pixels)
        return activations, activations.flatten(1)[:, :1]
