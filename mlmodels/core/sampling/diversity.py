"""Asks what is unlike everything reviewed so far, and unlike each other, among images that are uncertain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.sampling.base import Appeal, equally, highest
from mlmodels.core.sampling.candidates import Candidates, Floats
from mlmodels.core.sampling.chance import uniform
from mlmodels.core.sampling.uncertainty import expected_keystrokes

POOL = 3
"""The uncertain images among which it chooses, in numbers of those that it chooses."""

FAR_ENOUGH = 1e-6
"""Squared distance below which two pictures are the same one."""


@dataclass(frozen=True)
class Diverse:
    """k-means++ centres among uncertain images, as BADGE (Ash et al., 2020) has them in the space of gradients.

    It departs from BADGE in that distances are those of features, and that the images reviewed so far are centres from
    the start: a head over fixed features has learnt what is near them.
    """

    name: str = "diverse"

    def appeal(self, candidates: Candidates, *, size: int, salt: str) -> Appeal:
        """Draws from `size` centres; nothing to ask where all pictures are alike."""
        keys = expected_keystrokes(candidates.probability, candidates.thresholds)
        keys[~candidates.has_vision] = -np.inf
        pool = np.flatnonzero(highest(keys, POOL * size, candidates, f"{salt}:{self.name}"))
        ids = candidates.image_ids[pool].tolist()
        centres = spread(
            candidates.features[pool], candidates.reviewed, size, ids, salt=f"{salt}:{self.name}"
        )
        chosen = np.zeros(len(candidates), dtype=bool)
        chosen[pool[centres]] = True
        return equally(chosen, ["unlike what was reviewed so far"] * len(candidates))


def spread(
    features: Floats, reviewed: Floats, size: int, image_ids: list[int], *, salt: str
) -> NDArray[np.intp]:
    """Rows of at most `size` k-means++ centres (Arthur and Vassilvitskii, 2007), in the order in which they are drawn.

    Each next centre is drawn with probability proportional to its squared distance from the nearest one so far.

    Args:
        features: [N, D].
        reviewed: [R, D], centres from the start; without any, the first is drawn with equal chances.
        size: how many.
        image_ids: N ids, which decide the draws together with `salt`.

    >>> two = np.array([[0.0, 0.0], [0.0, 0.0], [3.0, 4.0]])
    >>> spread(two, two[:1], 3, [1, 2, 3], salt="a").tolist()
    [2]
    """
    features = np.asarray(features, dtype=np.float64)
    if not len(features):
        return np.zeros(0, dtype=np.intp)
    squares = np.einsum("nd,nd->n", features, features)
    distance = _nearest(features, squares, np.asarray(reviewed, dtype=np.float64))
    centres: list[int] = []
    while len(centres) < size and (distance > FAR_ENOUGH).any():
        chance = -np.log(uniform(image_ids, f"{salt}:{len(centres)}"))
        far = distance > FAR_ENOUGH
        weights = np.where(far, np.where(np.isinf(distance), 1.0, distance), np.nan)
        # The shortest of exponential waits is a draw in proportion to the weights.
        centre = int(np.nanargmin(chance / weights))
        centres.append(centre)
        to_centre = squares + squares[centre] - 2 * features @ features[centre]
        distance = np.minimum(distance, to_centre)
        distance[centre] = 0.0
    return np.array(centres, dtype=np.intp)


def _nearest(features: Floats, squares: Floats, reviewed: Floats) -> NDArray[np.float64]:
    """Squared distance of each image from the nearest reviewed one, [N]; infinite where nothing was reviewed."""
    if not reviewed.size:
        return np.full(len(features), np.inf)
    products = features @ reviewed.T  # [N, R]
    far = squares[:, None] + np.einsum("rd,rd->r", reviewed, reviewed) - 2 * products
    return np.asarray(far.min(axis=1))
