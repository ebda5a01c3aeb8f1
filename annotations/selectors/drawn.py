"""Reviewed images in the order of their reviews, with their chances and what was said: for estimates of all images."""

from array import array
from bisect import bisect
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, Value

from annotations.models import Decision, Project, Review, Tag
from annotations.selectors import merges

_ROWS_AT_ONCE = 2_000


@dataclass
class DrawnReviews:
    """Images outside the holdout, each by its first review that counts.

    Attributes:
        probability: the chance of each among all that waited then; 0 where people chose it or an import brought the
            answer, so that chance had no part in it.
        came: how many draws there had been when the image came to the project.
        offered: tags that were offered, or on a blind copy would have been; `accepted` of them got a yes.
        yes: all tags that got one.
        with_tag: by a tag's name, the places of the images on which it got a yes.

    Tags that are active today count, merged ones as what they are part of.
    """

    probability: "array[float]" = field(default_factory=lambda: array("d"))
    came: "array[int]" = field(default_factory=lambda: array("q"))
    offered: "array[float]" = field(default_factory=lambda: array("d"))
    accepted: "array[float]" = field(default_factory=lambda: array("d"))
    yes: "array[float]" = field(default_factory=lambda: array("d"))
    with_tag: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __len__(self) -> int:
        return len(self.probability)


def reviews(project_id: int) -> DrawnReviews:
    """Outside the holdout, which is drawn otherwise. Four queries."""
    counted = Review.objects.filter(
        project=project_id, outcome=Review.Outcome.REVIEWED, counted=True, undone_at=None
    )
    rows = (
        counted.filter(image__is_holdout=False, image__deleted_at=None)
        .order_by("id")
        .annotate(yes_ids=_YES)
        .values_list(
            "image_id",
            "image__created_at",
            "created_at",
            "waiting",
            "probability",
            "lease__offered_ids",
            "lease__withheld_ids",
            "yes_ids",
        )
    )
    names = dict(Tag.objects.filter(project=project_id, retired_at=None).values_list("id", "name"))
    standing = merges.of_project(Project.objects.get(pk=project_id))

    def today(*tag_ids: int) -> set[int]:
        return names.keys() & map(standing.survivor, tag_ids)

    found, seen, draws = DrawnReviews(), set(), list[datetime]()
    for image_id, came_at, said_at, waiting, probability, offered_ids, withheld_ids, yes_ids in rows.iterator(
        _ROWS_AT_ONCE
    ):
        if image_id in seen:
            continue
        seen.add(image_id)
        yes, offered = today(*yes_ids), today(*(offered_ids or ()), *(withheld_ids or ()))
        for tag_id in yes:
            found.with_tag[names[tag_id]].append(len(found))
        found.came.append(bisect(draws, came_at))
        found.probability.append(0.0 if waiting is None else cast(float, probability))
        if waiting is not None:
            draws.append(said_at)
        found.offered.append(len(offered))
        found.accepted.append(len(offered & yes))
        found.yes.append(len(yes))
    return found


_YES = ArrayAgg(
    "decisions__tag_id",
    filter=Q(decisions__value=Decision.Value.YES, decisions__undone_at=None),
    default=Value([]),
)
