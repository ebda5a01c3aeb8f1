"""What another model says of a picture, as it comes in JSON: `[{tag, score}]` and the name of the model.

A cell of a table may hold `{tag: score}` instead, which many scripts write, and either as text.
"""

import json
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from annotations.errors import BadInput

MAX_SUGGESTIONS = 20
MODEL_MAX_CHARS = 100
_UNNAMED = "another model"
_NOTHING: tuple[object, ...] = ("", (), [], {}, "[]", "{}", "null")


class Suggested(NamedTuple):
    """Scores by the name of the tag, best first, at most 20, and the model's name and version in one."""

    model: str
    scores: Mapping[str, float]


class UnreadableSuggestions(Exception):
    """Why they cannot be had. The message goes on after the name of what is meant; `sentence` stands by itself."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.sentence = message[:1].upper() + message[1:]


def read(value: object, model: object, *, item: str) -> Suggested | None:
    """None where nothing is suggested. Raises BadInput."""
    if value is None or value == []:
        return None
    try:
        if not isinstance(value, list | tuple):
            raise _bad("suggestions", "a list of {tag, score}", value)
        return Suggested(model_name(model), _best(map(_pair, value)))
    except UnreadableSuggestions as error:
        raise BadInput(f"{item}: {error.message}", code=error.code, item=item) from error


def from_cell(cell: object) -> Suggested | None:
    """What a cell suggests, of a model without a name; None for nothing. Raises UnreadableSuggestions."""
    if is_nothing(cell):
        return None
    value = _parsed(cell) if isinstance(cell, str) else cell
    if isinstance(value, Mapping):
        # A struct of Parquet has each tag of the file as a field, empty where a row does not speak of it.
        scores = _best(pair for pair in value.items() if pair[1] is not None)
    elif isinstance(value, list | tuple):
        scores = _best(map(_pair, value))
    else:
        raise _bad("suggestions", "a list of {tag, score} or an object of scores by tag", value)
    return Suggested(_UNNAMED, scores) if scores else None


def model_name(model: object) -> str:
    """As it is stored; a model without a name has one too. Raises UnreadableSuggestions."""
    if model is not None and not isinstance(model, str | int | float):
        raise _bad("model_version", "a name", model)
    name = "" if model is None else str(model).strip()[:MODEL_MAX_CHARS]
    return name or _UNNAMED


def together(first: Suggested | None, second: Suggested) -> Suggested:
    """Of one model what both say; of two models the later, since an item has one."""
    if first is None or first.model != second.model:
        return second
    return Suggested(first.model, _best([*first.scores.items(), *second.scores.items()]))


def is_nothing(cell: object) -> bool:
    return cell is None or (cell.strip() if isinstance(cell, str) else cell) in _NOTHING


def has_scores(cell: object) -> bool:
    """Whether a cell has the form of suggestions: other columns of such names hold classes, boxes or numbers."""
    value = _perhaps(cell)
    if isinstance(value, Mapping):
        scores = [score for score in value.values() if score is not None]
        return bool(scores) and all(_is_score(score) for score in scores)
    first = _first(value)
    return isinstance(first, tuple) or (isinstance(first, Mapping) and isinstance(first.get("tag"), str))


def is_answer(cell: object) -> bool:
    """Whether a cell is what our own API answers, where a tag is an object: it is no other model's."""
    first = _first(_perhaps(cell))
    return isinstance(first, Mapping) and isinstance(first.get("tag"), Mapping)


def _best(pairs: Iterable[tuple[Any, Any]]) -> dict[str, float]:
    scores: dict[str, float] = {}
    for tag, score in pairs:
        name = tag.strip() if isinstance(tag, str) else ""
        if not name:
            raise _bad("suggestions", "scores by the name of a tag", tag)
        if not _is_score(score):
            raise UnreadableSuggestions(
                "bad_score",
                f"expected the score of “{tag[:60]}” to be a number from 0 to 1, got {str(score)[:40]}.",
            )
        scores[name] = max(float(score), scores.get(name, -math.inf))
    return dict(sorted(scores.items(), key=lambda pair: -pair[1])[:MAX_SUGGESTIONS])


def _pair(one: object) -> tuple[Any, Any]:
    """Tag and score of one entry. A map of Parquet comes as pairs, which JSON does not have."""
    tag, score = one if isinstance(one, tuple) and len(one) == 2 else (None, None)
    if isinstance(one, Mapping):
        tag, score = one.get("tag"), one.get("score")
    if not _is_name(tag):
        raise _bad("suggestions", "objects with the name of a tag under `tag`", one)
    return tag, score


def _is_name(tag: object) -> bool:
    return isinstance(tag, str) and bool(tag.strip())


def _is_score(score: object) -> bool:
    return isinstance(score, int | float | Decimal) and not isinstance(score, bool) and 0 <= score <= 1


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableSuggestions(
            "bad_suggestions",
            "expected suggestions to be JSON, as in [{“tag”: “dog”, “score”: 0.9}] with straight quotes, "
            f"got “{text.strip()[:40]}”.",
        ) from error


def _perhaps(cell: object) -> Any:
    """The cell, or what it holds as text; None for text that is no JSON."""
    try:
        return _parsed(cell) if isinstance(cell, str) else cell
    except UnreadableSuggestions:
        return None


def _first(value: object) -> object:
    return value[0] if isinstance(value, list | tuple) and value else None


def _bad(what: str, expected: str, got: object) -> UnreadableSuggestions:
    return UnreadableSuggestions(
        "bad_suggestions", f"expected {what} to be {expected}, got {type(got).__name__}."
    )
