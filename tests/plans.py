"""What a query cost, in rows: for tests that hold a query to what it needs, whatever the size of the project."""

from typing import Any


def rows_read(planned: dict[str, Any]) -> int:
    """Rows that the leaves of a plan touched, of EXPLAIN (ANALYZE, FORMAT JSON); those a filter threw away included."""
    if "Plans" in planned:
        return sum(rows_read(child) for child in planned["Plans"])
    each = planned["Actual Rows"] + planned.get("Rows Removed by Filter", 0)
    return int(each * planned["Actual Loops"])
