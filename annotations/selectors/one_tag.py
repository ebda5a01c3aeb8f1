"""How far the answers about one tag have come: what was answered, and what the one-tag mode still asks.

Bounded, whatever the project's size: the rankings' images are looked at (docs/decisions/0009), and so many answers.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from annotations.models import Project
from annotations.selectors import unanswered, verify

COUNTED_MOST = 1_000


@dataclass(frozen=True)
class Progress:
    """`answered`: answers to this tag alone, up to `COUNTED_MOST` pages of them; `waiting`: images of the queue that
    suggest the tag and have no answer for it, of those that the rankings of `built_at` name.

    `is_more`: the rankings name not all. None where they are not built.
    """

    answered: int
    is_more_answered: bool
    waiting: int | None
    is_more: bool
    built_at: datetime | None


def progress(project: Project, tag_id: int) -> Progress:
    """Three queries."""
    built_at = verify.built_at(project)
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, [tag_id, COUNTED_MOST + 1])
        answered, pages = cursor.fetchone()
        cursor.execute(_WAITING, {"tag": tag_id, **unanswered.parameters(project)})
        waiting, is_more = cursor.fetchone() or (0, False)
    return Progress(
        answered=answered,
        is_more_answered=pages > COUNTED_MOST,
        waiting=waiting if built_at else None,
        is_more=is_more,
        built_at=built_at,
    )


_ANSWERED = """
    SELECT coalesce(sum(yes + no), 0), count(*) FROM (
        SELECT yes, no FROM annotations_verifiedpage WHERE tag_id = %s AND undone_at IS NULL LIMIT %s
    ) page
"""
_WAITING = f"""
    SELECT (
        SELECT count(*) FROM unnest(k.best_ids) AS c(image_id)
        JOIN annotations_queueentry e ON e.image_id = c.image_id AND NOT e.is_holdout
        {unanswered.joins(image="c.image_id", tag="%(tag)s")}
        WHERE {unanswered.condition(image="c.image_id", tag="%(tag)s")}
    ), k.waiting > cardinality(k.best_ids)
    FROM annotations_tagranking k WHERE k.tag_id = %(tag)s AND k.project_id = %(project)s
"""  # noqa: S608 (joins and condition are constants)
