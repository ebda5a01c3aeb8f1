"""What reviews say of all images of a project outside its holdout, though the queue asked about some more often."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from annotations.selectors import drawn, kept
from annotations.selectors.drawn import DrawnReviews
from mlmodels.core.evaluation.intervals import Interval
from mlmodels.core.sampling import estimates
from mlmodels.core.sampling.estimates import Draws, Floats

NEEDED_REVIEWS = 50
"""With fewer draws an interval is too wide to say anything, and not sure to hold what it says."""
TAGS_SHOWN = 20


@dataclass(frozen=True)
class TagShare:
    """On which share of all images a tag applies, and on which of the reviewed ones it got a yes."""

    name: str
    all_images: Interval
    reviewed: float


@dataclass(frozen=True)
class WholeProject:
    """Estimates with 95 % intervals; None while there are too few reviews, or nothing was offered.

    `reviews` counts images that chance drew; what people chose is known besides. `tags` are those with most yes, the
    most frequent first; `with_yes` is how many got one at all.
    """

    reviews: int
    needed: int
    yes_an_image: Interval | None = None
    accepted: Interval | None = None
    tags: Sequence[TagShare] = ()
    with_yes: int = 0


def told(project_id: int, vocabulary_version: int) -> WholeProject:
    """The estimate for a page; of a large project the one of the last minute, where there is one."""
    figures = kept.figures(project_id, vocabulary_version, "all-images", lambda: asdict(estimate(project_id)))
    return _read(figures)


def _read(figures: dict[str, Any]) -> WholeProject:
    def interval(bounds: dict[str, float] | None) -> Interval | None:
        return None if bounds is None else Interval(**bounds)

    shares = [
        TagShare(one["name"], Interval(**one["all_images"]), one["reviewed"]) for one in figures["tags"]
    ]
    overall = {name: interval(figures[name]) for name in ("yes_an_image", "accepted")}
    return WholeProject(**figures | overall | {"tags": shares or ()})


def estimate(project_id: int) -> WholeProject:
    """Work it out from every review. Four queries, of as many rows as there are reviews."""
    found = drawn.reviews(project_id)
    draws, offered = _draws(found), np.array(found.offered)
    if draws.count < NEEDED_REVIEWS:
        return WholeProject(draws.count, NEEDED_REVIEWS)
    accepted = estimates.proportion(draws, np.array(found.accepted), offered) if offered.any() else None
    return WholeProject(
        reviews=len(found),
        needed=NEEDED_REVIEWS,
        yes_an_image=estimates.share(draws, np.array(found.yes), np.ones(len(found))),
        accepted=accepted,
        tags=_tags(found, draws),
        with_yes=len(found.with_tag),
    )


def _draws(found: DrawnReviews) -> Draws:
    probability = np.array(found.probability)
    return Draws(probability, came=np.array(found.came), is_draw=probability > 0)


def _tags(found: DrawnReviews, draws: Draws) -> list[TagShare]:
    most = sorted(found.with_tag, key=lambda name: (-len(found.with_tag[name]), name))[:TAGS_SHOWN]
    shares = [_of_tag(name, found.with_tag[name], draws) for name in most]
    return sorted(shares, key=lambda share: (-share.all_images.point, share.name))


def _of_tag(name: str, places: Sequence[int], draws: Draws) -> TagShare:
    images = len(draws.probability)
    yes: Floats = np.zeros(images)
    yes[list(places)] = 1.0
    return TagShare(name, estimates.proportion(draws, yes, np.ones(images)), len(places) / images)
