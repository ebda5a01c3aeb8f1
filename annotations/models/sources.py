"""How `SuggestionSet.sources` is stored: as text that says each score once, for there are millions of them.

jsonb costs PostgreSQL more than all else of storing a suggestion, and nothing ever searches in it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models


class SourcesField(models.TextField):
    """Lists of sources, one a tag; in the database `packed`, or plain JSON as older rows have it."""

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> Any:
        return None if value is None else unpacked(value)

    def get_prep_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else json.dumps(value)


def packed(count: int, seen: str, said: Mapping[int, str] | None = None) -> str:
    """The text of `count` tags: `seen` holds their pixel scores behind commas or nothing, `said` JSON by place.

    >>> packed(2, "0.5,0.25", {1: '{"kind":"caption","score":0.9}'})
    '{"count":2,"vision":[0.5,0.25],"caption":{"1":{"kind":"caption","score":0.9}}}'
    """
    captions = ",".join([f'"{place}":{source}' for place, source in said.items()]) if said else ""
    return f'{{"count":{count},"vision":[{seen}],"caption":{{{captions}}}}}'


def unpacked(text: str) -> Sequence[list[dict[str, Any]]]:
    """The lists of sources that the text stands for.

    >>> unpacked(packed(2, "0.5,0.25"))
    [[{'kind': 'vision', 'score': 0.5}], [{'kind': 'vision', 'score': 0.25}]]
    """
    found = json.loads(text)
    if isinstance(found, list):
        return found
    sources: list[list[dict[str, Any]]] = [[] for _ in range(found["count"])]
    for place, score in enumerate(found["vision"]):
        sources[place].append({"kind": "vision", "score": score})
    for place, source in found["caption"].items():
        sources[int(place)].append(source)
    return sources
