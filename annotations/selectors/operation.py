"""What operators watch of the whole installation: counts over all projects, and how much work waits. No rules here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from annotations.models import Lease, Project
from annotations.models.job import OPEN_STATES


@dataclass(frozen=True)
class OpenJobs:
    """Jobs of one kind in one state, and when the oldest of them was asked for; None where there is none."""

    state: str
    number: int
    oldest_at: datetime | None

    @property
    def waited_s(self) -> float:
        """Seconds since the oldest was asked for."""
        return (timezone.now() - self.oldest_at).total_seconds() if self.oldest_at else 0.0


def counts() -> dict[str, int]:
    """Every kept counter, summed over the projects that are not in the trash. One query, over counters alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT parts.name, sum(amount) FROM (
                SELECT project_id, name, value AS amount FROM annotations_counter
                UNION ALL
                SELECT project_id, name, delta FROM annotations_counterincrement
            ) AS parts JOIN annotations_project p ON p.id = parts.project_id AND p.deleted_at IS NULL
            GROUP BY parts.name
            """
        )
        return {name: int(amount) for name, amount in cursor.fetchall()}


def projects() -> int:
    """How many there are, without the trash."""
    return Project.objects.filter(deleted_at=None).count()


def open_leases() -> int:
    """Images that somebody holds."""
    return Lease.objects.filter(is_open=True, expires_at__gt=timezone.now()).count()


def open_jobs(jobs: QuerySet[Any]) -> list[OpenJobs]:
    """Of these jobs, which are of one kind, those that wait and those that run. One query."""
    rows = jobs.filter(state__in=OPEN_STATES).values_list("state")
    found = {
        state: (number, oldest_at)
        for state, number, oldest_at in rows.annotate(Count("pk"), Min("created_at"))
    }
    return [OpenJobs(state.value, *found.get(state.value, (0, None))) for state in OPEN_STATES]
