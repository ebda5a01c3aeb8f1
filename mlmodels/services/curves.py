"""Points of the curves on an evaluation page: calibration, and precision against recall over all tags."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
POINTS = 40
DIGITS = 4


def draw(truth: NDArray[np.int8], scores: NDArray[np.floating]) -> dict[str, Any]:
    """Both curves over every pair that is known; empty lists where nothing is."""
    known = truth >= 0
    yes, probability = truth[known] == 1, scores[known]
    return {
        "calibration": _calibration(yes, probability),
        "precision_recall": _precision_recall(yes, probability),
    }


def _calibration(yes: NDArray[np.bool_], probability: NDArray[np.floating]) -> list[dict[str, Any]]:
    """How often a score came true, in equal steps of the score."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    return [
        {
            "score": round(float(probability[bins == index].mean()), DIGITS),
            "came_true": round(float(yes[bins == index].mean()), DIGITS),
            "pairs": int((bins == index).sum()),
        }
        for index in range(BINS)
        if (bins == index).any()
    ]


def _precision_recall(yes: NDArray[np.bool_], probability: NDArray[np.floating]) -> list[dict[str, Any]]:
    """At up to 40 thresholds, from the strictest to the one that finds every yes."""
    if not yes.any():
        return []
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(yes[order])
    last = int(np.searchsorted(hits, hits[-1]))
    ranks = np.unique(np.linspace(0, last, POINTS).astype(int))
    return [
        {
            "threshold": round(float(probability[order[rank]]), DIGITS),
            "precision": round(float(hits[rank] / (rank + 1)), DIGITS),
            "recall": round(float(hits[rank] / hits[-1]), DIGITS),
        }
        for rank in ranks
    ]
