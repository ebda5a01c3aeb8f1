"""Hunts for rare tags: asks where a tag that has hardly any yes yet is most likely to get one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.sampling.base import Appeal, equally, highest
from mlmodels.core.sampling.candidates import Candidates, Floats
from mlmodels.core.sampling.chance import uniform

RARE_YES = 10
"""A tag with so many yes is learnt by itself."""

MOST_HUNTED = 50
"""Of more rare tags those with the fewest yes are hunted first."""

WORTH_A_LOOK = 0.02
"""Where a tag is less likely than this, looking for it costs more than it finds."""


@dataclass(frozen=True)
class RareTags:
    """The best places to find each rare tag, all tags in turn."""

    name: str = "rare"

    def appeal(self, candidates: Candidates, *, size: int, salt: str) -> Appeal:
        """Draws from `size` images: the first place of every rare tag, then the second, and so on."""
        hunted = np.flatnonzero(candidates.yes < RARE_YES)
        hunted = hunted[np.argsort(candidates.yes[hunted], kind="stable")][:MOST_HUNTED]
        if not len(hunted) or not len(candidates):
            return equally(np.zeros(len(candidates), dtype=bool), [""] * len(candidates))
        ties = uniform(candidates.image_ids.tolist(), f"{salt}:{self.name}")
        sound = np.where(candidates.sound[:, None], candidates.probability[:, hunted], 0.0)
        best = places(sound, ties)
        chosen = highest(-best.min(axis=1), size, candidates, f"{salt}:{self.name}")
        names = [candidates.tags[k] for k in hunted[best.argmin(axis=1)].tolist()]
        return equally(chosen, [f"may show the rare tag {name}" for name in names])


def places(probability: Floats, ties: Floats) -> NDArray[np.float64]:
    """Where each image stands for each tag, 0 first, float64 [N, K]; infinite below `WORTH_A_LOOK`.

    Args:
        probability: [N, K].
        ties: [N], decide between equals.

    >>> places(np.array([[0.3], [0.9], [0.0]]), np.zeros(3)).tolist()
    [[1.0], [0.0], [inf]]
    """
    found = np.full(probability.shape, np.inf)
    for k in range(probability.shape[1]):
        order = np.lexsort((ties, -probability[:, k]))
        found[order, k] = np.arange(len(order))
    found[probability < WORTH_A_LOOK] = np.inf
    return found
