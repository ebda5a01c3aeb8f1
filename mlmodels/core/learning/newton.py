"""Small regressions with a handful of coefficients, solved exactly by Newton's method."""

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.learning.solver import Floats, chunks, probability, sigmoid

ROUNDS = 15
STILL = 1e-5
"""Newton steps this short move no logit that anybody could see."""


def newton(
    features: NDArray[np.float64],
    truth: NDArray[np.float64],
    weights: NDArray[np.float64],
    centre: NDArray[np.float64],
    pull: NDArray[np.float64],
) -> NDArray[np.float64]:
    """One small ridge logistic regression around `centre`, by damped Newton; coefficients float64 [P].

    Args:
        features: [M, P]; truth, weights: [M].
        centre: [P], what the coefficients are without evidence.
        pull: [P], strength of the pull to the centre.

    >>> newton(np.zeros((0, 1)), np.zeros(0), np.zeros(0), np.array([2.0]), np.array([1.0])).tolist()
    [2.0]
    """
    at = centre.astype(np.float64)

    def loss(trial: NDArray[np.float64]) -> float:
        logits = features @ trial
        pairs = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits))) - logits * truth
        return float(weights @ pairs + 0.5 * pull @ (trial - centre) ** 2)

    current = loss(at)
    for _ in range(50):
        p = sigmoid(features @ at).astype(np.float64)
        gradient = features.T @ (weights * (p - truth)) + pull * (at - centre)
        hessian = (features * (weights * p * (1 - p))[:, None]).T @ features + np.diag(pull)
        move, step = np.linalg.solve(hessian, gradient), 1.0
        while step > 1e-6 and loss(at - step * move) > current:
            step /= 2
        if step <= 1e-6:
            break
        at = at - step * move
        after = loss(at)
        if current - after <= 1e-10 * max(1.0, abs(current)):
            break
        current = after
    return at


def newton_columns(
    parts: Floats, base: Floats, truth: Floats, weights: Floats, pulls: Floats, start: Floats | None = None
) -> Floats:
    """C ridge regressions of A coefficients each around 0, every column with figures of its own; float32 [A, C].

    Args:
        parts: float32 [A, N, C], what the coefficients scale.
        base: float32 [N, C], logits without them.
        truth, weights: float32 [N, C].
        pulls: [A], strength of the pull to 0.
        start: [A, C], zeros by default.

    >>> ones = np.ones((1, 4, 1), dtype=np.float32)
    >>> truth = np.array([[1.0], [1.0], [1.0], [0.0]], dtype=np.float32)
    >>> round(newton_columns(ones, 0 * ones[0], truth, ones[0], np.full(1, 1e-6)).item(), 2)
    1.1
    """
    at = np.zeros((len(parts), base.shape[1]), dtype=np.float32) if start is None else start.copy()
    for _ in range(ROUNDS):
        slope, bend = _expand(parts, base, truth, weights, at)
        slope += pulls[:, None] * at
        bend += np.diag(pulls)
        step = np.clip(np.linalg.solve(bend, slope.T[..., None])[..., 0].T, -1, 1).astype(np.float32)
        at -= step
        if np.abs(step).max(initial=0) < STILL:
            break
    return at


def _expand(
    parts: Floats, base: Floats, truth: Floats, weights: Floats, at: Floats
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope [A, C] and bend [C, A, A] of the losses at these coefficients."""
    count, columns = at.shape
    slope, bend = np.zeros((count, columns)), np.zeros((columns, count, count))
    for rows in chunks(*base.shape):
        part = parts[:, rows]
        p = probability(base[rows] + (part * at[:, None]).sum(axis=0))
        residuals, curvature = weights[rows] * (p - truth[rows]), weights[rows] * p * (1 - p)
        for a in range(count):
            slope[a] += (part[a] * residuals).sum(axis=0)
            scaled = part[a] * curvature
            for b in range(a + 1):
                bend[:, a, b] += (part[b] * scaled).sum(axis=0)
                bend[:, b, a] = bend[:, a, b]
    return slope, bend
