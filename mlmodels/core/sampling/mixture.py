"""Composes strategies with stated shares into one order in which every image has a known chance to come next.

Each component lets every image wait: exponentially, with the component's share times its appeal as the rate. An image's
place is its shortest wait, and the component whose wait that is brought it. So the next image is drawn from component c
with probability `share of c`, and image i among all that wait with probability proportional to its rate; chance has a
share too, so no rate is ever 0.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.errors import SamplingError
from mlmodels.core.sampling.base import Strategy
from mlmodels.core.sampling.candidates import Candidates
from mlmodels.core.sampling.chance import waits
from mlmodels.core.sampling.disagreement import Disagreeing
from mlmodels.core.sampling.diversity import Diverse
from mlmodels.core.sampling.rarity import RareTags
from mlmodels.core.sampling.uncertainty import Uncertain

RANDOM = "random"
LEAST_RANDOM = 0.1
STRATEGIES: tuple[Strategy, ...] = (Uncertain(), Diverse(), RareTags(), Disagreeing())

MOST_WANTED_SHARE = 0.1
MOST_WANTED = 500
"""A strategy wants a tenth of the images that wait, and at most so many: a reviewer sees no more before it changes."""


@dataclass(frozen=True)
class Shares:
    """What part of the order each strategy fills; the rest is drawn at random, at least `LEAST_RANDOM`.

    >>> Shares(uncertain=0.5, rare=0.2).random
    0.3
    """

    uncertain: float = 0.0
    diverse: float = 0.0
    rare: float = 0.0
    disagreement: float = 0.0

    def __post_init__(self) -> None:
        """Refuse shares that are no shares, or leave too little to chance."""
        for one in fields(self):
            if not 0.0 <= getattr(self, one.name) <= 1.0:
                raise SamplingError(one.name, f"expected a share from 0 to 1, got {getattr(self, one.name)}")
        if self.random < LEAST_RANDOM:
            raise SamplingError(
                RANDOM, f"expected at least {LEAST_RANDOM:g} left to chance, got {self.random:g}"
            )

    @property
    def random(self) -> float:
        """The share of chance."""
        return round(1.0 - sum(getattr(self, one.name) for one in fields(self)), 9)


@dataclass(frozen=True, eq=False)
class Order:
    """Places of N images in the queue.

    Attributes:
        waits: float64 [N], the shortest comes first.
        rates: float64 [N], mean 1: how often an image is drawn next, against a draw of equal chances.
        components: N names of the strategies that brought them.
        reasons: N sentences that say why.
    """

    waits: NDArray[np.float64]
    rates: NDArray[np.float64]
    components: tuple[str, ...]
    reasons: tuple[str, ...]


def order(candidates: Candidates, shares: Shares, *, waiting: int, salt: str) -> Order:
    """The order in which to ask about the candidates.

    Args:
        candidates: N images.
        shares: of each strategy; that of one which has nothing to ask goes to chance.
        waiting: how many images wait in all; the candidates may be some of them.
        salt: another salt, another draw.
    """
    images = len(candidates)
    ids = candidates.image_ids.tolist()
    size = wanted(images, waiting)
    names, rates, reasons = [RANDOM], [np.zeros(images)], [(RANDOM,) * images]
    left = 1.0
    for strategy in STRATEGIES:
        share = getattr(shares, strategy.name)
        appeal = strategy.appeal(candidates, size=size, salt=salt) if share and images else None
        if appeal is not None and appeal.weights.any():
            names.append(strategy.name)
            rates.append(share * appeal.weights)
            reasons.append(appeal.reasons)
            left -= share
    rates[0] = np.full(images, left)
    turns = np.array(
        [waits(rate, ids, f"{salt}:{name}:turn") for name, rate in zip(names, rates, strict=True)]
    )
    first = turns.argmin(axis=0)
    return Order(
        waits=turns.min(axis=0),
        rates=np.sum(rates, axis=0),
        components=tuple(names[c] for c in first),
        reasons=tuple(reasons[c][n] for n, c in enumerate(first)),
    )


def wanted(images: int, waiting: int) -> int:
    """How many of `images` candidates a strategy wants, of `waiting` in all.

    >>> wanted(1000, 1000), wanted(2000, 100_000), wanted(3, 3)
    (100, 10, 1)
    """
    share = min(MOST_WANTED_SHARE, MOST_WANTED / max(waiting, images, 1))
    return min(images, int(np.ceil(images * share)))
