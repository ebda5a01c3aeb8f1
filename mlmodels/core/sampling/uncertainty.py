"""Asks where the most keystrokes are expected: the model's own guess of what its suggestions would cost a person."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.evaluation.effort import CHIPS_PER_IMAGE, KEYS_PER_TYPED_TAG
from mlmodels.core.sampling.base import Appeal, equally, highest
from mlmodels.core.sampling.candidates import Candidates, Floats


@dataclass(frozen=True)
class Uncertain:
    """The images that a person is expected to correct most."""

    name: str = "uncertain"

    def appeal(self, candidates: Candidates, *, size: int, salt: str) -> Appeal:
        """Draws from the `size` images of the most expected keystrokes."""
        keys = expected_keystrokes(candidates.probability, candidates.thresholds)
        chosen = highest(keys, size, candidates, f"{salt}:{self.name}")
        columns, scores = most_open(candidates.probability)
        reasons = [
            f"uncertain: {candidates.tags[k]} {p:.2f}"
            for k, p in zip(columns.tolist(), scores.tolist(), strict=True)
        ]
        return equally(chosen, reasons)


def expected_keystrokes(
    probability: Floats,
    thresholds: Floats,
    *,
    chips: int = CHIPS_PER_IMAGE,
    keys_per_typed_tag: float = KEYS_PER_TYPED_TAG,
) -> NDArray[np.float64]:
    """The mean of `effort.keystrokes` if every tag were a yes with its own probability, float64 [N].

    Args:
        probability: [N, K]; the `chips` highest are on the page.
        thresholds: [K]; a chip from its threshold on is selected beforehand.
        chips: chips on the page.
        keys_per_typed_tag: keys for a yes that has no chip.

    >>> expected_keystrokes(np.array([[0.9, 0.6, 0.2]]), np.full(3, 0.5), chips=2).round(9).tolist()
    [2.3]
    """
    chances = np.asarray(probability, dtype=np.float64)
    toggled = np.where(chances >= thresholds, 1.0 - chances, chances)
    typed = keys_per_typed_tag * chances
    if chips >= chances.shape[1]:
        return np.asarray(1.0 + toggled.sum(axis=1))
    first = np.argpartition(-chances, chips - 1, axis=1)[:, :chips]
    on_page = np.take_along_axis(toggled - typed, first, axis=1).sum(axis=1)
    return np.asarray(1.0 + typed.sum(axis=1) + on_page)


def most_open(probability: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Of each image the tag that is nearest to even chances, intp [N], and its probability [N].

    >>> columns, scores = most_open(np.array([[0.9, 0.6]]))
    >>> columns.tolist(), scores.tolist()
    ([1], [0.6])
    """
    columns = np.minimum(probability, 1.0 - probability).argmax(axis=1)
    return columns, np.take_along_axis(probability, columns[:, None], axis=1)[:, 0]
