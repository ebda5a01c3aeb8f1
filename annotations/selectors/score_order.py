"""Images by the score of one tag, from the rankings (docs/decisions/0009), whose age the answer states.

Listed are the images that suggest the tag and wait for a word on it, as many as a ranking keeps. The holdout is never
among them: its images show no scores before their reviews are complete.
"""

from typing import Any

from django.db.models import BigIntegerField, F, FloatField, Func, QuerySet, Value
from django.db.models.functions import Cast

from annotations.errors import BadInput
from annotations.models import Image, Project, TagRanking
from annotations.numbers import id_or_word
from annotations.selectors import arrays, images, unanswered, vocabulary


def tag_of(project: Project, ordering: str) -> int | None:
    """The tag of `score:{name, alias or id}`; None of any other ordering. Raises `unknown_tag`."""
    if not ordering.startswith(images.BY_SCORE):
        return None
    word = ordering.removeprefix(images.BY_SCORE).strip()
    if not word:
        raise BadInput("`ordering=score:` names a tag: score:dog.", code="bad_ordering")
    return vocabulary.active_ids(project, [id_or_word(word)])[0]


def scored(rows: QuerySet[Image], project: Project, tag_id: int) -> QuerySet[Image]:
    """Those of the rows that the tag's ranking names and nobody has answered since, with their `score`."""
    kept = TagRanking.objects.filter(tag=tag_id, project=project).values_list("best_ids", flat=True).first()
    waiting = unanswered.among(project, tag_id, kept or [])
    rows = rows.filter(arrays.among("id", waiting)).exclude(images.blind(project))
    return rows.annotate(score=_score(tag_id)).filter(score__isnull=False)


def _score(tag_id: int) -> Func:
    names: Any = F("suggestion_set__tag_ids")
    position = Func(names, Cast(Value(tag_id), BigIntegerField()), function="array_position")
    return Func(
        F("suggestion_set__scores"),
        position,
        arg_joiner=")[",
        template="((%(expressions)s])",
        output_field=FloatField(),
    )
