"""Measures of offered tags and of probabilities, with unknown pairs masked; rankings are in `ranking`.

Truth is int8 [N, K] with 1 yes, 0 no, -1 unknown. `report` gathers all figures that a model version shows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.evaluation import effort, ranking
from mlmodels.core.evaluation.ranking import Floats

CALIBRATION_FLOOR = 0.1
"""Pairs below this probability say nothing about calibration: almost all are certain no's."""


@dataclass(frozen=True)
class Counts:
    """Hits, false offers and misses of every tag, float64 [K] (weighted counts)."""

    hits: NDArray[np.float64]
    false: NDArray[np.float64]
    missed: NDArray[np.float64]

    @property
    def support(self) -> NDArray[np.float64]:
        """Yes of every tag, [K]."""
        return self.hits + self.missed


@dataclass(frozen=True)
class Report:
    """Every figure of one evaluation; macro figures are over `macro_tags` tags, NaN where there is none."""

    images: int
    macro_tags: int
    macro_average_precision: float
    micro_precision: float
    micro_recall: float
    micro_f1: float
    macro_f1: float
    precision_at_3: float
    recall_at_5: float
    subset_accuracy: float
    calibration_error: float
    corrections: float
    empty_form_corrections: float
    keystrokes: float
    empty_form_keystrokes: float
    tag_f1: tuple[float, ...]
    tag_average_precision: tuple[float, ...]
    tag_support: tuple[int, ...]


def count(truth: NDArray[np.int8], offered: NDArray[np.bool_], weights: Floats | None = None) -> Counts:
    """Count hits, false offers and misses of every tag.

    Args:
        truth: int8 [N, K], 1 yes, 0 no, -1 unknown.
        offered: bool [N, K].
        weights: [N], 1 by default.

    >>> counts = count(np.array([[1, 0, -1]], dtype=np.int8), np.array([[True, True, True]]))
    >>> counts.hits.tolist(), counts.false.tolist(), counts.missed.tolist()
    ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0])
    """
    w = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)
    return Counts(
        hits=w @ ((truth == 1) & offered),
        false=w @ ((truth == 0) & offered),
        missed=w @ ((truth == 1) & ~offered),
    )


def precision(hits: float, false: float) -> float:
    """Share of offers that were right; 0 where nothing was offered.

    >>> precision(3, 1)
    0.75
    """
    return hits / (hits + false) if hits + false > 0 else 0.0


def recall(hits: float, missed: float) -> float:
    """Share of yes that were offered; 0 where there is no yes.

    >>> recall(3, 3)
    0.5
    """
    return hits / (hits + missed) if hits + missed > 0 else 0.0


def f1(hits: Floats, false: Floats, missed: Floats) -> NDArray[np.float64]:
    """Harmonic mean of precision and recall, element by element; 0 where nothing was hit.

    >>> f1(np.array([2.0]), np.array([1.0]), np.array([1.0])).round(4).tolist()
    [0.6667]
    """
    below = 2 * np.asarray(hits, dtype=np.float64) + false + missed
    return np.divide(
        2 * np.asarray(hits, dtype=np.float64), below, out=np.zeros(below.shape), where=below > 0
    )


def subset_accuracy(truth: NDArray[np.int8], offered: NDArray[np.bool_]) -> float:
    """Share of images whose every known tag was offered exactly when it is a yes; NaN without images.

    >>> subset_accuracy(np.array([[1, -1], [0, 1]], dtype=np.int8), np.array([[True, True], [True, True]]))
    0.5
    """
    if not len(truth):
        return float("nan")
    return float((effort.wrong(truth, offered).sum(axis=1) == 0).mean())


def calibration_error(
    truth: NDArray[np.int8],
    probabilities: Floats,
    *,
    bins: int = 10,
    floor: float = CALIBRATION_FLOOR,
    weights: Floats | None = None,
) -> float:
    """Expected calibration error over known pairs with a probability of at least `floor`; NaN without one.

    Bins of equal width (Guo et al. 2017, arXiv 1706.04599, here over pairs rather than the best class):
    the mean over pairs of |share of yes - mean probability| of their bin.

    >>> calibration_error(np.array([[1, 0]], dtype=np.int8), np.array([[0.75, 0.75]]))
    0.25
    """
    used = (truth >= 0) & (probabilities >= floor)
    if not used.any():
        return float("nan")
    p = probabilities[used].astype(np.float64)
    w = np.ones(len(p)) if weights is None else np.broadcast_to(weights[:, None], truth.shape)[used]
    place = np.minimum((p * bins).astype(np.intp), bins - 1)
    gap = np.bincount(place, w * ((truth[used] == 1) - p), minlength=bins)
    return float(np.abs(gap).sum() / w.sum())


def report(
    truth: NDArray[np.int8], probabilities: Floats, thresholds: Floats, weights: Floats | None = None
) -> Report:
    """Compute every figure of one evaluation.

    Args:
        truth: int8 [N, K], 1 yes, 0 no, -1 unknown.
        probabilities: [N, K] in [0, 1].
        thresholds: [K]; a tag is offered from its threshold on.
        weights: [N] inverse draw probabilities. P@3, R@5 and subset accuracy are plain means over images.

    >>> figures = report(np.array([[1, 0]], dtype=np.int8), np.array([[0.9, 0.2]]), np.array([0.5, 0.5]))
    >>> figures.micro_f1, figures.corrections, figures.keystrokes
    (1.0, 0.0, 1.0)
    """
    offered = probabilities >= thresholds
    counts = count(truth, offered, weights)
    hits, false, missed = (float(part.sum()) for part in (counts.hits, counts.false, counts.missed))
    tags = ranking.evaluated_tags(truth)
    tag_f1 = f1(counts.hits, counts.false, counts.missed)
    nothing = np.zeros_like(offered)
    empty = np.zeros_like(probabilities)
    return Report(
        images=len(truth),
        macro_tags=int(tags.sum()),
        macro_average_precision=ranking.macro_average_precision(truth, probabilities, weights=weights),
        micro_precision=precision(hits, false),
        micro_recall=recall(hits, missed),
        micro_f1=float(f1(np.array(hits), np.array(false), np.array(missed))),
        macro_f1=float(tag_f1[tags].mean()) if tags.any() else float("nan"),
        precision_at_3=ranking.precision_at(truth, probabilities, 3),
        recall_at_5=ranking.recall_at(truth, probabilities, 5),
        subset_accuracy=subset_accuracy(truth, offered),
        calibration_error=calibration_error(truth, probabilities, weights=weights),
        corrections=_mean(effort.corrections(truth, offered), weights),
        empty_form_corrections=_mean(effort.corrections(truth, nothing), weights),
        keystrokes=_mean(effort.keystrokes(truth, probabilities, thresholds), weights),
        empty_form_keystrokes=_mean(
            effort.keystrokes(truth, empty, np.ones(truth.shape[1]), chips=0), weights
        ),
        tag_f1=tuple(tag_f1.tolist()),
        tag_average_precision=tuple(ranking.average_precision(truth, probabilities, weights).tolist()),
        tag_support=tuple((truth == 1).sum(axis=0).tolist()),
    )


def _mean(per_image: NDArray[np.float64], weights: Floats | None) -> float:
    if not len(per_image):
        return float("nan")
    return float(np.average(per_image, weights=weights))
