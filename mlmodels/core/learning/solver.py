"""Many ridge logistic regressions at once: one L-BFGS over all columns, each with its own truth and mask.

Columns are independent problems that share the features, so that every iteration is two matrix products.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MEMORY = 6
MOST_TRIES = 14
PAIRS_AT_ONCE = 65_536
"""So many pairs stay in a core's cache while the few element-wise steps pass over them."""

UPHILL = 0.5
"""A step is too long where the loss rises more than half as steeply as it fell at the start."""


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

    def at(self, start: Floats) -> "_State":
        """The columns at these coefficients [R, C]."""
        logits = np.asarray(self.features @ start + self.offsets, dtype=np.float32)
        residuals, _ = _look(logits, self.truth, self.weights)
        return _State(
            columns=np.arange(start.shape[1]),
            truth=self.truth,
            weights=self.weights,
            at=start.copy(),
            logits=logits,
            gradients=self.gradients(residuals, start),
            scale=self._scale(logits),
            history=[],
        )

    def gradients(self, residuals: Floats, coefficients: Floats) -> Floats:
        """Gradients [R, C] of the penalised negative log likelihood, from `_look`'s residuals [N, C]."""
        return np.asarray(self.features.T @ residuals + self.ridge * coefficients, dtype=np.float32)

    def _scale(self, logits: Floats) -> Floats:
        """Inverse curvature along each coefficient, [R, C]."""
        curvature = np.full((self.features.shape[1], logits.shape[1]), self.ridge, dtype=np.float32)
        for rows in chunks(len(logits), max(self.features.shape[1], logits.shape[1])):
            p = probability(logits[rows])
            curvature += np.square(self.features[rows]).T @ (self.weights[rows] * p * (1 - p))
        return np.asarray(1 / curvature, dtype=np.float32)


@dataclass
class _State:
    """Where the columns that are still sought stand; `columns` are their places in the problem."""

    columns: NDArray[np.intp]  # [C]
    truth: Floats  # [N, C]
    weights: Floats  # [N, C]
    at: Floats  # [R, C]
    logits: Floats  # [N, C]
    gradients: Floats  # [R, C]
    scale: Floats  # [R, C]
    history: list[
        tuple[Floats, Floats, Floats]
    ]  # moves [R, C], turns of the gradient [R, C], 1 / their product [C]

    def only(self, kept: NDArray[np.bool_]) -> "_State":
        return _State(
            columns=self.columns[kept],
            truth=self.truth[:, kept],
            weights=self.weights[:, kept],
            at=self.at[:, kept],
            logits=self.logits[:, kept],
            gradients=self.gradients[:, kept],
            scale=self.scale[:, kept],
            history=[
                (moved[:, kept], turned[:, kept], inverse[kept]) for moved, turned, inverse in self.history
            ],
        )


def solve(
    problem: Problem, start: Floats | None = None, *, tolerance: float = 1e-3, iterations: int = 100
) -> Floats:
    """Coefficients [R, C] that minimise every column's loss.

    L-BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.5) with a diagonal preconditioner from the
    curvature at the start, and a step of its own per column. The losses are convex: along a direction the slope
    only grows, so that it alone tells a step that is too long, and no loss has to be computed.

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
    shape = (problem.features.shape[1], problem.truth.shape[1])
    result = np.zeros(shape, dtype=np.float32) if start is None else start.astype(np.float32)
    state = problem.at(result)
    for _ in range(iterations):
        sought = np.linalg.norm(state.gradients, axis=0) > tolerance
        if not sought.all():
            result[:, state.columns[~sought]] = state.at[:, ~sought]
            if not sought.any():
                return result
            state = state.only(sought)
        _advance(problem, state)
    result[:, state.columns] = state.at
    return result


def _advance(problem: Problem, state: _State) -> None:
    """One iteration of all columns."""
    direction = _direction(state.gradients, state.history, state.scale)
    change = np.asarray(problem.features @ direction, dtype=np.float32)
    moved, residuals = _step(problem.ridge, state, direction, change)
    before = state.gradients
    state.at = state.at + moved
    state.gradients = problem.gradients(residuals, state.at)
    turned = state.gradients - before
    inner = (moved * turned).sum(axis=0)
    inverse = np.divide(1, inner, out=np.zeros_like(inner), where=inner > 1e-12)
    state.history = [*state.history[-MEMORY + 1 :], (moved, turned, inverse)]


def _step(ridge: float, state: _State, direction: Floats, change: Floats) -> tuple[Floats, Floats]:
    """Move the logits as far as pays; returns what to add to the coefficients [R, C], and residuals [N, C] there.

    A step that is too long is cut to where the slope would be 0 if it grew evenly.
    """
    downhill = -(direction * state.gradients).sum(axis=0)
    bend, pull = ridge * np.square(direction).sum(axis=0), ridge * (state.at * direction).sum(axis=0)
    steps = np.ones(len(downhill), dtype=np.float32)
    logits = state.logits + change
    residuals, slopes = _look(logits, state.truth, state.weights, change)
    slopes += pull + steps * bend
    for _ in range(MOST_TRIES):
        long = np.flatnonzero(slopes > UPHILL * downhill)
        if not len(long):
            break
        steps[long] *= downhill[long] / (downhill[long] + slopes[long])
        logits[:, long] = state.logits[:, long] + steps[long] * change[:, long]
        residuals[:, long], slopes[long] = _look(
            logits[:, long], state.truth[:, long], state.weights[:, long], change[:, long]
        )
        slopes[long] += pull[long] + steps[long] * bend[long]
    state.logits = logits
    return steps * direction, residuals


def _look(
    logits: Floats, truth: Floats, weights: Floats, change: Floats | None = None
) -> tuple[Floats, Floats]:
    """Residuals [N, C], and the slope [C] of the unpenalised loss along `change` [N, C]."""
    residuals, slopes = np.empty_like(logits), np.zeros(logits.shape[1])
    for rows in chunks(*logits.shape):
        part = probability(logits[rows])
        part -= truth[rows]
        part *= weights[rows]
        residuals[rows] = part
        if change is not None:
            slopes += (part * change[rows]).sum(axis=0)
    return residuals, slopes.astype(np.float32)


def probability(logits: Floats) -> Floats:
    """The sigmoid by way of tanh, float32: fast, and exact enough for a gradient.

    >>> probability(np.zeros(1, dtype=np.float32)).tolist()
    [0.5]
    """
    half = np.tanh(0.5 * logits)
    half += 1
    half *= 0.5
    return np.asarray(half, dtype=np.float32)


def chunks(rows: int, width: int) -> Iterator[slice]:
    """Slices of `rows` rows, of about PAIRS_AT_ONCE values each where a row has `width` of them.

    >>> list(chunks(3, PAIRS_AT_ONCE // 2))
    [slice(0, 2, None), slice(2, 4, None)]
    """
    size = max(1, PAIRS_AT_ONCE // max(1, width))
    for start in range(0, rows, size):
        yield slice(start, start + size)


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
