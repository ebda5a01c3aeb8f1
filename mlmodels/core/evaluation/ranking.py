"""Average precision and the measures of a ranked list, per tag or per image. No thresholds here.

Truth is int8 [N, K] with 1 yes, 0 no, -1 unknown; an unknown pair takes part in nothing.
"""

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
        self._orders: list[NDArray[np.intp]] = []
        self._ends: list[NDArray[np.intp]] = []
        self._yes: list[NDArray[np.intp]] = []
        for column in range(truth.shape[1]):
            known = np.flatnonzero(truth[:, column] >= 0)
            order = known[np.argsort(-scores[known, column], kind="stable")]
            ranked = scores[order, column]
            last_of_tie = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(order) else order
            places = np.flatnonzero(truth[order, column] == 1)
            self._orders.append(order)
            self._ends.append(last_of_tie[np.searchsorted(last_of_tie, places)])
            self._yes.append(places)

    def per_tag(self, weights: Floats) -> NDArray[np.float64]:
        """Average precision [K, B] under image weights [N, B]; NaN where the yes weigh nothing.

        With y the yes of a tag in order of score: sum of w(y) x precision at y, over the sum of w(y).
        """
        result = np.full((len(self._orders), weights.shape[1]), np.nan)
        weights = np.ascontiguousarray(weights, dtype=np.float32)
        for column, (order, ends, places) in enumerate(zip(self._orders, self._ends, self._yes, strict=True)):
            if not len(places):
                continue
            ranked = weights[order]  # [n, B]
            above = np.cumsum(ranked, axis=0)[ends]  # [y, B] everything at or above the yes
            own = ranked[places]  # [y, B]
            found = np.cumsum(own, axis=0)[np.searchsorted(places, ends, side="right") - 1]
            total = own.sum(axis=0)
            with np.errstate(invalid="ignore", divide="ignore"):
                precision = np.where(above > 0, found / above, 0.0)
                result[column] = np.where(total > 0, (own * precision).sum(axis=0) / total, np.nan)
        return result


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
    if not tags.any():
        return float("nan")
    return float(np.nanmean(average_precision(truth[:, tags], scores[:, tags], weights)))


def precision_at(truth: NDArray[np.int8], scores: Floats, k: int) -> float:
    """Share of yes among the `k` best ranked known tags of an image, averaged; NaN without images.

    An image with fewer than `k` known tags is divided by what it has.

    >>> precision_at(np.array([[1, 0, 1]], dtype=np.int8), np.array([[0.9, 0.8, 0.1]]), k=2)
    0.5
    """
    hits, shown, _ = _top(truth, scores, k)
    asked = shown > 0
    return float((hits[asked] / shown[asked]).mean()) if asked.any() else float("nan")


def recall_at(truth: NDArray[np.int8], scores: Floats, k: int) -> float:
    """Share of an image's yes among its `k` best ranked known tags, over images with a yes; NaN if none.

    >>> recall_at(np.array([[1, 0, 1]], dtype=np.int8), np.array([[0.9, 0.8, 0.1]]), k=2)
    0.5
    """
    hits, _, yes = _top(truth, scores, k)
    asked = yes > 0
    return float((hits[asked] / yes[asked]).mean()) if asked.any() else float("nan")


def _top(
    truth: NDArray[np.int8], scores: Floats, k: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Per image: yes among the k best known tags, how many were looked at, yes in all."""
    known = truth >= 0
    order = np.argsort(np.where(known, -scores, np.inf), axis=1, kind="stable")[:, :k]
    picked = np.take_along_axis(truth, order, axis=1)
    return (picked == 1).sum(axis=1), (picked >= 0).sum(axis=1), (truth == 1).sum(axis=1)
