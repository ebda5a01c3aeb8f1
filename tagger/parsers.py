"""Reads JSON bodies. Text that no database can hold is refused here once, instead of at every field."""

import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class SafeJSONParser(JSONParser):
    """JSON without null characters, half surrogates and bottomless nesting."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            data = super().parse(stream, media_type=media_type, parser_context=parser_context)
            _refuse_unstorable(data)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply: send it flatter.") from error
        return data


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
