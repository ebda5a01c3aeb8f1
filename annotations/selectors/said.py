"""Who gave the answers that stand to single tags, and which were answered again since a moment.

What the answers amount to is `truth.py`'s; here they are told one by one.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from annotations.models import Decision, Review
from annotations.selectors import arrays, truth

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


def of_pairs(pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], list[Said]]:
    """The answers to these (image, tag), the newest first; an implied no where a review has no word on the tag.

    Two queries.
    """
    image_ids = sorted({image_id for image_id, _ in pairs})
    reviews = _reviews(image_ids)
    explicit, alone = _decisions(image_ids, reviews, {tag_id for _, tag_id in pairs})
    found: dict[tuple[int, int], list[Said]] = {}
    for image_id, tag_id in pairs:
        said = list(alone[image_id, tag_id])
        for review in reviews:
            if review.image_id == image_id:
                value = explicit.get((review.pk, tag_id), IMPLIED_NO)
                said.append(Said(_name(review), review.created_at, value, alone=False))
        found[image_id, tag_id] = sorted(said, key=lambda one: one.at, reverse=True)
    return found


def _reviews(image_ids: Sequence[int]) -> list[Review]:
    rows = Review.objects.filter(
        arrays.among("image_id", image_ids), outcome=Review.Outcome.REVIEWED, counted=True, undone_at=None
    )
    return list(rows.select_related("user").order_by("pk"))


def _decisions(
    image_ids: Sequence[int], reviews: Sequence[Review], tag_ids: set[int]
) -> tuple[dict[tuple[int, int], str], dict[tuple[int, int], list[Said]]]:
    """Values by (review, tag), and answers to one tag alone by (image, tag)."""
    counted = {review.pk for review in reviews}
    explicit: dict[tuple[int, int], str] = {}
    alone: dict[tuple[int, int], list[Said]] = defaultdict(list)
    rows = Decision.objects.filter(
        truth.NOT_TAKEN_BACK, arrays.among("image_id", image_ids), arrays.among("tag_id", tag_ids)
    )
    for row in rows.select_related("user").order_by("pk"):
        if row.review_id is None:
            alone[row.image_id, row.tag_id].append(Said(_name(row), row.created_at, row.value, alone=True))
        elif row.review_id in counted:
            explicit[row.review_id, row.tag_id] = row.value
    return explicit, alone


def _name(row: Review | Decision) -> str | None:
    if row.source == "import":
        return None
    return row.user.username if row.user else "Somebody"
