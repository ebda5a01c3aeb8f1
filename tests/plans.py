"""What a query cost, in rows: for tests that hold a query to what it needs, whatever the size of the project."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


def rows_read(planned: dict[str, Any]) -> int:
    """Rows that the leaves of a plan touched, of EXPLAIN (ANALYZE, FORMAT JSON); those a filter threw away included."""
    if "Plans" in planned:
        return sum(rows_read(child) for child in planned["Plans"])
    each = planned["Actual Rows"] + planned.get("Rows Removed by Filter", 0)
    return int(each * planned["Actual Loops"])


def rows_fetched(ask: Callable[[], object]) -> int:
    """Rows that came to this process while `ask` ran: what a page holds of a project."""
    fetched = 0

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal fetched
        answer = execute(sql, params, many, context)
        fetched += max(0, context["cursor"].rowcount)
        return answer

    with connection.execute_wrapper(count):
        ask()
    return fetched


def rows_read_by(ask: Callable[[], object]) -> int:
    """Rows that the plans of all queries touch which `ask` asks, where they go by indexes."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    with connection.cursor() as cursor:
        # What earlier tests left in the statistics would choose the plan else.
        cursor.execute("ANALYZE")
        cursor.execute("SET LOCAL enable_seqscan = off")
        rows = 0
        for query in captured.captured_queries:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            rows += rows_read(cursor.fetchone()[0][0]["Plan"])
        cursor.execute("SET LOCAL enable_seqscan = on")
    return rows
