"""What reviewed images say of all images, although some were asked about more often than others.

Images are drawn one after the other without replacement, each with a probability that is known when it is drawn and
may depend on everything before (that is what learning does to the queue). Each draw alone gives an estimate of a
total: what is known already, plus the new value by its inverse probability (Des Raj, 1956). These estimates are
unbiased and do not correlate, however the probabilities came about, which gives their mean its interval; where few
images carry most of the weight it is too narrow (docs/learning.md, “Choosing what to ask”).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.errors import SamplingError
from mlmodels.core.evaluation.intervals import Interval

Floats = NDArray[np.float64]

Z = 1.959963984540054
"""97.5 % quantile of the standard normal."""


@dataclass(frozen=True, eq=False)
class Draws:
    """n images in the order in which they were drawn, float64 [n]: their chance among all that waited then."""

    probability: Floats

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        if not ((self.probability > 0) & (self.probability <= 1)).all():
            raise SamplingError(
                "probability", "expected numbers above 0 and up to 1; leave certain images out"
            )

    def totals(self, values: Floats) -> Floats:
        """One estimate of the total over all images from each draw, [n].

        >>> Draws(np.array([0.5, 1.0])).totals(np.array([3.0, 4.0])).tolist()
        [6.0, 7.0]
        """
        before = np.cumsum(values) - values
        return np.asarray(before + values / self.probability)


def total(draws: Draws, values: Floats) -> Interval:
    """Total of `values` [n] over all images with its 95 % interval; NaN bounds from fewer than 2 draws.

    >>> total(Draws(np.array([0.5, 1.0])), np.array([3.0, 4.0])).point
    6.5
    """
    each = draws.totals(values)
    point = float(each.mean()) if len(each) else float("nan")
    return _around(point, _error(each))


def share(draws: Draws, part: Floats, whole: Floats) -> Interval:
    """Total of `part` over total of `whole`, [n] each: a prevalence (whole 1) or a precision (of what was offered).

    The interval is that of the linearised ratio; errors in the scale of all probabilities cancel out.

    >>> share(Draws(np.array([0.5, 1.0])), np.array([1.0, 0.0]), np.ones(2)).point
    0.75
    """
    denominator = float(draws.totals(whole).mean()) if len(whole) else 0.0
    if denominator <= 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    point = float(draws.totals(part).mean()) / denominator
    residuals = draws.totals(part - point * whole)
    return _around(point, _error(residuals) / denominator)


def _error(each: Floats) -> float:
    return float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else float("nan")


def proportion(draws: Draws, yes: Floats, among: Floats) -> Interval:
    """The share of `yes` among the images that `among` names, of all images; 0 or 1 of each, [n].

    Near 0 and 1, and where few images were looked at, the interval of `share` is too narrow. This one is Wilson's
    (1927) for the number of equal draws that would have the same error, and never for more than the images looked at.
    Korn and Graubard (1998) do so for surveys, with exact intervals.

    >>> found = proportion(Draws(np.full(4, 0.25)), np.ones(4), np.ones(4))
    >>> found.point, round(found.lower, 2), found.upper
    (1.0, 0.51, 1.0)
    """
    found = share(draws, yes, among)
    looked_at = float(among.sum())
    if not looked_at or np.isnan(found.point):
        return Interval(float("nan"), float("nan"), float("nan"))
    point = min(max(found.point, 0.0), 1.0)
    error, spread = found.half_width / Z, point * (1.0 - point)
    size = min(looked_at, spread / error**2) if error > 0 and spread > 0 else looked_at
    centre = (point + Z**2 / (2 * size)) / (1 + Z**2 / size)
    half = Z / (1 + Z**2 / size) * np.sqrt(spread / size + Z**2 / (4 * size**2))
    return Interval(point, max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def _around(point: float, error: float) -> Interval:
    return Interval(point, point - Z * error, point + Z * error)
