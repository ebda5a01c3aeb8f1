"""Reviews of images that chance drew, in the order of the draws, with what was said: for estimates of all images."""

from array import array
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import cast

from annotations.models import Decision, Project, Review, Tag
from annotations.selectors import merges
from annotations.selectors.merged_verdicts import Merges

_ROWS_AT_ONCE = 2_000


@dataclass
class DrawnReviews:
    """n images, each by its first review that counts.

    Attributes:
        probability: the chance of each among all that waited then.
        offered: tags that were offered, or on a blind copy would have been; `accepted` of them got a yes.
        yes: all tags that got one.
        with_tag: by a tag's name, the places of the images on which it got a yes.

    Tags that are active today count, merged ones as what they are part of.
    """

    probability: "array[float]" = field(default_factory=lambda: array("d"))
    offered: "array[float]" = field(default_factory=lambda: array("d"))
    accepted: "array[float]" = field(default_factory=lambda: array("d"))
    yes: "array[float]" = field(default_factory=lambda: array("d"))
    with_tag: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __len__(self) -> int:
        return len(self.probability)


def reviews(project_id: int) -> DrawnReviews:
    """Outside the holdout, which is drawn otherwise, and without those that people sent to the front. Five queries."""
    counted = Review.objects.filter(
        project=project_id, outcome=Review.Outcome.REVIEWED, counted=True, undone_at=None
    )
    rows = (
        counted.filter(probability__isnull=False, waiting__isnull=False, image__deleted_at=None)
        .order_by("id")
        .values_list("id", "image_id", "probability", "lease__offered_ids", "lease__withheld_ids")
    )
    names = dict(Tag.objects.filter(project=project_id, retired_at=None).values_list("id", "name"))
    standing = merges.of_project(Project.objects.get(pk=project_id))
    said = _yes_by_review(project_id, names, standing)
    found, seen = DrawnReviews(), set()
    for review_id, image_id, probability, offered_ids, withheld_ids in rows.iterator(_ROWS_AT_ONCE):
        if image_id in seen:
            continue
        seen.add(image_id)
        tag_ids = said.get(review_id, set())
        asked = map(standing.survivor, (*(offered_ids or ()), *(withheld_ids or ())))
        offered = names.keys() & asked
        for tag_id in tag_ids:
            found.with_tag[names[tag_id]].append(len(found))
        found.probability.append(cast(float, probability))  # the filter leaves out None
        found.offered.append(len(offered))
        found.accepted.append(len(offered & tag_ids))
        found.yes.append(len(tag_ids))
    return found


def _yes_by_review(project_id: int, active: Collection[int], standing: Merges) -> dict[int, set[int]]:
    rows = Decision.objects.filter(
        project=project_id, value=Decision.Value.YES, undone_at=None, review__probability__isnull=False
    ).values_list("review_id", "tag_id")
    said: dict[int, set[int]] = defaultdict(set)
    for review_id, answered_id in rows.iterator(_ROWS_AT_ONCE):
        tag_id = standing.survivor(answered_id)
        if tag_id in active:
            said[review_id].add(tag_id)
    return said
