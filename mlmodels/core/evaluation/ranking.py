"""Average precision and the measures of a ranked list, per tag or per image. No thresholds here.

Truth is int8 [N, K] with 1 yes, 0 no, -1 unknown; an unknown pair takes part in nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MINIMUM_YES = 5
"""Macro figures are means over the tags with at least this many yes in the evidence."""

Floats = NDArray[np.floating]


class AveragePrecision:
    """Average precision of fixed rankings under many sets of image weights at once.

    Sorting is done once per tag; a bootstrap resample is then only a set of counts, which is what makes a
    thousand resamples affordable. Tied scores share one place, as in scikit-learn.
    """

    def __init__(self, truth: NDArray[np.int8], scores: Floats) -> None:
        """Sort the known images of every tag: `truth` int8 [N, K], `scores` [N, K], higher is more likely."""
        self._tags = [_Ranking.of(truth[:, column], scores[:, column]) for column in range(truth.shape[1])]

    def per_tag(self, weights: Floats) -> NDArray[np.float64]:
        """Average precision [K, B] under image weights [N, B]; NaN where the yes weigh nothing.

        With y the yes of a tag in order of score: sum of w(y) x precision at y, over the sum of w(y).
        """
        result = np.full((len(self._tags), weights.shape[1]), np.nan)
        weights = np.ascontiguousarray(weights, dtype=np.float32)
        for column, tag in enumerate(self._tags):
            if tag is None:
                continue
            ranked = weights[tag.order]  # [n, B]
            above = np.cumsum(np.add.reduceat(ranked, tag.steps, axis=0), axis=0)  # [p, B]
            own = np.add.reduceat(ranked[tag.yes], tag.yes_steps, axis=0)  # [p, B] the yes of each place
            found = np.cumsum(own, axis=0)
            total = found[-1]
            with np.errstate(invalid="ignore", divide="ignore"):
                precision = np.where(above > 0, found / above, 0.0)
                result[column] = np.where(total > 0, (own * precision).sum(axis=0) / total, np.nan)
        return result


@dataclass(frozen=True)
class _Ranking:
    """The known images of one tag, best score first, down to the last yes; a place is a score that a yes has."""

    order: NDArray[np.intp]  # [n] rows of the images
    steps: NDArray[
        np.intp
    ]  # [p] where the images of each place begin, those without a yes before it included
    yes: NDArray[np.intp]  # [y] ranks of the yes
    yes_steps: NDArray[np.intp]  # [p] where the yes of each place begin among the yes

    @classmethod
    def of(cls, truth: NDArray[np.int8], scores: Floats) -> "_Ranking | None":
        """Sort the known images of a tag; None where it has no yes."""
        known = np.flatnonzero(truth >= 0)
        order = known[np.argsort(-scores[known], kind="stable")]
        yes = np.flatnonzero(truth[order] == 1)
        if not len(yes):
            return None
        ranked = scores[order]
        last_of_tie = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        ends, yes_steps = np.unique(last_of_tie[np.searchsorted(last_of_tie, yes)], return_index=True)
        steps = np.append(0, ends[:-1] + 1)
        return cls(order[: ends[-1] + 1], steps, yes, yes_steps)


def average_precision(
    truth: NDArray[np.int8], scores: Floats, weights: Floats | None = None
) -> NDArray[np.float64]:
    """Average precision of every tag, float64 [K]; NaN where a tag has no yes.

    Args:
        truth: int8 [N, K], 1 yes, 0 no, -1 unknown.
        scores: [N, K], higher is more likely.
        weights: [N] weight of each image, 1 by default.

    >>> truth = np.array([[1], [0], [1]], dtype=np.int8)
    >>> float(average_precision(truth, np.array([[0.9], [0.8], [0.7]]))[0].round(4))
    0.8333
    """
    ones = np.ones(len(truth)) if weights is None else weights
    return AveragePrecision(truth, scores).per_tag(ones[:, None])[:, 0]


def evaluated_tags(truth: NDArray[np.int8], minimum_yes: int = MINIMUM_YES) -> NDArray[np.bool_]:
    """The tags, bool [K], that have enough yes in `truth` int8 [N, K] for a macro figure.

    >>> evaluated_tags(np.array([[1, 0], [1, 1]], dtype=np.int8), minimum_yes=2).tolist()
    [True, False]
    """
    enough: NDArray[np.bool_] = (truth == 1).sum(axis=0) >= minimum_yes
    return enough


def macro_average_precision(
    truth: NDArray[np.int8], scores: Floats, *, minimum_yes: int = MINIMUM_YES, weights: Floats | None = None
) -> float:
    """Mean average precision over the tags with at least `minimum_yes` yes; NaN if there are none.

    >>> truth = np.array([[1, 0], [0, 1]], dtype=np.int8)
    >>> macro_average_precision(truth, np.array([[0.9, 0.1], [0.2, 0.8]]), minimum_yes=1)
    1.0
    """
    tags = evaluated_tags(truth, max(1, minimum_yes))
    return float(mean_over_tags(average_precision(truth[:, tags], scores[:, tags], weights)[:, None])[0])


def mean_over_tags(values: Floats) -> NDArray[np.float64]:
    """Mean over tags of [K, B], leaving NaN out; NaN where a column has nothing else.

    >>> mean_over_tags(np.array([[1.0, np.nan], [np.nan, np.nan]])).tolist()
    [1.0, nan]
    """
    present = np.isfinite(values)
    number = present.sum(axis=0)
    total = np.where(present, values, 0.0).sum(axis=0)
    return np.divide(total, number, out=np.full(values.shape[1], np.nan), where=number > 0)


def precisions_at(truth: NDArray[np.int8], scores: Floats, k: int) -> NDArray[np.float64]:
    """Share of yes among the `k` best ranked known tags of each image, float64 [N]; NaN where nothing is known.

    An image with fewer than `k` known tags is divided by what it has.

    >>> precisions_at(np.array([[1, 0, 1]], dtype=np.int8), np.array([[0.9, 0.8, 0.1]]), k=2).tolist()
    [0.5]
    """
    hits, shown, _ = _top(truth, scores, k)
    return np.divide(hits, shown, out=np.full(len(truth), np.nan), where=shown > 0)


def recalls_at(truth: NDArray[np.int8], scores: Floats, k: int) -> NDArray[np.float64]:
    """Share of each image's yes among its `k` best ranked known tags, float64 [N]; NaN where it has no yes.

    >>> recalls_at(np.array([[1, 0, 1]], dtype=np.int8), np.array([[0.9, 0.8, 0.1]]), k=2).tolist()
    [0.5]
    """
    hits, _, yes = _top(truth, scores, k)
    return np.divide(hits, yes, out=np.full(len(truth), np.nan), where=yes > 0)


def _top(
    truth: NDArray[np.int8], scores: Floats, k: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Per image: yes among the k best known tags, how many were looked at, yes in all."""
    known = truth >= 0
    order = np.argsort(np.where(known, -scores, np.inf), axis=1, kind="stable")[:, :k]
    picked = np.take_along_axis(truth, order, axis=1)
    return (picked == 1).sum(axis=1), (picked >= 0).sum(axis=1), (truth == 1).sum(axis=1)
