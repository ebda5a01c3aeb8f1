"""Who gave the answers that stand to single tags, and which were answered again since a moment.

What the answers amount to is `truth.py`'s; here they are told one by one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from annotations.models import Decision, Project, Review
from annotations.selectors import arrays, truth
from annotations.selectors.merged_verdicts import Merges

YES, NO, IMPLIED_NO = "yes", "no", "implied"


@dataclass(frozen=True)
class Said:
    """One answer to a tag of an image: by whom (None for an import), when, and as what."""

    person: str | None
    at: datetime
    value: str
    alone: bool  # to this tag alone, not as part of a review

    @property
    def imported(self) -> bool:
        """Whether it came with an import."""
        return self.person is None


def answers_since(at: datetime) -> QuerySet[Decision]:
    """Decisions that stand and were stored from this moment on; for a subquery over images and tags."""
    in_review = Q(review=None) | Q(review__counted=True, review__undone_at=None)
    return Decision.objects.filter(truth.NOT_TAKEN_BACK, in_review, created_at__gte=at)


def of_pairs(project_id: int, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], list[Said]]:
    """The answers to these (image, tag), the newest first; an implied no where a review was asked and left it out.

    What was said of a tag that is part of another one by now counts as said of that one: yes if either is.
    Four queries.
    """
    project = Project.objects.get(pk=project_id)
    image_ids = sorted({image_id for image_id, _ in pairs})
    active, implied_counts = truth.ActiveTags(project), project.unmarked == Project.Unmarked.NO
    family = {member for _, tag_id in pairs for member in active.merges.members(tag_id)}
    reviews = _reviews(image_ids)
    explicit, alone = _decisions(image_ids, reviews, family, active.merges)
    found: dict[tuple[int, int], list[Said]] = {pair: list(alone[pair]) for pair in pairs}
    for image_id, tag_id in found:
        for review in reviews[image_id]:
            value = explicit.get((review.pk, tag_id))
            if value is None and implied_counts and tag_id in active.at(review.vocabulary_version):
                value = IMPLIED_NO
            if value is not None:
                found[image_id, tag_id].append(Said(_name(review), review.created_at, value, alone=False))
    return {pair: sorted(said, key=lambda one: one.at, reverse=True) for pair, said in found.items()}


def _reviews(image_ids: Sequence[int]) -> dict[int, list[Review]]:
    rows = Review.objects.filter(
        arrays.among("image_id", image_ids), outcome=Review.Outcome.REVIEWED, counted=True, undone_at=None
    )
    found: dict[int, list[Review]] = defaultdict(list)
    for row in rows.select_related("user").order_by("pk"):
        found[row.image_id].append(row)
    return found


def _decisions(
    image_ids: Sequence[int], reviews: Mapping[int, Sequence[Review]], tag_ids: set[int], merges: Merges
) -> tuple[dict[tuple[int, int], str], dict[tuple[int, int], list[Said]]]:
    """Values by (review, tag), and answers to one tag alone by (image, tag)."""
    counted = {review.pk for of_image in reviews.values() for review in of_image}
    explicit: dict[tuple[int, int], str] = {}
    alone: dict[tuple[int, int], list[Said]] = defaultdict(list)
    rows = Decision.objects.filter(
        truth.NOT_TAKEN_BACK, arrays.among("image_id", image_ids), arrays.among("tag_id", tag_ids)
    )
    for row in rows.select_related("user").order_by("pk"):
        tag_id = merges.survivor(row.tag_id)
        if row.review_id is None:
            alone[row.image_id, tag_id].append(Said(_name(row), row.created_at, row.value, alone=True))
        elif row.review_id in counted and explicit.get((row.review_id, tag_id)) != YES:
            explicit[row.review_id, tag_id] = row.value
    return explicit, alone


def _name(row: Review | Decision) -> str | None:
    if row.source == "import":
        return None
    return row.user.username if row.user else "Somebody"
