"""From out-of-fold logits to probabilities and thresholds, 0.5 where a tag has few yes."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ENOUGH_YES = 30
SHARE_NEEDED = 2.0
"""A threshold moves only if what it saves exceeds twice the deviation of that saving."""

GRID = np.arange(0.25, 0.80, 0.05)


def choose_thresholds(probabilities: Floats, truth: NDArray[np.int8], weights: Floats) -> Floats:
    """Threshold of every tag, float32 [K], that costs the fewest chips toggled out of fold.

    0.5 is the best threshold of a calibrated score; a tag leaves it only with at least 30 yes, and only where
    the chips saved are more than chance would save.

    Args:
        probabilities: calibrated, out of fold, [N, K].
        truth: int8 [N, K], -1 unknown.
        weights: [N].

    >>> truth = np.repeat(np.array([[1], [0]], dtype=np.int8), 50, axis=0)
    >>> choose_thresholds(np.where(truth == 1, 0.4, 0.1), truth, np.ones(100)).round(2).tolist()
    [0.25]
    """
    result = np.full(truth.shape[1], 0.5, dtype=np.float32)
    for column in np.flatnonzero((truth == 1).sum(axis=0) >= ENOUGH_YES):
        known = truth[:, column] >= 0
        p, yes, w = probabilities[known, column], truth[known, column] == 1, weights[known]
        now = (p >= 0.5) != yes
        best = 0.0
        for threshold in GRID:
            saved = w * (now.astype(float) - ((p >= threshold) != yes))
            surplus = saved.sum() - SHARE_NEEDED * np.sqrt((saved**2).sum())
            if surplus > best:
                best, result[column] = surplus, threshold
    return result
