"""What another model says of a picture, as it comes in JSON: `[{tag, score}]` and the name of the model."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from annotations.errors import BadInput

MAX_SUGGESTIONS = 20
MODEL_MAX_CHARS = 100
_UNNAMED = "another model"


@dataclass(frozen=True)
class Suggested:
    """Scores by the name of the tag, best first, at most 20, and the model's name and version in one."""

    model: str
    scores: Mapping[str, float]


def read(value: object, model: object, *, item: str) -> Suggested | None:
    """None where nothing is suggested. Raises BadInput."""
    if value is None or value == []:
        return None
    if not isinstance(value, list | tuple):
        raise _bad(item, "suggestions", "a list of {tag, score}", value)
    if model is not None and not isinstance(model, str | int | float):
        raise _bad(item, "model_version", "a name", model)
    scores: dict[str, float] = {}
    for one in value:
        tag, score = (one.get("tag"), one.get("score")) if isinstance(one, Mapping) else (None, None)
        if not isinstance(tag, str) or not tag.strip():
            raise _bad(item, "suggestions", "objects with the name of a tag under `tag`", one)
        if not isinstance(score, int | float) or isinstance(score, bool) or not 0 <= score <= 1:
            raise BadInput(
                f"{item}: expected the score of “{tag[:60]}” to be a number from 0 to 1, got {str(score)[:40]}.",
                code="bad_score",
                item=item,
            )
        scores[tag.strip()] = max(float(score), scores.get(tag.strip(), -math.inf))
    best = sorted(scores.items(), key=lambda pair: -pair[1])[:MAX_SUGGESTIONS]
    name = "" if model is None else str(model).strip()[:MODEL_MAX_CHARS]
    return Suggested(name or _UNNAMED, dict(best))


def _bad(item: str, what: str, expected: str, got: object) -> BadInput:
    return BadInput(
        f"{item}: expected {what} to be {expected}, got {type(got).__name__}.",
        code="bad_suggestions",
        item=item,
    )
