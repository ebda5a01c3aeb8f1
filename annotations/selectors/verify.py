"""What the grid asks about: tags with what waits for a word on them, and the images of one tag in an order.

Both read the rankings, whose age the page states; what was answered since they were built is left out all the same.
Images of the holdout are never asked about here: a grid shows scores, and the holdout is tagged without them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum
from django.utils import timezone

from annotations.models import Image, Project, RankingAge, SuggestionSet, Tag, TagRanking, VerifiedPage
from annotations.selectors import arrays, queue, unanswered

BEST, UNCERTAIN = "best", "uncertain"
ORDERS = {BEST: "best_ids", UNCERTAIN: "uncertain_ids"}
# Rankings are built again when they are older than this, and than twenty times what building took.
FRESH = timedelta(seconds=60)
SHARE_OF_TIME = 20
# Characters of a caption in a tile; the image's own page has all of it.
CAPTION_SHOWN = 500
# SQL on an image `i` that may be asked about in a grid.
ASKABLE = "i.deleted_at IS NULL AND NOT i.is_holdout AND i.state <> 'broken'"


@dataclass(frozen=True)
class WaitingTag:
    """`waiting`: images without an answer for the tag; `offered`: those of them above its threshold."""

    tag: Tag
    waiting: int
    offered: int


@dataclass(frozen=True)
class Candidate:
    """An image to ask about. `is_offered`: its score is above the tag's threshold."""

    image: Image
    score: float
    is_offered: bool
    model_number: int


def built_at(project: Project) -> datetime | None:
    """When the rankings were built; None before the first time."""
    return RankingAge.objects.filter(project=project).values_list("built_at", flat=True).first()


def is_due(project_id: int) -> bool:
    """Whether the rankings are missing or old enough to be worth another pass."""
    age = RankingAge.objects.filter(project=project_id).first()
    if age is None:
        return True
    return timezone.now() - age.built_at > max(FRESH, SHARE_OF_TIME * timedelta(seconds=age.seconds))


def waiting_tags(project: Project, limit: int) -> list[WaitingTag]:
    """Active tags that wait for a word, most offered images first: there one key answers most. Three queries."""
    rows = _counts(project).filter(tag__retired_at=None, waiting__gt=0)
    found = rows.order_by("-offered", "-waiting", "tag_id")[:limit]
    since = _answered_since(project)
    return [_waiting(row, since) for row in found]


def waiting_for(project: Project, tag: Tag) -> WaitingTag:
    """The same of one tag, which may have nothing waiting."""
    row = _counts(project).filter(tag=tag).first()
    return _waiting(row, _answered_since(project)) if row else WaitingTag(tag, 0, 0)


def has_suggestions(project: Project) -> bool:
    return SuggestionSet.objects.filter(project=project).exists()


def candidates(
    project: Project, tag_id: int, *, order: str, limit: int, without: Iterable[int] = ()
) -> list[Candidate]:
    """The next images to ask about this tag, but for those named. Two queries, bounded by what a ranking keeps."""
    with connection.cursor() as cursor:
        cursor.execute(
            _NEXT.replace("$ids", ORDERS[order]),
            {
                "tag": tag_id,
                "without": arrays.literal(without),
                "limit": limit,
                **unanswered.parameters(project),
            },
        )
        ids = [image_id for (image_id,) in cursor.fetchall()]
    sets = SuggestionSet.objects.select_related("image").in_bulk(ids)
    return [_candidate(sets[pk], tag_id) for pk in ids if pk in sets and tag_id in sets[pk].tag_ids]


def tile(candidate: Candidate) -> dict[str, Any]:
    """A candidate as the API and the page show it; `offered`: it is set to yes until somebody says no."""
    image = candidate.image
    return {
        "id": image.pk,
        "name": image.name,
        "caption": image.caption[:CAPTION_SHOWN],
        "width_px": image.width_px,
        "height_px": image.height_px,
        **queue.addresses(image),
        # For tiles that are wider than the small thumbnail.
        "large_thumbnail_url": queue.thumbnail_url(image, 512),
        "score": round(candidate.score, 4),
        "offered": candidate.is_offered,
        "model_number": candidate.model_number,
    }


def shared_model_number(candidates: list[Candidate]) -> int | None:
    """Whose suggestions these are; None where they come from more than one model."""
    numbers = {candidate.model_number for candidate in candidates}
    return numbers.pop() if len(numbers) == 1 else None


def last_pages(project: Project, tag_id: int, user_id: int, limit: int) -> list[VerifiedPage]:
    """The pages of this tag that the person confirmed within a day and did not take back, newest first."""
    since = timezone.now() - timedelta(days=1)
    pages = VerifiedPage.objects.filter(project=project, created_at__gte=since, undone_at=None)
    return list(pages.filter(tag=tag_id, user=user_id).order_by("-created_at")[:limit])


def _counts(project: Project) -> QuerySet[TagRanking]:
    """Rankings without their long lists of images."""
    return TagRanking.objects.filter(project=project).select_related("tag").defer(*ORDERS.values())


def _waiting(row: TagRanking, answered_since: dict[int, int]) -> WaitingTag:
    waiting = max(row.waiting - answered_since.get(row.tag_id, 0), 0)
    return WaitingTag(row.tag, waiting, min(row.offered, waiting))


def _candidate(row: SuggestionSet, tag_id: int) -> Candidate:
    score = row.scores[row.tag_ids.index(tag_id)]
    return Candidate(row.image, score, tag_id in row.offered_ids, row.model_number)


def _answered_since(project: Project) -> dict[int, int]:
    """Answers of confirmed pages since the rankings were built, by tag."""
    built = built_at(project)
    if built is None:
        return {}
    pages = VerifiedPage.objects.filter(project=project, created_at__gte=built, undone_at=None)
    sums = pages.values("tag_id").annotate(answers=Sum("yes") + Sum("no"))
    return {row["tag_id"]: row["answers"] for row in sums}


_NEXT = f"""
    SELECT c.image_id FROM annotations_tagranking k
    CROSS JOIN unnest(k.$ids) WITH ORDINALITY AS c(image_id, place)
    JOIN annotations_image i ON i.id = c.image_id AND {ASKABLE}
    {unanswered.joins(image="c.image_id", tag="k.tag_id")}
    WHERE k.tag_id = %(tag)s AND k.project_id = %(project)s
      AND c.image_id <> ALL(%(without)s::bigint[])
      AND {unanswered.condition(image="c.image_id", tag="k.tag_id")}
    ORDER BY c.place LIMIT %(limit)s
"""  # noqa: S608 (conditions are constants, and the column one of ORDERS)
