"""The interface of a query strategy, and what all of them share: how much each image is wanted, and why."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.sampling.candidates import Candidates
from mlmodels.core.sampling.chance import uniform

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Appeal:
    """How often a strategy draws each image, against a draw of equal chances.

    Attributes:
        weights: float64 [N], none negative, with mean 1; all 0 where the strategy has nothing to ask.
        reasons: N sentences for people; empty where the weight is 0.
    """

    weights: Floats
    reasons: tuple[str, ...]


class Strategy(Protocol):
    """A way to choose. `tests/mlmodels/core/sampling/test_contract.py` holds every one to the same rules."""

    @property
    def name(self) -> str:
        """The component that an item carries."""
        ...

    def appeal(self, candidates: Candidates, *, size: int, salt: str) -> Appeal:
        """Want about `size` of the images; what is left to chance follows from the ids and `salt`."""
        ...


def nothing(images: int) -> Appeal:
    """There is nothing to ask."""
    return Appeal(np.zeros(images), ("",) * images)


def equally(chosen: NDArray[np.bool_], reasons: list[str]) -> Appeal:
    """The `chosen` images, bool [N], are wanted alike and the others not at all.

    >>> equally(np.array([True, False]), ["a", "b"])
    Appeal(weights=array([2., 0.]), reasons=('a', ''))
    """
    count = int(chosen.sum())
    if not count:
        return nothing(len(chosen))
    return Appeal(
        np.where(chosen, len(chosen) / count, 0.0),
        tuple(reason if wanted else "" for reason, wanted in zip(reasons, chosen.tolist(), strict=True)),
    )


def highest(values: Floats, size: int, candidates: Candidates, salt: str) -> NDArray[np.bool_]:
    """Which rows have the `size` highest finite values, bool [N]; of equals chance decides.

    Args:
        values: [N]; what must not be chosen is -inf.
    """
    values = np.where(candidates.sound, values, -np.inf)
    order = np.lexsort((uniform(candidates.image_ids.tolist(), f"tie:{salt}"), -values))
    chosen = np.zeros(len(values), dtype=bool)
    chosen[order[:size]] = True
    return chosen & np.isfinite(values)
