"""The best linear layer over frozen features: where fine-tuning starts, and what it has to beat.

Starting from a random layer would first distort the features that it is given (A. Kumar et al., ICLR 2022).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3)
ITERATIONS = 60

Cost = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Layer:
    """weight [K, D] and bias [K] over features that were standardised by `mean` and `scale` [D]."""

    weight: Tensor
    bias: Tensor
    mean: Tensor
    scale: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """Map features [N, D] to logits [N, K]."""
        return ((features - self.mean) * self.scale) @ self.weight.T + self.bias


def fit(features: Tensor, truth: Tensor, cost: Cost, judge: Callable[[Layer], float]) -> Layer:
    """Fit one layer for each strength of the ridge and return the one that `judge` finds best.

    Args:
        features: float [N, D].
        truth: [N, K]; below 0 unknown.
        cost: logits and truth to a scalar.
        judge: a layer to how good it is; the weakest of equal ridges wins.

    Example:
        >>> from mlmodels.core.learning.losses import binary_cross_entropy
        >>> features = torch.tensor([[-1.0], [1.0]])
        >>> layer = fit(features, torch.tensor([[0], [1]]), binary_cross_entropy, lambda layer: 1.0)
        >>> (layer(features) > 0).tolist()
        [[False], [True]]
    """
    mean = features.mean(dim=0)
    scale = 1 / features.std(dim=0, correction=0).clamp(min=1e-3)
    standard = (features - mean) * scale
    layers = [_fit_one(standard, truth, cost, strength) for strength in STRENGTHS]
    return max((Layer(weight, bias, mean, scale) for weight, bias in layers), key=judge)


def _fit_one(standard: Tensor, truth: Tensor, cost: Cost, strength: float) -> tuple[Tensor, Tensor]:
    tags = truth.shape[1]
    weight = nn.Parameter(torch.zeros(tags, standard.shape[1], device=standard.device))
    bias = nn.Parameter(torch.zeros(tags, device=standard.device))
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = cost(standard @ weight.T + bias, truth) + strength / 2 * weight.square().sum() / tags
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()
