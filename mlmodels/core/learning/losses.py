"""Losses of many tags at once, masked: truth is 1 yes, 0 no, -1 unknown, and an unknown pair costs nothing."""

import torch
from torch import Tensor
from torch.nn import functional


def binary_cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """Mean binary cross-entropy over the known pairs, a scalar; 0 where nothing is known.

    With p = sigmoid(logit) and y the truth, a pair costs -y log p - (1 - y) log(1 - p).

    Args:
        logits: float [N, K].
        truth: [N, K]; below 0 unknown, else the share of yes in [0, 1] (a mixture of two images has one between).

    Example:
        >>> truth = torch.tensor([[1.0, -1.0], [0.0, -1.0]])
        >>> round(float(binary_cross_entropy(torch.zeros(2, 2), truth)), 4)  # log 2: the unknown tag is left out
        0.6931
    """
    target = truth.to(logits.dtype).clamp(min=0)
    costs = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return _mean_known(costs, truth)


def asymmetric(
    logits: Tensor,
    truth: Tensor,
    *,
    focus_yes: float = 0.0,
    focus_no: float = 4.0,
    margin: float = 0.05,
) -> Tensor:
    """Mean asymmetric loss over the known pairs, a scalar (T. Ridnik et al., ICCV 2021, equations 4 to 7).

    With p = sigmoid(logit) and q = max(p - margin, 0), a yes costs (1 - p)^focus_yes x -log p and a no costs
    q^focus_no x -log(1 - q): easy no's, of which an image has many, fade, and very easy ones count for nothing.
    It departs from the paper in the mean over known pairs where the paper sums, so that the learning rate does not
    depend on the number of tags, and in weighting both costs for a truth between 0 and 1.

    Args:
        logits: float [N, K].
        truth: [N, K]; below 0 unknown, else the share of yes in [0, 1].
        focus_yes: the paper's gamma+, at least 0.
        focus_no: the paper's gamma-, at least 0.
        margin: the paper's m, in [0, 1).

    Example:
        >>> logits = torch.tensor([[0.0, 0.0, -9.0]])
        >>> truth = torch.tensor([[1.0, 0.0, 0.0]])
        >>> loss = asymmetric(logits, truth)  # (log 2 + 0.45^4 x -log 0.55 + 0) / 3
        >>> round(float(loss), 4)
        0.2392
    """
    yes = torch.sigmoid(logits)
    no = (yes - margin).clamp(min=0)
    # log p by its own stable formula; 1 - q is at least the margin or 1 - p, and is kept away from 0.
    cost_yes = (1 - yes) ** focus_yes * -functional.logsigmoid(logits)
    cost_no = no**focus_no * -torch.log((1 - no).clamp(min=1e-8))
    target = truth.to(logits.dtype).clamp(min=0)
    return _mean_known(target * cost_yes + (1 - target) * cost_no, truth)


def _mean_known(costs: Tensor, truth: Tensor) -> Tensor:
    known = truth >= 0
    return torch.where(known, costs, 0.0).sum() / known.sum().clamp(min=1)
