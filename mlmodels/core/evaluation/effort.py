"""What a set of suggestions costs the person who reviews it: corrections and keystrokes, per image."""

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.evaluation.ranking import Floats

CHIPS_PER_IMAGE = 20
"""As many suggestions as an item carries; a tag beyond them has to be typed."""

KEYS_PER_TYPED_TAG = 4.0
"""Keys to find a tag by type-ahead, until the page has measured its own median."""


def wrong(truth: NDArray[np.int8], offered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Known pairs whose offer differs from the truth, bool [N, K].

    >>> wrong(np.array([[1, 0, -1]], dtype=np.int8), np.array([[False, False, True]])).tolist()
    [[True, False, False]]
    """
    differs: NDArray[np.bool_] = (truth >= 0) & (offered != (truth == 1))
    return differs


def corrections(truth: NDArray[np.int8], offered: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Wrong offers removed plus missing tags added, float64 [N].

    >>> truth = np.array([[1, 0], [1, 1]], dtype=np.int8)
    >>> corrections(truth, np.array([[True, True], [True, True]])).tolist()
    [1.0, 0.0]
    """
    return np.asarray(wrong(truth, offered).sum(axis=1), dtype=np.float64)


def keystrokes(
    truth: NDArray[np.int8],
    probabilities: Floats,
    thresholds: Floats,
    *,
    chips: int = CHIPS_PER_IMAGE,
    keys_per_typed_tag: float = KEYS_PER_TYPED_TAG,
) -> NDArray[np.float64]:
    """Keys that each image costs, float64 [N]: 1 to accept, 1 a chip toggled, more for each tag typed.

    Args:
        truth: int8 [N, K], 1 yes, 0 no, -1 unknown (costs nothing).
        probabilities: [N, K]; the `chips` highest are on the page.
        thresholds: [K]; a chip from its threshold on is selected beforehand.
        chips: chips on the page.
        keys_per_typed_tag: keys for a yes that has no chip.

    >>> truth = np.array([[1, 0, 1]], dtype=np.int8)
    >>> keystrokes(truth, np.array([[0.9, 0.8, 0.1]]), np.full(3, 0.5), chips=2).tolist()
    [6.0]
    """
    offered = probabilities >= thresholds
    shown = _shown(probabilities, chips)
    toggled = (shown & wrong(truth, offered)).sum(axis=1)
    typed = ((truth == 1) & ~shown).sum(axis=1)
    return np.asarray(1.0 + toggled + keys_per_typed_tag * typed, dtype=np.float64)


def _shown(probabilities: Floats, chips: int) -> NDArray[np.bool_]:
    """The chips of every image, bool [N, K]: its highest scores, ties by position."""
    if chips >= probabilities.shape[1]:
        return np.ones(probabilities.shape, dtype=bool)
    shown = np.zeros(probabilities.shape, dtype=bool)
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :chips]
    np.put_along_axis(shown, order, True, axis=1)
    return shown
