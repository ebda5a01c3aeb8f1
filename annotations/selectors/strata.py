"""What reviews cost by how their image was drawn, and what offering a tag does to people: from kept counters."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from annotations.models.queue import Stratum

WORDS = {
    Stratum.ACTIVE: "chosen",
    Stratum.RANDOM: "at random",
    Stratum.BLIND: "chosen, shown blind",
    Stratum.HOLDOUT: "holdout, blind",
}
Z = 1.959963984540054
"""97.5 % quantile of the standard normal."""
FEWEST_IMAGES = 5
"""With fewer images on either side an interval says nothing."""


@dataclass(frozen=True)
class StratumFigures:
    """Means over the reviews of one stratum; None where nothing was offered, or nothing was reviewed."""

    stratum: str
    reviews: int
    acceptance: float | None
    keystrokes: float | None
    keystrokes_saved: float | None
    corrections: float | None

    @property
    def words(self) -> str:
        return WORDS[Stratum(self.stratum)]


@dataclass(frozen=True)
class Anchoring:
    """How often people said yes to a tag that was offered, and to one that would have been, on images drawn alike.

    `difference` of the two with its 95 % interval; None bounds while too few blind copies are reviewed.
    """

    offered_images: int
    offered_yes: float
    withheld_images: int
    withheld_yes: float
    difference: float
    lower: float | None
    upper: float | None

    @property
    def points(self) -> str:
        """The difference in percentage points, with its sign."""
        return _points(self.difference)

    @property
    def between(self) -> str:
        """Its interval; empty where there is none."""
        if self.lower is None or self.upper is None:
            return ""
        return f"{_points(self.lower)} to {_points(self.upper)}"


def figures(counts: Mapping[str, int]) -> list[StratumFigures]:
    """Every stratum with a review, in the order of `WORDS`."""
    rows = [_of_stratum(stratum, counts) for stratum in WORDS]
    return [row for row in rows if row.reviews > 0]


def anchoring(counts: Mapping[str, int]) -> Anchoring | None:
    """None until something was offered and something withheld."""
    offered, withheld = _Answers.of(Stratum.ACTIVE, counts), _Answers.of(Stratum.BLIND, counts)
    if offered.tags <= 0 or withheld.tags <= 0:
        return None
    lower, upper = _interval(offered, withheld)
    return Anchoring(
        offered_images=int(offered.images),
        offered_yes=offered.rate,
        withheld_images=int(withheld.images),
        withheld_yes=withheld.rate,
        difference=offered.rate - withheld.rate,
        lower=lower,
        upper=upper,
    )


def _interval(offered: "_Answers", withheld: "_Answers") -> tuple[float | None, float | None]:
    """95 % of the difference, with one image of yes and one of no made up on either side (Agresti and Caffo, 2000).

    Where most blind answers are yes, a few dozen of them may all be: by themselves they would claim to be sure.
    """
    if min(offered.images, withheld.images) < FEWEST_IMAGES:
        return None, None
    one, other = offered.with_both_answers(), withheld.with_both_answers()
    centre, half = one.rate - other.rate, Z * math.sqrt(one.variance + other.variance)
    return centre - half, centre + half


def as_json(counts: Mapping[str, int]) -> dict[str, Any]:
    """What GET stats/ answers of both."""
    found = anchoring(counts)
    return {
        "strata": [asdict(row) for row in figures(counts)],
        "anchoring": None if found is None else asdict(found),
    }


@dataclass(frozen=True)
class _Answers:
    """Sums over images of the tags that were offered (or withheld) and of the yes among them, and of their products."""

    images: float
    tags: float
    yes: float
    tags2: float
    tags_yes: float
    yes2: float

    @classmethod
    def of(cls, stratum: str, counts: Mapping[str, int]) -> "_Answers":
        names = ("images", "tags", "yes", "tags2", "tags_yes", "yes2")
        return cls(*(counts.get(f"anchor.{stratum}.{name}", 0) for name in names))

    def with_both_answers(self) -> "_Answers":
        """With two images more, of as many tags as the mean one has: a yes to all, and a no to all."""
        tags = self.tags / self.images
        return _Answers(
            images=self.images + 2,
            tags=self.tags + 2 * tags,
            yes=self.yes + tags,
            tags2=self.tags2 + 2 * tags**2,
            tags_yes=self.tags_yes + tags**2,
            yes2=self.yes2 + tags**2,
        )

    @property
    def rate(self) -> float:
        return self.yes / self.tags

    @property
    def variance(self) -> float:
        """Of the rate as a ratio of means over images: tags of one image share their person and their picture."""
        squares = self.yes2 - 2 * self.rate * self.tags_yes + self.rate**2 * self.tags2
        return self.images / (self.images - 1) * squares / self.tags**2


def _points(share: float) -> str:
    return f"{100 * share:+.0f}".replace("-", "\N{MINUS SIGN}")


def _of_stratum(stratum: Stratum, counts: Mapping[str, int]) -> StratumFigures:
    def count(name: str) -> int:
        return counts.get(f"{stratum}.{name}", 0)

    reviews, offered, empty_form = count("reviews"), count("offered"), count("empty_form")
    is_blind = stratum in (Stratum.BLIND, Stratum.HOLDOUT)
    return StratumFigures(
        stratum=stratum.value,
        reviews=reviews,
        acceptance=count("accepted") / offered if offered else None,
        keystrokes=count("keystrokes") / reviews if reviews else None,
        keystrokes_saved=1 - count("keystrokes") / empty_form if empty_form and not is_blind else None,
        corrections=count("corrections") / reviews if reviews else None,
    )
