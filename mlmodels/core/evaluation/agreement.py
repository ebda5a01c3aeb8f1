"""Krippendorff's alpha of yes and no, from how many images were judged alike, with intervals over images.

Judgements are counted, never listed: `counts[..., j]` images were judged by `cells.values[j]` people, of whom
`cells.yes[j]` said yes. An image that fewer than two people judged pairs nobody and is in no cell. The figure is that
of K. Krippendorff 2011, "Computing Krippendorff's alpha-reliability", for nominal data of two values.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.errors import TrainingDataError
from mlmodels.core.evaluation.intervals import Interval, summarise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 1000
RELIABLE, TENTATIVE = 0.8, 0.667
"""Krippendorff's customary reading: from the first on rely on it, from the second on conclude tentatively."""

FEWEST_RARE = 10
"""Images on which somebody gave the rarer answer, below which a tag gets no reading: with fewer, one image more or less
moves alpha by about as much as the band of tentative figures is wide."""

MADE_UP = 0.5
"""Images added to each kind of outcome before they are drawn: Jeffreys' prior for three kinds."""


@dataclass(frozen=True, eq=False)
class Cells:
    """J kinds of images: how many said yes, `yes` int [J], of how many who judged it, `values` int [J], 2 or more."""

    yes: Ints
    values: Ints

    def __post_init__(self) -> None:
        """Refuse what no image can be."""
        possible = (self.values >= 2) & (self.yes >= 0) & (self.yes <= self.values)
        if self.yes.shape != self.values.shape or not possible.all():
            raise TrainingDataError("cells", "expected from 0 to `values` yes of 2 values or more")

    @property
    def differing(self) -> NDArray[np.bool_]:
        """Kinds on which people differ, [J]."""
        return (self.yes > 0) & (self.yes < self.values)


def disagreement(counts: Floats | Ints, cells: Cells) -> tuple[Floats, Floats]:
    """Disagreement that was observed, and that chance would bring: pairs of answers, [...] each of `counts` [..., J].

    Both are 0 where nobody, or everybody, said yes throughout.

    >>> cells = Cells(np.array([0, 1, 2]), np.array([2, 2, 2]))
    >>> observed, expected = disagreement(np.array([5, 4, 1]), cells)
    >>> float(observed), round(float(expected), 2)
    (4.0, 4.42)
    """
    pairs = cells.yes * (cells.values - cells.yes) / (cells.values - 1)
    total, yes = counts @ cells.values, counts @ cells.yes
    chance = np.divide(yes * (total - yes), total - 1.0, out=np.zeros(np.shape(total)), where=total > 1)
    return np.asarray(counts @ pairs, dtype=np.float64), np.maximum(chance, 0.0)


def alpha(counts: Floats | Ints, cells: Cells) -> Floats:
    """1 where all say the same, 0 where they agree no more than by chance, below 0 where less: [...] of [..., J].

    NaN where nobody, or everybody, said yes throughout: nothing varied that people could agree on.

    >>> cells = Cells(np.array([0, 1, 2]), np.array([2, 2, 2]))
    >>> alpha(np.array([[5, 4, 1], [9, 0, 1], [10, 0, 0]]), cells).round(3).tolist()
    [0.095, 1.0, nan]
    """
    return _ratio(*disagreement(counts, cells))


def intervals(counts: Ints, cells: Cells, *, seed: int, resamples: int = RESAMPLES) -> list[Interval]:
    """Alpha of each of K tags with its 95 % interval over images, from `counts` [K, J].

    A Bayesian bootstrap (D. Rubin 1981, "The Bayesian bootstrap"): images weigh what chance gives them. It departs from
    the paper by images that are made up, half of one that all say yes to, half that nobody does, half that people
    differ on: without them ten images on which nobody differed would claim to be sure. A tag's interval hangs on its
    own counts and the seed alone.

    >>> cells = Cells(np.array([0, 1, 2]), np.array([2, 2, 2]))
    >>> found = intervals(np.array([[50, 0, 10]]), cells, seed=0)[0]
    >>> found.point, 0.7 < found.lower < 0.9, found.upper > 0.99
    (1.0, True, True)
    """
    points = alpha(counts, cells)
    return [
        _interval(float(point), of_tag, cells, seed=seed, resamples=resamples)
        for point, of_tag in zip(points, counts, strict=True)
    ]


def overall(counts: Ints, cells: Cells, *, seed: int, resamples: int = RESAMPLES) -> Interval:
    """Alpha over all tags with its 95 % interval, from `counts` [K, G, J] of images that fell into G equal groups.

    1 minus the disagreement that was observed by what chance would bring, both summed tag by tag: were all judgements
    thrown together, people would seem to agree by knowing that some tags are rare and others frequent. Tags of one
    image are answered by the same people in one moment, so groups of images are drawn, each with all its tags.

    >>> cells = Cells(np.array([0, 1, 2]), np.array([2, 2, 2]))
    >>> one_tag = np.array([[5, 4, 1]])
    >>> round(overall(np.stack([one_tag, one_tag]), cells, seed=0).point, 3)
    0.095
    """
    observed, expected = disagreement(counts.sum(axis=1), cells)
    point = float(_ratio(observed.sum(), expected.sum()))
    if np.isnan(point):
        return Interval(point, point, point)
    rng = np.random.default_rng(seed)
    groups = counts.shape[1]
    weights = rng.dirichlet(np.ones(groups), size=resamples) * groups  # [B, G]
    drawn_observed, drawn_expected = np.zeros(resamples), np.zeros(resamples)
    for of_tag in counts:  # [G, J]
        one, other = disagreement(weights @ of_tag, cells)
        drawn_observed += one
        drawn_expected += other
    drawn_observed += rng.standard_gamma(MADE_UP, size=resamples)
    return summarise(point, _ratio(drawn_observed, drawn_expected))


def rarer(counts: Ints, cells: Cells) -> Ints:
    """On how many images somebody gave the answer that fewer images have, yes or no: [...] of `counts` [..., J].

    >>> rarer(np.array([[5, 4, 1], [0, 1, 9]]), Cells(np.array([0, 1, 2]), np.array([2, 2, 2]))).tolist()
    [5, 1]
    """
    with_yes, with_no = counts @ (cells.yes > 0), counts @ (cells.yes < cells.values)
    return np.minimum(with_yes, with_no)


def reading(found: Interval, rare: int) -> str:
    """What a figure is customarily taken for: reliable, tentative or unreliable; empty from too few images.

    It departs from custom where the interval of a reliable figure reaches below the tentative ones: that is tentative.

    >>> reading(Interval(0.85, 0.7, 0.9), rare=30), reading(Interval(0.85, 0.5, 1.0), rare=30)
    ('reliable', 'tentative')
    >>> reading(Interval(0.1, 0.0, 0.9), rare=30), reading(Interval(1.0, 0.3, 1.0), rare=3)
    ('unreliable', '')
    """
    if np.isnan(found.point) or rare < FEWEST_RARE:
        return ""
    if found.point >= RELIABLE and found.lower >= TENTATIVE:
        return "reliable"
    return "tentative" if found.point >= TENTATIVE else "unreliable"


def _ratio(observed: Floats, expected: Floats) -> Floats:
    undefined = np.full(np.shape(expected), np.nan)
    return 1.0 - np.divide(observed, expected, out=undefined, where=expected > 0)


def _interval(point: float, counts: Ints, cells: Cells, *, seed: int, resamples: int) -> Interval:
    if np.isnan(point):
        return Interval(point, point, point)
    rng = np.random.default_rng(seed)
    weighed = counts + _made_up(counts, cells)
    there = weighed > 0
    drawn = rng.dirichlet(weighed[there], size=resamples) * counts.sum()
    return summarise(point, alpha(drawn, Cells(cells.yes[there], cells.values[there])))


def _made_up(counts: Ints, cells: Cells) -> Floats:
    """Images added to each cell, [J], judged by as many people as most of the images were."""
    judges = np.unique(cells.values)
    most = judges[np.argmax([counts[cells.values == number].sum() for number in judges])]
    alike = cells.values == most
    differing = alike & cells.differing
    share = MADE_UP / max(1, int(differing.sum()))
    return np.where(differing, share, np.where(alike, MADE_UP, 0.0))
