"""Fits on fewer images than there are, judged on images that none of them saw: the points of a learning curve.

One rung is one fit, so that whoever climbs may stop in between. What the points say is `evaluation.forecast`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.evaluation import ranking
from mlmodels.core.learning.dataset import HeadInputs, TrainingSet
from mlmodels.core.learning.fitting import fit

DRAWS = {8: 4, 4: 3, 2: 2, 1: 1}
"""How often an n-th of the images is drawn: the fewer they are, the more it matters which."""

SMALLEST_FIT = 10
MOST_UNREVIEWED = 1500
SET_ASIDE_OF = 4
MOST_SET_ASIDE = 1000


@dataclass(frozen=True)
class Rung:
    """One fit: on so many images, the `draw`-th choice of them."""

    images: int
    draw: int


@dataclass(frozen=True, eq=False)
class Judged:
    """J images of K tags that are never fitted on: inputs, truth int8 [J, K] (-1 unknown) and weights [J]."""

    inputs: HeadInputs
    truth: NDArray[np.int8]
    weights: NDArray[np.float32]


def rungs(images: int) -> list[Rung]:
    """The fits that a curve of so many images needs, the cheapest first; none of fewer than 10 images.

    >>> [(rung.images, rung.draw) for rung in rungs(40)]
    [(10, 0), (10, 1), (10, 2), (20, 0), (20, 1), (40, 0)]
    """
    sizes = {part: images // part for part in DRAWS}
    return [
        Rung(size, draw)
        for part, size in sizes.items()
        if size >= SMALLEST_FIT
        for draw in range(DRAWS[part])
    ]


def set_aside(image_ids: Sequence[int], *, seed: int) -> tuple[int, ...]:
    """A quarter of the images to judge by, where there is no holdout yet; which does not depend on their order.

    >>> len(set_aside(range(100), seed=0)), set_aside([7, 8, 9, 5], seed=0) == set_aside([5, 7, 8, 9], seed=0)
    (25, True)
    """
    chosen = _order(image_ids, [seed, 11])[: min(len(image_ids) // SET_ASIDE_OF, MOST_SET_ASIDE)]
    return tuple(sorted(image_ids[row] for row in chosen))


def climb(
    training: TrainingSet,
    judged: Judged,
    rung: Rung,
    *,
    seed: int,
    unreviewed: HeadInputs | None = None,
) -> NDArray[np.float64]:
    """Average precision of every tag, float64 [K], by a fit on the images of one rung; NaN without a yes judged.

    Args:
        training: N images, at least `rung.images`.
        judged: others, of the same tags.
        rung: how many images, and which draw of them.
        seed: of draws and fit; the same data and seed give the same bits.
        unreviewed: as in `fit`. What the draw leaves out goes before them: when so few images were reviewed, the
            captions of the others taught already.
    """
    order = _order(training.image_ids, [seed, rung.images, rung.draw])
    rows, left_out = np.sort(order[: rung.images]), order[rung.images :][:MOST_UNREVIEWED]
    others = training.inputs.rows(left_out)
    if unreviewed is not None:
        others = others.with_more(
            unreviewed.rows(np.arange(min(len(unreviewed), MOST_UNREVIEWED - len(others))))
        )
    head = fit(training.rows(rows), seed=seed, unreviewed=others if len(others) else None).head
    return ranking.average_precision(judged.truth, head.score(judged.inputs).probability, judged.weights)


def _order(image_ids: Sequence[int], seed: list[int]) -> NDArray[np.intp]:
    """A random order of the rows that depends on the ids alone, not on the order of rows."""
    by_id = np.argsort(np.asarray(image_ids), kind="stable")
    return by_id[np.random.default_rng(seed).permutation(len(by_id))]
