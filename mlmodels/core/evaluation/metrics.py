"""Measures of offered tags and of probabilities, with unknown pairs masked; rankings are in `ranking`.

Truth is int8 [N, K] with 1 yes, 0 no, -1 unknown. `report` gathers all figures that a model version shows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.evaluation import figures, ranking
from mlmodels.core.evaluation.ranking import Floats


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


def calibration_error(
    truth: NDArray[np.int8],
    probabilities: Floats,
    *,
    bins: int = 10,
    floor: float = figures.CALIBRATION_FLOOR,
    weights: Floats | None = None,
) -> float:
    """Expected calibration error of `figures.calibration_errors` under one set of weights.

    >>> calibration_error(np.array([[1, 0]], dtype=np.int8), np.array([[0.75, 0.75]]))
    0.25
    """
    ones = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)
    return float(figures.calibration_errors(truth, probabilities, ones[:, None], bins=bins, floor=floor)[0])


def report(
    truth: NDArray[np.int8], probabilities: Floats, thresholds: Floats, weights: Floats | None = None
) -> Report:
    """Compute every figure of one evaluation.

    Args:
        truth: int8 [N, K], 1 yes, 0 no, -1 unknown.
        probabilities: [N, K] in [0, 1].
        thresholds: [K]; a tag is offered from its threshold on.
        weights: [N] inverse draw probabilities, 1 by default.

    >>> figures = report(np.array([[1, 0]], dtype=np.int8), np.array([[0.9, 0.2]]), np.array([0.5, 0.5]))
    >>> figures.micro_f1, figures.corrections, figures.keystrokes
    (1.0, 0.0, 1.0)
    """
    ones = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)
    found = figures.compute(truth, probabilities, thresholds, ones[:, None])
    return Report(
        images=len(truth),
        macro_tags=int(ranking.evaluated_tags(truth).sum()),
        **{name: float(value[0]) for name, value in found.overall.items()},
        tag_f1=tuple(found.tag_f1[:, 0].tolist()),
        tag_average_precision=tuple(found.tag_average_precision[:, 0].tolist()),
        tag_support=tuple((truth == 1).sum(axis=0).tolist()),
    )
