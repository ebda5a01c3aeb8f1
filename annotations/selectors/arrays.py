"""Many numbers as one parameter of a query, written here: the driver takes longer over them than the database."""

from collections.abc import Iterable


def literal(numbers: Iterable[float | None]) -> str:
    """As PostgreSQL writes an array; the query casts it, for example to bigint[].

    >>> literal([1, None, 0.5])
    '{1,NULL,0.5}'
    """
    return f"{{{','.join(['NULL' if number is None else str(number) for number in numbers])}}}"
