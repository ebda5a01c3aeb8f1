"""Many numbers or texts as one parameter of a query: the driver takes longer over them than the database."""

from collections.abc import Iterable

from django.db.models import BooleanField, F, Func, Value


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


def among(column: str, ids: Iterable[int]) -> Func:
    """The condition that a column is one of these ids, which the database looks up in one go.

    `__in` sends thousands of parameters, which take the driver longer than the database.
    """
    return Func(
        F(column),
        Value(literal(ids)),
        arg_joiner=" = ANY(",
        template="%(expressions)s::bigint[])",
        output_field=BooleanField(),
    )


def among_texts(column: str, texts: Iterable[str]) -> Func:
    """The same of texts."""
    return Func(
        F(column),
        Value(text_literal(texts)),
        arg_joiner=" = ANY(",
        template="%(expressions)s::text[])",
        output_field=BooleanField(),
    )
