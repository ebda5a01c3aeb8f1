"""Many numbers or texts as one parameter of a query: the driver takes longer over them than the database."""

from collections.abc import Iterable

from django.db.models.expressions import RawSQL


def literal(numbers: Iterable[float | None]) -> str:
    """As PostgreSQL writes an array; the query casts it, for example to bigint[].

    >>> literal([1, None, 0.5])
    '{1,NULL,0.5}'
    """
    return f"{{{','.join(['NULL' if number is None else str(number) for number in numbers])}}}"


def text_literal(texts: Iterable[str]) -> str:
    """The same of texts, for text[].

    >>> print(text_literal(["a", 'b "c"']))
    {"a","b \\"c\\""}
    """
    quoted = ['"' + text.replace("\\", r"\\").replace('"', r"\"") + '"' for text in texts]
    return f"{{{','.join(quoted)}}}"


def any_of(ids: Iterable[int]) -> RawSQL:
    """These ids for `__in`, as one parameter: thousands of them take the driver longer than the database."""
    return RawSQL("SELECT unnest(%s::bigint[])", [literal(ids)])
