"""Bootstrap intervals over images: how far a figure moves when other images had been drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.evaluation.figures import compute
from mlmodels.core.evaluation.ranking import Floats

RESAMPLES = 1000
RESAMPLES_SHOWN = (100, 400)
"""As many where an interval is only shown: the more images, the fewer, so that time stays bounded."""

CELLS = 2_000_000
MOST_IMAGES = 10_000
"""More images than this leave an interval that nobody can see; they are drawn by the seed."""


@dataclass(frozen=True)
class Interval:
    """A figure with the 2.5 % and 97.5 % quantiles of its bootstrap; NaN where nothing could be computed."""

    point: float
    lower: float
    upper: float

    @property
    def half_width(self) -> float:
        """Half the distance between the bounds."""
        return (self.upper - self.lower) / 2


def resample_counts(images: int, *, seed: int, resamples: int = RESAMPLES) -> NDArray[np.float32]:
    """How often each image is drawn in each resample, float32 [N, B]; every column sums to N.

    >>> counts = resample_counts(4, seed=0, resamples=3)
    >>> counts.shape, counts.sum(axis=0).tolist()
    ((4, 3), [4.0, 4.0, 4.0])
    """
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(images, np.full(images, 1 / images), size=resamples)
    return counts.T.astype(np.float32)


def summarise(point: float, draws: Floats) -> Interval:
    """Interval of a figure from its bootstrap `draws` [B]; NaN draws (no yes in the resample) are left out.

    >>> summarise(1.0, np.array([0.0, 1.0, 2.0, np.nan]))
    Interval(point=1.0, lower=0.05, upper=1.95)
    """
    kept = draws[np.isfinite(draws)]
    if not len(kept):
        return Interval(point, float("nan"), float("nan"))
    lower, upper = np.quantile(kept.astype(np.float64), [0.025, 0.975])
    return Interval(point, float(lower), float(upper))


@dataclass(frozen=True)
class ReportIntervals:
    """Intervals of every figure of a report by name, and of each tag's F1 and average precision."""

    overall: dict[str, Interval]
    tag_f1: tuple[Interval, ...]
    tag_average_precision: tuple[Interval, ...]


def of_report(
    truth: NDArray[np.int8],
    probabilities: Floats,
    thresholds: Floats,
    weights: Floats | None = None,
    *,
    seed: int,
) -> ReportIntervals:
    """Intervals of all that `metrics.report` gives of the same arguments.

    >>> truth = np.tile(np.array([[1], [0]], dtype=np.int8), (5, 1))
    >>> of_report(truth, truth.astype(float), np.array([0.5]), seed=0).overall["macro_average_precision"]
    Interval(point=1.0, lower=1.0, upper=1.0)
    """
    whole = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)
    point = compute(truth, probabilities, thresholds, whole[:, None])
    rows = np.arange(len(truth))
    if len(rows) > MOST_IMAGES:
        rows = np.sort(np.random.default_rng([seed, 5]).choice(len(rows), MOST_IMAGES, replace=False))
    resamples = int(np.clip(CELLS // max(1, len(rows)), *RESAMPLES_SHOWN))
    counts = resample_counts(len(rows), seed=seed, resamples=resamples) if len(rows) else np.zeros((0, 1))
    drawn = compute(
        truth[rows], probabilities[rows], thresholds, counts * whole[rows, None].astype(np.float32)
    )

    def of_tags(points: Floats, draws: Floats) -> tuple[Interval, ...]:
        return tuple(summarise(float(points[k, 0]), draws[k]) for k in range(len(points)))

    return ReportIntervals(
        overall={
            name: summarise(float(value[0]), drawn.overall[name]) for name, value in point.overall.items()
        },
        tag_f1=of_tags(point.tag_f1, drawn.tag_f1),
        tag_average_precision=of_tags(point.tag_average_precision, drawn.tag_average_precision),
    )
