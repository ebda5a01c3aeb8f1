"""Bootstrap intervals over images: how far a figure moves when other images had been drawn."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.evaluation.ranking import AveragePrecision, Floats, evaluated_tags

RESAMPLES = 1000


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


def of_mean(per_image: Floats, *, seed: int, resamples: int = RESAMPLES) -> Interval:
    """Interval of the mean of one figure per image, [N].

    >>> of_mean(np.full(5, 2.0), seed=0)
    Interval(point=2.0, lower=2.0, upper=2.0)
    """
    if not len(per_image):
        return Interval(float("nan"), float("nan"), float("nan"))
    counts = resample_counts(len(per_image), seed=seed, resamples=resamples)
    draws = np.asarray(per_image, dtype=np.float64) @ counts / len(per_image)
    return summarise(float(np.mean(per_image)), draws)


def of_macro_average_precision(
    truth: NDArray[np.int8], scores: Floats, *, seed: int, resamples: int = RESAMPLES
) -> Interval:
    """Interval of macro average precision over the tags with enough yes; `truth` int8 and `scores` [N, K].

    >>> truth = np.tile(np.array([[1], [0]], dtype=np.int8), (5, 1))
    >>> of_macro_average_precision(truth, truth.astype(float), seed=0)
    Interval(point=1.0, lower=1.0, upper=1.0)
    """
    tags = evaluated_tags(truth)
    if not tags.any():
        return Interval(float("nan"), float("nan"), float("nan"))
    ranks = AveragePrecision(truth[:, tags], scores[:, tags])
    counts = resample_counts(len(truth), seed=seed, resamples=resamples)
    point = float(np.nanmean(ranks.per_tag(np.ones((len(truth), 1)))))
    return summarise(point, mean_over_tags(ranks.per_tag(counts)))


def mean_over_tags(values: Floats) -> NDArray[np.float64]:
    """Mean over tags of [K, B], leaving NaN out; NaN where a column has nothing else.

    >>> mean_over_tags(np.array([[1.0, np.nan], [np.nan, np.nan]])).tolist()
    [1.0, nan]
    """
    present = np.isfinite(values)
    number = present.sum(axis=0)
    total = np.where(present, values, 0.0).sum(axis=0)
    result = np.full(values.shape[1], np.nan)
    np.divide(total, number, out=result, where=number > 0)
    return result


def of_any(
    figure: Callable[[NDArray[np.intp]], float], images: int, *, seed: int, resamples: int = 200
) -> Interval:
    """Interval of any figure of a set of images; `figure` gets the row numbers of one resample, with repeats.

    For F1 and other ratios that are neither a mean nor average precision.

    >>> of_any(lambda rows: float(len(rows)), 7, seed=0)
    Interval(point=7.0, lower=7.0, upper=7.0)
    """
    if not images:
        return Interval(float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    draws = np.array([figure(rng.integers(0, images, size=images)) for _ in range(resamples)])
    return summarise(figure(np.arange(images)), draws)
