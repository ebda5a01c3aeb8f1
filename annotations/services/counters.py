"""Kept counts are appended as increments and folded by the sweep. Reading them: `selectors.counters`."""

from collections.abc import Mapping

from django.db import connection, transaction

from annotations.models import CounterIncrement


def add(project_id: int, deltas: Mapping[str, int]) -> None:
    """Append increments; call inside the transaction of the change that they count."""
    CounterIncrement.objects.bulk_create(
        CounterIncrement(project_id=project_id, name=name, delta=delta)
        for name, delta in deltas.items()
        if delta
    )


@transaction.atomic
def fold() -> int:
    """Fold appended increments into their counters; returns how many were folded."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH taken AS (
                DELETE FROM annotations_counterincrement
                WHERE id IN (SELECT id FROM annotations_counterincrement ORDER BY id LIMIT 50000
                             FOR UPDATE SKIP LOCKED)
                RETURNING project_id, name, delta
            ), folded AS (
                INSERT INTO annotations_counter (project_id, name, value)
                SELECT project_id, name, sum(delta) FROM taken GROUP BY project_id, name
                ON CONFLICT (project_id, name) DO UPDATE SET value = annotations_counter.value + EXCLUDED.value
            )
            SELECT count(*) FROM taken
            """
        )
        return int(cursor.fetchone()[0])
