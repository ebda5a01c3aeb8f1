"""How the work goes over time and over tags: reviews by day, answers by tag. Bounded by days and by tags shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from annotations.models import Project, Review


@dataclass(frozen=True)
class DayCount:
    day: date
    reviews: int


@dataclass(frozen=True)
class TagCount:
    """Explicit answers that stand in counted reviews or as one-tag decisions."""

    yes: int = 0
    no: int = 0


def reviews_by_day(project: Project, days: int = 14) -> list[DayCount]:
    """Counted reviews of the last days, today last; days without any are there as zero. One query."""
    today = timezone.now().date()
    first = today - timedelta(days=days - 1)
    rows = (
        Review.objects.filter(
            project=project,
            created_at__date__gte=first,
            outcome=Review.Outcome.REVIEWED,
            counted=True,
            undone_at=None,
            source=Review.Source.PERSON,
        )
        .annotate(day=TruncDate("created_at"))
        .values("day")
        .annotate(reviews=Count("pk"))
    )
    found = {row["day"]: row["reviews"] for row in rows}
    return [
        DayCount(day, found.get(day, 0)) for day in (first + timedelta(days=step) for step in range(days))
    ]


def answers_by_tag(project: Project) -> Mapping[int, TagCount]:
    """Images with a yes and with an explicit no, by tag id. One query over the project's decisions."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.tag_id, count(DISTINCT d.image_id) FILTER (WHERE d.value = 'yes'),
                   count(DISTINCT d.image_id) FILTER (WHERE d.value = 'no')
            FROM annotations_decision d
            JOIN annotations_tag t ON t.id = d.tag_id
            LEFT JOIN annotations_review r ON r.id = d.review_id
            LEFT JOIN annotations_verifiedpage v ON v.id = d.verified_page_id
            WHERE t.project_id = %s AND (r.id IS NULL OR (r.counted AND r.undone_at IS NULL)) AND v.undone_at IS NULL
            GROUP BY d.tag_id
            """,
            [project.pk],
        )
        return {tag_id: TagCount(yes, no) for tag_id, yes, no in cursor.fetchall()}


def offered_by_tag(project: Project) -> Mapping[int, int]:
    """Images on which the model offers the tag and that still wait for a review, by tag id. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT tag_id, count(*) FROM annotations_suggestionset s
            JOIN annotations_queueentry e ON e.image_id = s.image_id AND NOT e.is_holdout
            CROSS JOIN unnest(s.offered_ids) AS tag_id
            WHERE s.project_id = %s GROUP BY tag_id
            """,
            [project.pk],
        )
        return dict(cursor.fetchall())
