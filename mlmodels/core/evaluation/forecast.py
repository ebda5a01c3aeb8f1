"""What more answers would bring: a learning curve through average precisions at smaller numbers of images.

The curve is a power law, a - b * n^-c (C. Cortes et al. 1993, "Learning curves: asymptotic values and rate of
convergence", NIPS 6), its interval a bootstrap over the points. Where the points come from is `learning.ladder`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.errors import TrainingDataError

EXPONENTS = np.geomspace(0.05, 1.5, 24)
USUAL_EXPONENT, PULL = 0.1, 1.0
"""Few points hardly tell exponents apart: they are drawn to a usual one, as far as the scatter of points allows."""

FEWEST_SIZES = 3
RESAMPLES = 200
LEAST_SCATTER = 0.006
"""Average precision moves by this between draws even where a few points happen to agree."""

QUANTILES = (0.05, 0.95)
WORTH_IT = 0.01
"""A tag that would gain less than this from twice the images is learnt as far as it goes."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """Average precision of a fit on so many images."""

    images: int
    value: float


@dataclass(frozen=True)
class Curve:
    """a - b * n^-c: `limit` a in [0, 1], `scale` b >= 0, `exponent` c > 0."""

    limit: float
    scale: float
    exponent: float

    def at(self, images: float) -> float:
        """The value at so many images.

        >>> round(Curve(0.8, 1.0, 0.5).at(100), 2)
        0.7
        """
        return float(self.limit - self.scale * images**-self.exponent)


@dataclass(frozen=True)
class Forecast:
    """What is expected at `images`, in nine of ten cases between `lower` and `upper`; `now` is the curve today.

    `gain_lower` and `gain_upper` bound the difference, which is surer than the two values are.
    """

    images: int
    now: float
    value: float
    lower: float
    upper: float
    gain_lower: float
    gain_upper: float

    @property
    def gain(self) -> float:
        """How much the value is expected to rise."""
        return self.value - self.now


def fit_curve(points: Sequence[Point], *, exponent: float | None = None) -> Curve:
    """The power law nearest to the points, each of weight in proportion to its images.

    Args:
        points: of at least two numbers of images.
        exponent: given where one curve alone says too little, as for a single tag; else sought.

    Raises:
        TrainingDataError: if there are fewer numbers of images, or a value is no number in [0, 1].

    >>> points = [Point(n, 0.8 - n**-0.5) for n in (25, 50, 100, 200)]
    >>> round(fit_curve(points, exponent=0.5).limit, 3)
    0.8
    """
    images, values = _arrays(points, fewest=2)
    weights = images / images.sum()
    candidates = EXPONENTS if exponent is None else np.array([exponent])
    fits = [_bounded(images**-one, values, weights) for one in candidates]
    lost = np.array(
        [
            (weights * (limit - scale * images**-one - values) ** 2).sum()
            for one, (limit, scale) in zip(candidates, fits, strict=True)
        ]
    )
    scatter = max(lost.min(), LEAST_SCATTER**2) / len(points)
    best = int(np.argmin(lost + PULL * scatter * np.log(candidates / USUAL_EXPONENT) ** 2))
    return Curve(*fits[best], exponent=float(candidates[best]))


def forecast(
    points: Sequence[Point], *, now: int, then: Sequence[int], seed: int, exponent: float | None = None
) -> list[Forecast]:
    """What is expected at each number of images of `then`; nothing where the points are too few to say.

    The interval: points are drawn anew within each number of images, moved by the scatter around the curve, and
    fitted again; what comes then scatters like them.

    Args:
        points: of at least `FEWEST_SIZES` numbers of images, else the answer is empty.
        now: images today.
        then: images later, of which more than twice `now` is a guess that was never measured.
        seed: of the bootstrap.
        exponent: as in `fit_curve`.

    >>> points = [Point(n, 0.8 - n**-0.5) for n in (25, 50, 100, 200)]
    >>> [one] = forecast(points, now=200, then=[400], seed=0)
    >>> one.lower < 0.75 < one.upper, abs(one.value - 0.75) < 0.01
    (True, True)
    """
    if len({point.images for point in points}) < FEWEST_SIZES:
        return []
    curve = fit_curve(points, exponent=exponent)
    scatter = _scatter(points, curve)
    rng = np.random.default_rng([seed, 7])
    draws = [fit_curve(_resample(points, scatter, rng), exponent=exponent) for _ in range(RESAMPLES)]
    today = np.array([drawn.at(now) for drawn in draws])
    expected = []
    for images in then:
        later = np.array([drawn.at(images) for drawn in draws]) + scatter * rng.standard_normal(RESAMPLES)
        lower, upper = _around(curve.at(images), later)
        gain_lower, gain_upper = _around(curve.at(images) - curve.at(now), later - today)
        expected.append(
            Forecast(images, curve.at(now), curve.at(images), lower, upper, max(0.0, gain_lower), gain_upper)
        )
    return expected


def would_help(doubled: Forecast) -> bool | None:
    """Whether twice the images would teach a tag more; None where the points cannot tell.

    >>> would_help(Forecast(200, 0.6, 0.65, 0.6, 0.7, 0.02, 0.08))
    True
    """
    if doubled.gain >= WORTH_IT and doubled.gain_lower > 0:
        return True
    return False if doubled.gain_upper < 2 * WORTH_IT else None


def _around(value: float, draws: Floats) -> tuple[float, float]:
    """Bounds by the draws, which hold the value itself."""
    lower, upper = np.clip(np.quantile(draws, QUANTILES), -1.0, 1.0)
    return min(value, float(lower)), max(value, float(upper))


def _arrays(points: Sequence[Point], *, fewest: int) -> tuple[Floats, Floats]:
    images = np.array([point.images for point in points], dtype=np.float64)
    values = np.array([point.value for point in points], dtype=np.float64)
    if len(set(images.tolist())) < fewest or (images < 1).any():
        raise TrainingDataError(
            "points", f"expected at least {fewest} numbers of images, got {sorted(set(images.tolist()))}"
        )
    if not ((values >= 0) & (values <= 1)).all():
        raise TrainingDataError("points", "expected values in [0, 1]; leave out what could not be measured")
    return images, values


def _bounded(x: Floats, y: Floats, weights: Floats) -> tuple[float, float]:
    """(a, b) of y = a - b x by weighted least squares, with b >= 0 and a in [0, 1]."""
    mean_x, mean_y = float((weights * x).sum()), float((weights * y).sum())
    spread = float((weights * (x - mean_x) ** 2).sum())
    slope = float((weights * (x - mean_x) * (y - mean_y)).sum()) / spread if spread > 0 else 0.0
    scale = max(0.0, -slope)
    limit = mean_y + scale * mean_x
    if limit > 1.0:  # the best on the bound: a line through a = 1
        limit, scale = 1.0, float((weights * x * (1.0 - y)).sum() / (weights * x * x).sum())
    return limit, scale


def _scatter(points: Sequence[Point], curve: Curve) -> float:
    """How far a fit lies from the curve, as a deviation; the curve has used up two of the points."""
    lost = sum((point.value - curve.at(point.images)) ** 2 for point in points)
    return max(float(np.sqrt(lost / max(1, len(points) - 2))), LEAST_SCATTER)


def _resample(points: Sequence[Point], scatter: float, rng: np.random.Generator) -> list[Point]:
    """The points drawn again, as many of each number of images as there are, and moved."""
    by_size: dict[int, list[float]] = {}
    for point in points:
        by_size.setdefault(point.images, []).append(point.value)
    return [
        Point(images, float(np.clip(value + scatter * rng.standard_normal(), 0.0, 1.0)))
        for images, values in by_size.items()
        for value in rng.choice(values, len(values))
    ]
