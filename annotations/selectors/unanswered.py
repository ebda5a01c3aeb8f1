"""Whether anybody answered a tag on an image, as part of a query: for what asks about many pairs at once.

The rules of `verdicts.py` in their shortest form: a pair is unanswered when no answer that counts is about it. What the
answers add up to is not said here; a test holds this against `truth.verdicts` on histories of every kind.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from annotations.models import Project
from annotations.selectors import arrays

# What was said of an image is read once for all its tags, and the spans of a tag once for all its images.
_JOINS = """
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(d.tag_id), '{{}}') AS tags FROM annotations_decision d
        LEFT JOIN annotations_review r ON r.id = d.review_id
        LEFT JOIN annotations_verifiedpage v ON v.id = d.verified_page_id
        WHERE d.image_id = {image} AND v.undone_at IS NULL
          AND (d.scope <> 'image' OR (r.outcome = 'reviewed' AND r.counted AND r.undone_at IS NULL))
    ) AS explicitly
    CROSS JOIN LATERAL (
        SELECT array_agg(w.vocabulary_version) AS versions FROM annotations_review w
        WHERE %(implied)s AND w.image_id = {image}
          AND w.outcome = 'reviewed' AND w.counted AND w.undone_at IS NULL
    ) AS whole
    CROSS JOIN LATERAL (
        SELECT range_agg(int4range(p.since, p.until)) AS spans FROM annotations_tagperiod p WHERE p.tag_id = {tag}
    ) AS active
"""
# No one-tag answer or explicit one, and no review whose vocabulary had the tag (rules 1, 2, 4, 7 and 10).
_CONDITION = """
    {tag} <> ALL(explicitly.tags)
    AND NOT EXISTS (SELECT 1 FROM unnest(whole.versions) AS version WHERE active.spans @> version)
"""


def joins(*, image: str, tag: str) -> str:
    """What `condition` reads, for the FROM of a query; `image` and `tag` are its columns of ids."""
    return _JOINS.format(image=image, tag=tag)


def condition(*, tag: str) -> str:
    """SQL that holds where nobody answered the tag on the image."""
    return _CONDITION.format(tag=tag)


def parameters(project: Project) -> dict[str, Any]:
    return {"implied": project.unmarked == Project.Unmarked.NO}


def among(project: Project, tag_id: int | None, image_ids: Sequence[int]) -> set[int]:
    """Which of these images nobody answered the tag on. One query."""
    if not image_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_AMONG, {"ids": arrays.literal(image_ids), "tag": tag_id, **parameters(project)})
        return {row[0] for row in cursor.fetchall()}


_AMONG = f"""
    SELECT c.image_id FROM unnest(%(ids)s::bigint[]) AS c(image_id)
    {joins(image="c.image_id", tag="%(tag)s")} WHERE {condition(tag="%(tag)s")}
"""  # noqa: S608 (joins and condition are constants)
