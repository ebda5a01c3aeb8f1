"""How long people wait: from the key that answered to the next picture on screen, as their browsers measured it."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from annotations.models import Project

# Of a busy project's week the newest so many reviews are looked at: the figure costs the same for all.
NEWEST = 20_000


@dataclass(frozen=True)
class PictureTimes:
    """Milliseconds; `measured` is the number of reviews behind them."""

    median_ms: int
    p95_ms: int
    measured: int


def key_to_picture(project: Project, days: int = 7) -> PictureTimes | None:
    """Median and 95th percentile of the last days; None while nothing was measured. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY picture_ms), count(*)
            FROM (
                SELECT picture_ms FROM annotations_review
                WHERE project_id = %s AND created_at >= %s ORDER BY created_at DESC LIMIT %s
            ) newest
            WHERE picture_ms IS NOT NULL
            """,
            [project.pk, timezone.now() - timedelta(days=days), NEWEST],
        )
        quantiles, measured = cursor.fetchone()
    return PictureTimes(round(quantiles[0]), round(quantiles[1]), measured) if measured else None
