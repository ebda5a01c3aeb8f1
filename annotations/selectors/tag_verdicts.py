"""On how many images a tag, or two of them, has each verdict; counted by the database wherever that is plain.

Plain is an image on which all explicit answers to the tag agree and every review that counts gave one of them, and one
without any that at most one review implies a no of: all rules of `verdicts.py` then come to the same. The rest, images
that people disagree on and tags with others merged into them, is derived by those rules, one image in memory.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from annotations.models import Project, Tag
from annotations.selectors import arrays, merges, truth
from annotations.selectors.verdicts import verdict_on

# One of each tag, in order; None: not asked.
Verdicts = tuple[str | None, ...]
_UNCLEAR = "?"


@dataclass
class Counted:
    """How many images have these verdicts; and the ids of those that were asked for, by ascending id.

    `looked_at` is the number of images with a decision on one of the tags, the newest up to a limit.
    """

    images: Counter[Verdicts] = field(default_factory=Counter)
    ids: list[int] = field(default_factory=list)

    @property
    def looked_at(self) -> int:
        return self.images.total()


def count(
    project: Project,
    tags: Sequence[Tag],
    *,
    most: int,
    tells_ids: Callable[[Verdicts], bool] | None = None,
) -> Counted:
    """Of the newest `most` images with a decision on one of the tags. Two queries, and those of what is unclear."""
    found, unclear = Counted(), list[int]()
    for *verdicts, images, ids in _by_verdicts(project, tags, most=most, tells_ids=tells_ids is not None):
        if _UNCLEAR in verdicts:
            unclear += ids
            continue
        found.images[tuple(verdicts)] += images
        if tells_ids is not None and tells_ids(tuple(verdicts)):
            found.ids += ids
    for one in truth.one_by_one(project, sorted(unclear)):
        derived = tuple(verdict_on(tag.pk, one) for tag in tags)
        found.images[derived] += 1
        if tells_ids is not None and tells_ids(derived):
            found.ids.append(one.image_id)
    found.ids.sort()
    return found


def _by_verdicts(project: Project, tags: Sequence[Tag], *, most: int, tells_ids: bool) -> list[Any]:
    """Rows of verdicts, images and their ids; all are unclear where other tags were merged into one of these."""
    standing = merges.of_project(project)
    families = [standing.members(tag.pk) for tag in tags]
    is_plain = all(
        len(family) == 1 and tag.deleted_at is None for family, tag in zip(families, tags, strict=True)
    )
    asked: dict[str, Any] = {
        "tags": arrays.literal(tag_id for family in families for tag_id in family),
        "implied": project.unmarked == Project.Unmarked.NO,
        "plain": is_plain and not any(tag.pk in standing.by_tag for tag in tags),
        "tells_ids": tells_ids,
        "most": most,
        **{f"tag_{place}": tag.pk for place, tag in enumerate(tags)},
    }
    places = range(len(tags))
    query = _COUNT.format(
        said=", ".join(_SAID.format(place=place) for place in places),
        verdicts=", ".join(_VERDICT.format(place=place) for place in places),
        columns=", ".join(f"verdict_{place}" for place in places),
    )
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        return cursor.fetchall()


_COUNT = """
    WITH said AS MATERIALIZED (
        SELECT d.image_id, {said} FROM annotations_decision d
        JOIN annotations_image i ON i.id = d.image_id AND i.deleted_at IS NULL
        LEFT JOIN annotations_review r ON r.id = d.review_id
        CROSS JOIN LATERAL (
            SELECT d.scope <> 'image' OR (r.outcome = 'reviewed' AND r.counted AND r.undone_at IS NULL) AS stands
        ) AS its
        WHERE d.tag_id = ANY(%(tags)s::bigint[]) AND d.undone_at IS NULL
        GROUP BY d.image_id ORDER BY d.image_id DESC LIMIT %(most)s
    ), derived AS (
        SELECT said.image_id, {verdicts} FROM said CROSS JOIN LATERAL (
            SELECT count(*) AS reviews, max(w.vocabulary_version) AS version FROM annotations_review w
            WHERE w.image_id = said.image_id AND w.outcome = 'reviewed' AND w.counted AND w.undone_at IS NULL
        ) AS whole
    )
    SELECT {columns}, count(*), array_agg(image_id) FILTER (WHERE %(tells_ids)s OR '?' IN ({columns}))
    FROM derived GROUP BY {columns}
"""
_SAID = """
    min(d.value) FILTER (WHERE stands AND d.tag_id = %(tag_{place})s) AS least_{place},
    max(d.value) FILTER (WHERE stands AND d.tag_id = %(tag_{place})s) AS most_{place},
    count(DISTINCT d.review_id) FILTER (WHERE stands AND d.tag_id = %(tag_{place})s) AS reviews_{place}
"""
_VERDICT = """
    CASE WHEN NOT %(plain)s THEN '?'
         WHEN least_{place} = most_{place} AND reviews_{place} = whole.reviews THEN least_{place}
         WHEN least_{place} IS NULL AND whole.reviews = 0 THEN NULL
         WHEN least_{place} IS NULL AND whole.reviews = 1 THEN CASE WHEN %(implied)s AND EXISTS (
             SELECT 1 FROM annotations_tagperiod p WHERE p.tag_id = %(tag_{place})s
             AND p.since <= whole.version AND (p.until IS NULL OR whole.version < p.until)) THEN 'implied' END
         ELSE '?' END AS verdict_{place}
"""
