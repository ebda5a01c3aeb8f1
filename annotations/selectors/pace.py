"""How many seconds a fact takes in the grid and in review: medians of the latest work, so that neither grows.

A fact is an explicit yes or no of one tag on one image. A page of the grid states one for each tile. A review states
those it stored; “nothing applies” is one. What a review implies of the tags that nobody touched counts for neither.
"""

from dataclasses import dataclass
from statistics import median

from django.db.models import Count

from annotations.models import Project, Review, VerifiedPage

LATEST = 200
# Fewer make no figure worth showing.
FEWEST = 5


@dataclass(frozen=True)
class Pace:
    """Seconds a fact, or None while there is too little to say."""

    verify_s: float | None
    review_s: float | None


def of(project: Project) -> Pace:
    """Three queries over the latest pages and reviews."""
    return Pace(verify_s=_median(_pages(project)), review_s=_median(_reviews(project)))


def _pages(project: Project) -> list[float]:
    pages = VerifiedPage.objects.filter(project=project, undone_at=None, seconds__isnull=False)
    rows = pages.order_by("-created_at").values_list("seconds", "yes", "no")[:LATEST]
    return [seconds / (yes + no) for seconds, yes, no in rows]


def _reviews(project: Project) -> list[float]:
    reviews = Review.objects.filter(
        project=project,
        outcome=Review.Outcome.REVIEWED,
        source=Review.Source.PERSON,
        counted=True,
        undone_at=None,
        seconds__isnull=False,
    )
    latest = reviews.order_by("-created_at").values_list("pk", flat=True)[:LATEST]
    rows = Review.objects.filter(pk__in=list(latest)).annotate(facts=Count("decisions"))
    return [seconds / max(facts, 1) for seconds, facts in rows.values_list("seconds", "facts")]


def _median(values: list[float]) -> float | None:
    return median(values) if len(values) >= FEWEST else None
