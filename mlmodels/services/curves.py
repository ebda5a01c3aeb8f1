"""Points of the curves on an evaluation page: calibration, and precision against recall over all tags."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
POINTS = 40
DIGITS = 4


def draw(
    truth: NDArray[np.int8], scores: NDArray[np.floating], weights: NDArray[np.floating]
) -> dict[str, Any]:
    """Both curves over every pair that is known, images by their weights [N]; empty lists where nothing is known."""
    known = truth >= 0
    yes, probability = truth[known] == 1, scores[known]
    weight = np.broadcast_to(weights[:, None], truth.shape)[known].astype(np.float64)
    return {
        "calibration": _calibration(yes, probability, weight),
        "precision_recall": _precision_recall(yes, probability, weight),
    }


def _calibration(
    yes: NDArray[np.bool_], probability: NDArray[np.floating], weight: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """How often a score came true, in equal steps of the score."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    return [
        {
            "score": _mean(probability, weight, bins == index),
            "came_true": _mean(yes, weight, bins == index),
            "pairs": int((bins == index).sum()),
        }
        for index in range(BINS)
        if (bins == index).any()
    ]


def _mean(values: NDArray[Any], weight: NDArray[np.float64], here: NDArray[np.bool_]) -> float:
    return round(float(np.average(values[here], weights=weight[here])), DIGITS)


def _precision_recall(
    yes: NDArray[np.bool_], probability: NDArray[np.floating], weight: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """At up to 40 thresholds, from the strictest to the one that finds every yes."""
    if not yes.any():
        return []
    order = np.argsort(-probability, kind="stable")
    sorted_scores = probability[order]
    hits, offered = np.cumsum((yes * weight)[order]), np.cumsum(weight[order])
    # A threshold offers all pairs of one score, or none of them.
    ends = np.flatnonzero(np.append(sorted_scores[1:] != sorted_scores[:-1], True))
    last = int(np.flatnonzero(yes[order])[-1])
    ends = ends[: int(np.searchsorted(ends, last)) + 1]
    ranks = ends[np.unique(np.linspace(0, len(ends) - 1, POINTS).astype(int))]
    return [
        {
            "threshold": round(float(sorted_scores[rank]), DIGITS),
            "precision": round(float(hits[rank] / offered[rank]), DIGITS),
            "recall": round(float(hits[rank] / hits[-1]), DIGITS),
        }
        for rank in ranks
    ]
