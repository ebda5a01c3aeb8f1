"""Every figure of an evaluation under many sets of image weights at once: a point and its bootstrap are one code.

One column of weights is one evaluation: the images as they are, or one resample. What is stored and shown of them is
`metrics.Report`; how far they move is `intervals`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.evaluation import effort, ranking
from mlmodels.core.evaluation.ranking import AveragePrecision, Floats

CALIBRATION_FLOOR = 0.1
"""Pairs below this probability say nothing about calibration: almost all are certain no's."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """`overall`: name to [B], NaN where nothing can be measured; `tag_f1` and `tag_average_precision`: [K, B]."""

    overall: dict[str, Array]
    tag_f1: Array
    tag_average_precision: Array


def compute(truth: NDArray[np.int8], probabilities: Floats, thresholds: Floats, weights: Floats) -> Figures:
    """All figures of N images and K tags under B sets of weights; macro figures over tags with enough yes.

    Args:
        truth: int8 [N, K], 1 yes, 0 no, -1 unknown.
        probabilities: [N, K] in [0, 1].
        thresholds: [K]; a tag is offered from its threshold on.
        weights: [N, B], not negative.

    >>> found = compute(np.array([[1, 0], [1, 1]], dtype=np.int8), np.array([[0.9, 0.2], [0.9, 0.4]]),
    ...                 np.array([0.5, 0.5]), np.array([[1.0, 1.0], [1.0, 0.0]]))
    >>> found.overall["micro_f1"].tolist(), found.overall["corrections"].tolist()
    ([0.8, 1.0], [0.5, 0.0])
    """
    offered = probabilities >= thresholds
    hits, false, missed = ((truth == 1) & offered, (truth == 0) & offered, (truth == 1) & ~offered)
    tag_f1 = f1(*(_weighed(pairs.T, weights) for pairs in (hits, false, missed)))
    tag_ap = AveragePrecision(truth, probabilities).per_tag(weights)
    tags = ranking.evaluated_tags(truth)
    sums = [_weighed(pairs.sum(axis=1), weights) for pairs in (hits, false, missed)]
    empty = effort.keystrokes(truth, np.zeros(probabilities.shape), np.ones(len(thresholds)), chips=0)
    per_image = {
        "precision_at_3": ranking.precisions_at(truth, probabilities, 3),
        "recall_at_5": ranking.recalls_at(truth, probabilities, 5),
        "subset_accuracy": _all_right(truth, offered),
        "corrections": effort.corrections(truth, offered),
        "empty_form_corrections": effort.corrections(truth, np.zeros_like(offered)),
        "keystrokes": effort.keystrokes(truth, probabilities, thresholds),
        "empty_form_keystrokes": empty,
    }
    overall = {
        "macro_average_precision": ranking.mean_over_tags(tag_ap[tags]),
        "micro_precision": share(sums[0], sums[0] + sums[1]),
        "micro_recall": share(sums[0], sums[0] + sums[2]),
        "micro_f1": f1(*sums),
        "macro_f1": ranking.mean_over_tags(tag_f1[tags]),
        "calibration_error": calibration_errors(truth, probabilities, weights),
    }
    overall |= {name: _means(values, weights) for name, values in per_image.items()}
    return Figures(overall, tag_f1, tag_ap)


def _all_right(truth: NDArray[np.int8], offered: NDArray[np.bool_]) -> Array:
    """1 where every known tag of an image was offered exactly when it is a yes, else 0; NaN where none is known."""
    right = (effort.corrections(truth, offered) == 0).astype(np.float64)
    return np.where((truth >= 0).any(axis=1), right, np.nan)


def share(part: Floats, whole: Floats) -> Array:
    """`part / whole`, element by element; 0 where there is no whole.

    >>> share(np.array([3.0, 0.0]), np.array([4.0, 0.0])).tolist()
    [0.75, 0.0]
    """
    whole = np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.zeros(whole.shape), where=whole > 0)


def f1(hits: Floats, false: Floats, missed: Floats) -> Array:
    """Harmonic mean of precision and recall, element by element; 0 where nothing was hit.

    >>> f1(np.array([2.0]), np.array([1.0]), np.array([1.0])).round(4).tolist()
    [0.6667]
    """
    twice = 2 * np.asarray(hits, dtype=np.float64)
    return share(twice, twice + false + missed)


def calibration_errors(
    truth: NDArray[np.int8],
    probabilities: Floats,
    weights: Floats,
    *,
    bins: int = 10,
    floor: float = CALIBRATION_FLOOR,
) -> Array:
    """Expected calibration error [B] over known pairs with a probability of at least `floor`; NaN without one.

    Bins of equal width (Guo et al. 2017, arXiv 1706.04599, here over pairs rather than the best class):
    the mean over pairs of |share of yes - mean probability| of their bin.

    >>> calibration_errors(np.array([[1, 0]], dtype=np.int8), np.array([[0.75, 0.75]]), np.ones((1, 1))).tolist()
    [0.25]
    """
    images, columns = np.nonzero((truth >= 0) & (probabilities >= floor))
    p = probabilities[images, columns].astype(np.float64)
    place = np.minimum((p * bins).astype(np.intp), bins - 1)
    gaps = np.bincount(
        images * bins + place, (truth[images, columns] == 1) - p, minlength=len(truth) * bins
    ).reshape(len(truth), bins)
    pairs = np.bincount(images, minlength=len(truth)) @ weights.astype(np.float64)
    errors = np.abs(gaps.T @ weights).sum(axis=0)
    return np.divide(errors, pairs, out=np.full(weights.shape[1], np.nan), where=pairs > 0)


def _weighed(pairs: NDArray[np.generic], weights: Floats) -> Array:
    """[..., N] of counts or booleans under weights [N, B]."""
    return np.asarray(pairs.astype(weights.dtype) @ weights, dtype=np.float64)


def _means(values: Floats, weights: Floats) -> Array:
    """Weighted means [B] of one value an image, leaving NaN out; NaN where nothing is left."""
    known = np.isfinite(values)
    below = known.astype(np.float64) @ weights
    above = np.where(known, values, 0.0) @ weights
    return np.divide(above, below, out=np.full(weights.shape[1], np.nan), where=below > 0)
