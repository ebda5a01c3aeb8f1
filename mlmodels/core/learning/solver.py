"""Many ridge logistic regressions at once: one L-BFGS over all columns, each with its own truth and mask.

Columns are independent problems that share the features, so that every iteration is two matrix products.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MEMORY = 6
MOST_HALVINGS = 14
SUFFICIENT_DECREASE = 1e-4


def sigmoid(logits: NDArray[np.floating]) -> Floats:
    """Logistic function without overflow, in [0, 1], as float32.

    >>> sigmoid(np.array([0.0, -1000.0])).tolist()
    [0.5, 0.0]
    """
    small = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1 / (1 + small), small / (1 + small)), dtype=np.float32)


@dataclass(frozen=True)
class Problem:
    """C ridge logistic regressions over the same features.

    Attributes:
        features: float32 [N, R]; best if its columns are orthogonal (the preconditioner is diagonal).
        truth: float32 [N, C] in [0, 1].
        weights: float32 [N, C]; 0 masks a pair.
        offsets: float32 [N, C], the logits that all coefficients 0 stand for.
        ridge: strength of the pull to 0.
    """

    features: Floats
    truth: Floats
    weights: Floats
    offsets: Floats
    ridge: float

    def losses(self, logits: Floats, coefficients: Floats) -> NDArray[np.float64]:
        """Penalised negative log likelihood of each column, float64 [C]."""
        pairs = np.maximum(logits, 0) - logits * self.truth + np.log1p(np.exp(-np.abs(logits)))
        penalty = 0.5 * self.ridge * (coefficients.astype(np.float64) ** 2).sum(axis=0)
        return np.asarray((self.weights * pairs).sum(axis=0, dtype=np.float64) + penalty)

    def gradients(self, logits: Floats, coefficients: Floats) -> Floats:
        """Gradient of `losses`, [R, C]."""
        residuals = self.weights * (sigmoid(logits) - self.truth)
        return np.asarray(self.features.T @ residuals + self.ridge * coefficients, dtype=np.float32)


def solve(
    problem: Problem, start: Floats | None = None, *, tolerance: float = 1e-3, iterations: int = 100
) -> Floats:
    """Coefficients [R, C] that minimise every column's loss.

    L-BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.5) with a backtracking step per column and
    a diagonal preconditioner from the curvature at the offsets.

    Args:
        problem: what to fit.
        start: [R, C], zeros by default; the optimum does not depend on it.
        tolerance: a column is done when its gradient is shorter; its optimum is then no further
            away than tolerance / ridge.
        iterations: at most so many.

    >>> ones = np.ones((4, 1), dtype=np.float32)
    >>> truth = np.array([[1.0], [1.0], [1.0], [0.0]], dtype=np.float32)
    >>> bool(abs(solve(Problem(ones, truth, ones, 0 * ones, 1e-6))[0, 0] - np.log(3)) < 0.01)
    True
    """
    features = problem.features
    shape = (features.shape[1], problem.truth.shape[1])
    at = np.zeros(shape, dtype=np.float32) if start is None else start.astype(np.float32)
    logits = np.asarray(features @ at + problem.offsets, dtype=np.float32)
    expected = sigmoid(problem.offsets)
    curvature = (features**2).T @ (problem.weights * expected * (1 - expected))
    scale = (1 / (problem.ridge + curvature)).astype(np.float32)
    losses, gradients = problem.losses(logits, at), problem.gradients(logits, at)
    history: list[tuple[Floats, Floats, Floats]] = []
    for _ in range(iterations):
        if (np.linalg.norm(gradients, axis=0) <= tolerance).all():
            break
        direction = _direction(gradients, history, scale)
        slope = (direction * gradients).sum(axis=0)
        change = np.asarray(features @ direction, dtype=np.float32)
        step = np.ones(shape[1], dtype=np.float32)
        for _ in range(MOST_HALVINGS):
            tried = problem.losses(logits + step * change, at + step * direction)
            fine = tried <= losses + SUFFICIENT_DECREASE * step * slope + 1e-7 * np.abs(losses)
            if fine.all():
                break
            step[~fine] /= 2
        step[~fine] = 0
        moved = step * direction
        at, logits = at + moved, logits + step * change
        losses, before = problem.losses(logits, at), gradients
        gradients = problem.gradients(logits, at)
        turned = gradients - before
        inner = (moved * turned).sum(axis=0)
        inverse = np.divide(1, inner, out=np.zeros_like(inner), where=inner > 1e-12)
        history = [*history[-MEMORY + 1 :], (moved, turned, inverse)]
        if not step.any():
            break
    return at


def _direction(gradients: Floats, history: list[tuple[Floats, Floats, Floats]], scale: Floats) -> Floats:
    """The two-loop recursion, column by column; a column without history falls back to scaled descent."""
    result = gradients.copy()
    factors = []
    for moved, turned, inverse in reversed(history):
        factor = inverse * (moved * result).sum(axis=0)
        result -= factor * turned
        factors.append(factor)
    result *= scale
    for (moved, turned, inverse), factor in zip(history, reversed(factors), strict=True):
        result += moved * (factor - inverse * (turned * result).sum(axis=0))
    rising = (result * gradients).sum(axis=0) <= 0
    result[:, rising] = (scale * gradients)[:, rising]
    return -result


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
        pairs = np.logaddexp(0, logits) - logits * truth
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
