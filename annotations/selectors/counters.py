"""Reads of the kept counts: the folded value plus the increments that still wait."""

from django.db import connection


def read(project_id: int) -> dict[str, int]:
    """Every counter of the project by name."""
    return read_many([project_id]).get(project_id, {})


def read_many(project_ids: list[int]) -> dict[int, dict[str, int]]:
    """Counters of several projects. One statement, so that a fold in between cannot count anything twice."""
    totals: dict[int, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT project_id, name, sum(amount) FROM (
                SELECT project_id, name, value AS amount FROM annotations_counter WHERE project_id = ANY(%(ids)s)
                UNION ALL
                SELECT project_id, name, delta FROM annotations_counterincrement WHERE project_id = ANY(%(ids)s)
            ) AS parts GROUP BY project_id, name
            """,
            {"ids": project_ids},
        )
        for project_id, name, amount in cursor.fetchall():
            totals.setdefault(project_id, {})[name] = int(amount)
    return totals
