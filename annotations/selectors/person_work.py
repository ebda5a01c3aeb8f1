"""What each person did in a project since a moment, and how fast: reviews, answers to one tag, what was taken back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from annotations.models import Project
from annotations.selectors import progress


@dataclass(frozen=True)
class Work:
    """Of one person. `reviews` stand; those that were taken back are counted beside them.

    `seconds` and `keystrokes` are medians over the reviews in which they were measured. `alone` are answers to one tag
    that stand: of the grid, of one tag at a time, of the gallery and of suspects, without bulk actions.
    """

    reviews: int = 0
    skipped: int = 0
    unsure: int = 0
    broken: int = 0
    alone: int = 0
    seconds: float | None = None
    keystrokes: float | None = None
    undone_by_self: int = 0
    undone_by_others: int = 0

    @property
    def images_an_hour(self) -> float | None:
        """At the median review, as Overview draws it by day."""
        return progress.images_an_hour(self.seconds)

    @property
    def undone(self) -> int:
        return self.undone_by_self + self.undone_by_others

    @property
    def share_undone_by_self(self) -> float | None:
        return self._of_made(self.undone_by_self)

    @property
    def share_undone_by_others(self) -> float | None:
        return self._of_made(self.undone_by_others)

    @property
    def share_undone(self) -> float | None:
        return self._of_made(self.undone)

    def _of_made(self, some: int) -> float | None:
        made = self.reviews + self.undone
        return some / made if made else None


def since(project: Project, moment: datetime | None) -> list[list[Any]]:
    """Rows of a person's id (None: a deleted account), when they were last active, and the fields of `Work`, as JSON
    holds them. One query."""
    asked = {"project": project.pk, "since": moment or "-infinity"}
    with connection.cursor() as cursor:
        cursor.execute(_WORK, asked)
        return [[user_id, at.isoformat(), *figures] for user_id, at, *figures in cursor.fetchall()]


# What came too late to count is no work: it answers nothing.
_WORK = """
    WITH reviewing AS (
        SELECT r.user_id, max(r.created_at) AS last_at,
               count(*) FILTER (WHERE stands AND r.outcome = 'reviewed') AS reviews,
               count(*) FILTER (WHERE stands AND r.outcome = 'skipped') AS skipped,
               count(*) FILTER (WHERE stands AND r.outcome = 'unsure') AS unsure,
               count(*) FILTER (WHERE stands AND r.outcome = 'broken') AS broken,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY r.seconds)
                   FILTER (WHERE stands AND r.outcome = 'reviewed') AS seconds,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY r.keystrokes)
                   FILTER (WHERE stands AND r.outcome = 'reviewed') AS keystrokes,
               count(*) FILTER (WHERE NOT stands AND r.outcome = 'reviewed' AND by_self) AS undone_by_self,
               count(*) FILTER (WHERE NOT stands AND r.outcome = 'reviewed' AND NOT by_self) AS undone_by_others
        FROM annotations_review r
        CROSS JOIN LATERAL (
            SELECT r.undone_at IS NULL AS stands, r.undone_by_id IS NOT DISTINCT FROM r.user_id AS by_self
        ) AS its
        WHERE r.project_id = %(project)s AND r.created_at >= %(since)s::timestamptz
          AND r.source = 'person' AND r.counted
        GROUP BY r.user_id
    ), answer AS (
        SELECT d.user_id, d.created_at FROM annotations_decision d
        WHERE d.project_id = %(project)s AND d.created_at >= %(since)s::timestamptz AND d.review_id IS NULL
          AND d.verified_page_id IS NULL AND d.source = 'person' AND d.bulk_id IS NULL AND d.undone_at IS NULL
        UNION ALL
        SELECT d.user_id, d.created_at FROM annotations_verifiedpage p
        JOIN annotations_decision d ON d.verified_page_id = p.id AND d.undone_at IS NULL
        WHERE p.project_id = %(project)s AND p.created_at >= %(since)s::timestamptz
    ), answering AS (
        SELECT user_id, max(created_at) AS last_at, count(*) AS alone FROM answer GROUP BY user_id
    )
    SELECT user_id, max(last_at), sum(reviews)::int, sum(skipped)::int, sum(unsure)::int, sum(broken)::int,
           sum(alone)::int, max(seconds), max(keystrokes), sum(undone_by_self)::int, sum(undone_by_others)::int
    FROM (
        SELECT user_id, last_at, reviews, skipped, unsure, broken, 0 AS alone, seconds, keystrokes,
               undone_by_self, undone_by_others
        FROM reviewing
        UNION ALL
        SELECT user_id, last_at, 0, 0, 0, 0, alone, NULL, NULL, 0, 0 FROM answering
    ) AS both_kinds GROUP BY user_id
"""
