"""Reads JSON bodies. Text that no database can hold is refused here once, instead of at every field."""

import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# What the bodies of the API need is a dozen; what is stored of them may be 50 deep.
MAX_DEPTH = 100


class ShallowJSONParser(JSONParser):
    """JSON without bottomless nesting, on which everything that walks through it would break."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            data = super().parse(stream, media_type=media_type, parser_context=parser_context)
        except RecursionError as error:
            raise _too_deep() from error
        _refuse_deep(data)
        return data


class SafeJSONParser(ShallowJSONParser):
    """JSON without null characters and half surrogates too."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        data = super().parse(stream, media_type=media_type, parser_context=parser_context)
        _refuse_unstorable(data)
        return data


def _refuse_deep(data: Any) -> None:
    """Level by level, since what nests without end would end a function that calls itself."""
    level = [data]
    for _ in range(MAX_DEPTH + 1):
        nested = (one for one in level if isinstance(one, dict | list))
        level = [inner for one in nested for inner in (one.values() if isinstance(one, dict) else one)]
        if not level:
            return
    raise _too_deep()


def _too_deep() -> ParseError:
    return ParseError(
        f"The JSON is nested too deeply: expected at most {MAX_DEPTH} lists or objects in one another. Send it flatter."
    )


def _refuse_unstorable(value: Any) -> None:
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise ParseError("A text holds a null character or half a surrogate pair: leave it out.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _refuse_unstorable(key)
            _refuse_unstorable(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_unstorable(inner)
