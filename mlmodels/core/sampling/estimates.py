"""What reviewed images say of all images, although some were asked about more often than others.

Images are drawn one after the other without replacement, each with a probability that is known when it is drawn and
may depend on everything before (that is what learning does to the queue). Each draw alone gives an estimate of a
total: what is known already, plus the new value by its inverse probability (Des Raj, 1956). These estimates are
unbiased and do not correlate, however the probabilities came about, which gives their mean its error.

A project grows: a draw before an import knows nothing of what came with it. So an image counts by the draws that could
have been of it, scaled up to all of them. An image that people chose, by sending it to the front say, is known from
then on, and is no draw.

A few images carry much of the weight, so that the error is itself uncertain: intervals have as many degrees of freedom
of Student's t as the spread of the estimates allows (Satterthwaite, 1946). Ratios have the jackknife's error (Tukey,
1958; Miller, “The jackknife: a review”, Biometrika 61, 1974), which does not trust a draw that brought much of the
denominator by itself. How often they hold the truth: docs/learning.md, “Choosing what to ask”.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.errors import SamplingError
from mlmodels.core.evaluation.intervals import Interval

Floats = NDArray[np.float64]

Z = 1.959963984540054
"""97.5 % quantile of the standard normal."""

MOST_KNOWN = 0.95
"""How many images there are of a kind is an estimate: it is never taken to say that all of them were looked at."""

_LEAST_OTHERS = 1e-9


@dataclass(frozen=True, eq=False)
class Draws:
    """m images in the order in which they became known, n of them by a draw.

    Attributes:
        probability: float64 [m], the chance of each among all that waited then; of no draw it is not looked at.
        came: int [m], how many draws there had been when the image came to the project; none where it is left out.
        is_draw: bool [m], False for an image that people chose; all are draws where it is left out.

    Raises:
        SamplingError: a draw's probability is none.
    """

    probability: Floats
    came: NDArray[np.int_] | None = None
    is_draw: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        probability = self.probability[self._drawn]
        if not ((probability > 0) & (probability <= 1)).all():
            raise SamplingError(
                "probability", "expected numbers above 0 and up to 1; say which images were no draw"
            )

    @property
    def count(self) -> int:
        """n."""
        return int(self._drawn.sum())

    def totals(self, values: Floats) -> Floats:
        """One estimate of the total over all images from each draw, [n]; `values` are of all known images, [m].

        >>> Draws(np.array([0.5, 1.0])).totals(np.array([3.0, 4.0])).tolist()
        [6.0, 7.0]
        >>> Draws(np.array([0.5, 1.0]), came=np.array([0, 1])).totals(np.array([3.0, 4.0])).tolist()
        [6.0, 11.0]
        """
        scaled, drawn = values * self._scale(), self._drawn
        before = np.cumsum(scaled) - scaled
        return np.asarray(before[drawn] + scaled[drawn] / self.probability[drawn])

    def weights(self) -> Floats:
        """How many images each one stands for in the mean of the totals, [m].

        >>> Draws(np.array([0.5, 1.0])).weights().tolist()
        [1.5, 0.5]
        """
        drawn = self._drawn
        later = self.count - np.cumsum(drawn)
        own = np.divide(1.0, self.probability, out=np.zeros(len(drawn)), where=drawn)
        return np.asarray((own + later) * self._scale() / self.count)

    @property
    def _drawn(self) -> NDArray[np.bool_]:
        return np.ones(len(self.probability), dtype=bool) if self.is_draw is None else self.is_draw

    def _scale(self) -> Floats:
        """All draws by those that could have been of the image, [m]; 0 where none could, as nothing is known then."""
        if self.came is None:
            return np.ones(len(self.probability))
        able = self.count - self.came
        return np.divide(self.count, able, out=np.zeros(len(able)), where=able > 0)


def total(draws: Draws, values: Floats) -> Interval:
    """Total of `values` [m] over all images with its 95 % interval; NaN bounds from fewer than 2 draws.

    >>> total(Draws(np.array([0.5, 1.0])), np.array([3.0, 4.0])).point
    6.5
    """
    each = draws.totals(values)
    point = float(each.mean()) if len(each) else float("nan")
    return _around(point, each)


def share(draws: Draws, part: Floats, whole: Floats) -> Interval:
    """Total of `part` over total of `whole`, [m] each: a mean (whole 1) or a precision (of what was offered).

    Errors in the scale of all probabilities cancel out.

    >>> share(Draws(np.array([0.5, 1.0])), np.array([1.0, 0.0]), np.ones(2)).point
    0.75
    """
    return _around(*_ratio(draws, part, whole))


def standard_error(each: Floats) -> float:
    """Of the mean of estimates [n] that do not correlate; NaN for fewer than 2.

    >>> standard_error(np.array([1.0, 3.0]))
    1.0
    """
    return float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else float("nan")


def proportion(draws: Draws, yes: Floats, among: Floats) -> Interval:
    """The share of `yes` in `among`, of all images: counts [m], no image with more yes than it has among.

    A prevalence (among 1), the precision of a tag (among 1 where it was offered) or of all tags (among the number of
    offers). Near 0 and 1, and where few images were looked at, the interval of `share` is too narrow: the rare answers
    may all have been missed. This one is Wilson's (1927) for the number of equal draws that would have the same error,
    as Korn and Graubard (1998) do for surveys with exact intervals. It is never for more than the weights alone allow,
    Kish's (1965) effective number by the share that is still unknown: draws show too little spread where the heavy ones
    among them happen to agree.

    >>> found = proportion(Draws(np.full(4, 1e-6)), np.ones(4), np.ones(4))
    >>> found.point, round(found.lower, 2), found.upper
    (1.0, 0.51, 1.0)
    """
    ratio, each = _ratio(draws, yes, among)
    if np.isnan(ratio):
        return Interval(ratio, ratio, ratio)
    point = min(max(ratio, 0.0), 1.0)
    error, spread = standard_error(each), point * (1.0 - point)
    size = _effective_size(draws, among)
    if error > 0 and spread > 0:
        size = min(size, spread / error**2)
    centre = (point + Z**2 / (2 * size)) / (1 + Z**2 / size)
    half = Z / (1 + Z**2 / size) * np.sqrt(spread / size + Z**2 / (4 * size**2))
    return Interval(point, max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def _ratio(draws: Draws, part: Floats, whole: Floats) -> tuple[float, Floats]:
    """Of two totals, and each draw's deviation from it, [n]; NaN where no draw has anything of the whole.

    The deviations have the error of the jackknife: what the ratio without that draw differs by, times n - 1.
    """
    each = draws.totals(whole)
    n, denominator = len(each), float(each.sum())
    if denominator <= 0:
        return float("nan"), np.full(n, np.nan)
    ratio = float(draws.totals(part).sum()) / denominator
    # A draw that brought the whole denominator has no ratio without it, and deviates from none.
    others = denominator - each
    alone = others <= _LEAST_OTHERS * denominator
    deviations = draws.totals(part - ratio * whole) / np.where(alone, denominator, others)
    return ratio, (n - 1) * np.where(alone, 0.0, deviations)


def _effective_size(draws: Draws, among: Floats) -> float:
    """Of how many equal draws with replacement `among` would be worth if its members knew nothing of one another."""
    weights = draws.weights()
    total = float((weights * among).sum())
    known = min(float(among.sum()) / total, MOST_KNOWN)
    return total**2 / float((weights**2 * among).sum()) / (1.0 - known)


def _around(point: float, each: Floats) -> Interval:
    """The 95 % interval of a figure from what each draw says of it, [n], or how each draw deviates from it."""
    half = standard_error(each) * _student(each)
    return Interval(point, point - half, point + half)


def _student(each: Floats) -> float:
    """97.5 % quantile of Student's t; its degrees of freedom are those of a variance of so kurtotic values."""
    squares = (each - each.mean()) ** 2 if len(each) else each
    variance = float(squares.mean()) if len(each) else 0.0
    if not variance > 0:
        return Z
    kurtosis = float((squares**2).mean()) / variance**2
    return student_quantile(2.0 * len(each) / max(kurtosis - 1.0, 2.0) - 1.0)


def student_quantile(freedom: float) -> float:
    """97.5 % quantile of Student's t (Abramowitz and Stegun, 26.7.5), within 0.2 from 2 degrees on; 2 is the least.

    >>> round(student_quantile(10.0), 3), round(student_quantile(1e9), 3)
    (2.228, 1.96)
    """
    v = max(freedom, 2.0)
    return (
        Z
        + (Z**3 + Z) / (4 * v)
        + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * v**2)
        + (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / (384 * v**3)
    )
