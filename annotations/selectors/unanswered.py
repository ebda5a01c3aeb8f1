"""Whether anybody answered a tag on an image, as part of a query: for what asks about many pairs at once.

The rules of `verdicts.py` in their shortest form: a pair is unanswered when no answer that counts is about it. What the
answers add up to is not said here; a test holds this against `truth.verdicts` on histories of every kind.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from annotations.models import Project
from annotations.selectors import arrays

# What was said of an image is read once for all its tags, and the spans of a tag once for all its images; a retired
# tag, which is asked of nobody, drops out.
_JOINS = """
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(d.tag_id), '{{}}') AS tags FROM annotations_decision d
        LEFT JOIN annotations_review r ON r.id = d.review_id
        WHERE d.image_id = {image} AND d.undone_at IS NULL
          AND (d.scope <> 'image' OR (r.outcome = 'reviewed' AND r.counted AND r.undone_at IS NULL))
    ) AS explicitly
    CROSS JOIN LATERAL (
        SELECT array_agg(w.vocabulary_version) AS versions FROM annotations_review w
        WHERE %(implied)s AND w.image_id = {image}
          AND w.outcome = 'reviewed' AND w.counted AND w.undone_at IS NULL
    ) AS whole
    JOIN (
        SELECT g.id AS tag_id, range_agg(int4range(p.since, p.until)) AS spans,
               EXISTS (SELECT 1 FROM annotations_tag s WHERE s.merged_into_id = g.id) AS has_merged
        FROM annotations_tag g JOIN annotations_tagperiod p ON p.tag_id = g.id
        WHERE g.project_id = %(project)s AND g.retired_at IS NULL GROUP BY g.id
    ) AS active ON active.tag_id = {tag}
"""
# No one-tag answer or explicit one, and no review whose vocabulary had the tag (rules 1, 2, 4, 7 and 10).
_CONDITION = """
    CASE WHEN active.has_merged THEN NOT ({merged}) ELSE
        {tag} <> ALL(explicitly.tags)
        AND (whole.versions IS NULL
             OR NOT EXISTS (SELECT 1 FROM unnest(whole.versions) AS version WHERE active.spans @> version))
    END
"""
# Rule 9: a tag with others merged into it is answered by a yes to any of them, or by an answer to each; after its merge
# a tag is answered with the surviving one. A yes counts here even if it was outvoted or replaced since: in that case
# alone the rules may call a pair not asked that no grid asks about.
_MERGED = """
    WITH RECURSIVE part (id, version, at) AS (
        SELECT {tag}::bigint, NULL::int, NULL::timestamptz
        UNION ALL
        SELECT s.id, s.merged_version, s.merged_at FROM part JOIN annotations_tag s ON s.merged_into_id = part.id
    ), said AS (
        SELECT d.tag_id, d.value, r.vocabulary_version, d.created_at FROM annotations_decision d
        LEFT JOIN annotations_review r ON r.id = d.review_id
        WHERE d.image_id = {image} AND d.undone_at IS NULL AND d.tag_id IN (SELECT id FROM part)
          AND (d.scope <> 'image' OR (r.outcome = 'reviewed' AND r.counted AND r.undone_at IS NULL))
    )
    SELECT EXISTS (SELECT 1 FROM said WHERE value = 'yes') OR bool_and(
        EXISTS (SELECT 1 FROM said WHERE said.tag_id = part.id OR said.vocabulary_version >= part.version
                OR (said.vocabulary_version IS NULL AND said.created_at >= part.at))
        OR EXISTS (SELECT 1 FROM unnest(whole.versions) AS v (version) WHERE v.version >= part.version
                   OR EXISTS (SELECT 1 FROM annotations_tagperiod p WHERE p.tag_id = part.id
                              AND p.since <= v.version AND (p.until IS NULL OR v.version < p.until)))
    ) FROM part
"""


def joins(*, image: str, tag: str) -> str:
    """What `condition` reads, for the FROM of a query; `image` and `tag` are its columns of ids."""
    return _JOINS.format(image=image, tag=tag)


def condition(*, image: str, tag: str) -> str:
    """SQL that holds where nobody answered the tag on the image."""
    return _CONDITION.format(tag=tag, merged=_MERGED.format(image=image, tag=tag))


def parameters(project: Project) -> dict[str, Any]:
    return {"project": project.pk, "implied": project.unmarked == Project.Unmarked.NO}


def among(project: Project, tag_id: int | None, image_ids: Sequence[int]) -> set[int]:
    """Which of these images nobody answered the tag on. One query."""
    if not image_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_AMONG, {"ids": arrays.literal(image_ids), "tag": tag_id, **parameters(project)})
        return {row[0] for row in cursor.fetchall()}


_AMONG = f"""
    SELECT c.image_id FROM unnest(%(ids)s::bigint[]) AS c(image_id)
    {joins(image="c.image_id", tag="%(tag)s")} WHERE {condition(image="c.image_id", tag="%(tag)s")}
"""  # noqa: S608 (joins and condition are constants)
