"""How far scores agree with answers beyond what chance would give. Who is let through is decided in `gate`."""

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.evaluation.ranking import Floats


def deviations_from_chance(truth: NDArray[np.int8], scores: Floats) -> float:
    """How far the agreement of scores and truth lies from that of scores dealt to the wrong images.

    Agreement is the sum over images and tags of score times truth, both centred by tag. Its mean and variance
    over all permutations of the images are known exactly (W. Hoeffding 1951, "A combinatorial central limit
    theorem"), so that nothing is drawn here.

    Args:
        truth: int8 [N, K], 1 yes, 0 no, -1 unknown.
        scores: [N, K].

    Returns:
        Standard deviations; 0.0 where nothing can vary.

    >>> truth = np.tile(np.array([[1, 0], [0, 1]], dtype=np.int8), (30, 1))
    >>> round(deviations_from_chance(truth, truth.astype(float)), 1)
    7.7
    """
    images = len(truth)
    known = truth >= 0
    share = (truth == 1).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred_truth = np.where(known, (truth == 1) - share, 0.0)
    products = (
        scores - scores.mean(axis=0)
    ) @ centred_truth.T  # [N, N]: scores of one image, truth of another
    spread = products - products.mean(axis=0) - products.mean(axis=1, keepdims=True) + products.mean()
    variance = (spread**2).sum() / max(images - 1, 1)
    if variance <= np.finfo(float).eps:
        return 0.0
    return float((np.trace(products) - products.sum() / images) / np.sqrt(variance))
