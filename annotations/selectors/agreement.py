"""How many images people judged alike, tag by tag: what reliability is worked out from. Counted by the database.

Judgements are what reviews of the whole image by people said of every tag that was active then, as they were given, the
latest of each person; answers to one tag alone were often made knowing what others had said. Which answers count how:
docs/decisions/0019-agreement.md. Only what somebody said is read by image and tag. That nobody said yes is counted by
which vocabulary versions the reviews of an image had, so that neither memory nor queries grow with the images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from annotations.models import Project, Tag
from annotations.selectors import tag_eras
from annotations.selectors.tag_eras import Member

GROUPS = 64
"""Images fall into as many groups by chance: what varies from image to image can be told of all tags at once."""


@dataclass(frozen=True, eq=False)
class Judged:
    """K tags in use and their images by how they were judged: `counts` int64 [K, G, J].

    `kinds` are J pairs: how many said yes, of how many who judged the image, two or more. `images` is how many were
    reviewed by two people or more, `differ` on how many of them people differ on a tag at least.
    """

    tag_ids: Sequence[int]
    kinds: Sequence[tuple[int, int]]
    counts: NDArray[np.int64]
    images: int
    differ: int


def judged(project: Project, *, blind: bool = False) -> Judged:
    """Counts of every tag in use; with `blind` of reviews that were shown no suggestions alone. Four queries."""
    in_use = Tag.objects.filter(project=project, retired_at=None, deleted_at=None, merged_into=None)
    tag_ids = list(in_use.order_by("pk").values_list("pk", flat=True))
    members = tag_eras.members(project, tag_ids)
    asked: dict[str, Any] = {
        "project": project.pk,
        "blind": blind,
        "groups": GROUPS,
        "tags": tag_eras.as_json(members),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, asked)
        rows = cursor.fetchall()
    reviewed = [
        (versions, group, images) for what, versions, _, group, *_, images in rows if what == "reviewed"
    ]
    kinds = _kinds(max((len(versions) for versions, _, _ in reviewed), default=0))
    counts = _silent(members, reviewed, kinds)
    _add_said(counts, members, [row[2:] for row in rows if row[0] == "said"], kinds)
    return Judged(
        tag_ids=tag_ids,
        kinds=kinds,
        counts=counts[..., :-1],
        images=sum(images for _, _, images in reviewed),
        differ=sum(row[-1] for row in rows if row[0] == "differing"),
    )


def _kinds(most: int) -> list[tuple[int, int]]:
    return [(yes, values) for values in range(2, most + 1) for yes in range(values + 1)]


def _silent(
    members: Sequence[Member],
    reviewed: Sequence[tuple[list[int], int, int]],
    kinds: Sequence[tuple[int, int]],
) -> NDArray[np.int64]:
    """As if nobody had said anything of any tag: nobody said yes, of as many as were asked. [K, G, J + 1]

    `reviewed` has rows of versions, group, images. The last kind is of images that pair nobody.
    """
    tags = [member for member in members if member.is_survivor]
    counts = np.zeros((len(tags), GROUPS, len(kinds) + 1), dtype=np.int64)
    place_of = {kind: place for place, kind in enumerate(kinds)}
    by_versions: dict[tuple[int, ...], NDArray[np.int64]] = {}
    for versions, group, images in reviewed:
        of_groups = by_versions.setdefault(tuple(versions), np.zeros(GROUPS, dtype=np.int64))
        of_groups[group] += images
    every = {version for said in by_versions for version in said}
    asked = {version: np.array([tag.is_implied(version) for tag in tags], dtype=int) for version in every}
    for together, of_groups in by_versions.items():
        values = np.sum([asked[version] for version in together], axis=0)
        for number in np.unique(values):
            counts[values == number, :, place_of.get((0, int(number)), -1)] += of_groups
    return counts


def _add_said(
    counts: NDArray[np.int64],
    members: Sequence[Member],
    said: Sequence[tuple[int, int, int, int, int, int]],
    kinds: Sequence[tuple[int, int]],
) -> None:
    """Move images from where silence had put them to where answers do.

    `said` has rows of tag, group, how many said yes, how many are asked, how many judged, images.
    """
    place_of = {kind: place for place, kind in enumerate(kinds)}
    rows = (member.tag_id for member in members if member.is_survivor)
    row_of = {tag_id: row for row, tag_id in enumerate(rows)}
    moves = [
        (row_of[tag_id], group, place_of.get((0, asked), -1), place_of.get((yes, values), -1), images)
        for tag_id, group, yes, asked, values, images in said
    ]
    row, group, before, after, images = np.array(moves, dtype=np.int64).reshape(-1, 5).T
    np.subtract.at(counts, (row, group, before), images)
    np.add.at(counts, (row, group, after), images)


# One statement, so that all of it is of one moment: how images were reviewed at all, and what was said of each tag.
# `extra`: reviews that say yes or no of a tag although their silence would have said nothing. `+ 0`: every tag is
# wanted, so that the index by tag would only be the slow way to all decisions.
_COUNTS = """
    WITH latest AS (
        SELECT DISTINCT ON (r.image_id, r.user_id)
            r.image_id, r.id, r.vocabulary_version AS version, i.shuffle
        FROM annotations_review r JOIN annotations_image i ON i.id = r.image_id AND i.deleted_at IS NULL
        WHERE r.project_id = %(project)s AND r.outcome = 'reviewed' AND r.source = 'person' AND r.counted
            AND r.undone_at IS NULL AND (r.blind OR NOT %(blind)s)
        ORDER BY r.image_id, r.user_id, r.created_at DESC, r.id DESC
    ), review AS MATERIALIZED (
        SELECT * FROM (SELECT *, count(*) OVER (PARTITION BY image_id) AS people FROM latest) counted WHERE people > 1
    ), unit AS MATERIALIZED (
        SELECT image_id, array_agg(version ORDER BY version) AS versions,
            least(floor(min(shuffle) * %(groups)s), %(groups)s - 1)::int AS part
        FROM review GROUP BY image_id
    ), tag AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(tags)s::jsonb) AS t (tag_id bigint, survivor_id bigint, is_alone bool,
            edges int[], part bigint[], idle bool[], wanted int[], settled int)
    ), answer AS NOT MATERIALIZED (
        SELECT r.image_id, r.id, t.survivor_id, t.is_alone, d.value = 'yes' AS yes, t.wanted[era] AS wanted,
            CASE WHEN t.idle[era] THEN t.part[era] END AS part
        FROM review r JOIN annotations_decision d ON d.review_id = r.id
        JOIN tag t ON t.tag_id = d.tag_id + 0
        CROSS JOIN LATERAL (SELECT 1 + width_bucket(r.version, t.edges) AS era) its
        WHERE d.project_id = %(project)s AND d.undone_at IS NULL AND (d.value = 'yes' OR t.wanted[era] > 0)
    ), said AS (
        SELECT image_id, survivor_id, yes, wanted > 0 AS extra FROM answer WHERE is_alone
        UNION ALL
        SELECT image_id, survivor_id, bool_or(yes),
            min(wanted) > 0 AND (bool_or(yes) OR count(DISTINCT part) = min(wanted))
        FROM answer WHERE NOT is_alone AND (SELECT count(*) FROM tag WHERE NOT is_alone) > 0
        GROUP BY image_id, id, survivor_id
    ), counted AS (
        SELECT image_id, survivor_id, count(*) FILTER (WHERE yes) AS yes, count(*) FILTER (WHERE extra) AS extra
        FROM said GROUP BY image_id, survivor_id
    ), cell AS (
        SELECT c.image_id, c.survivor_id, u.part, c.yes, its.silent, its.silent + c.extra AS values
        FROM counted c JOIN unit u USING (image_id) JOIN tag t ON t.tag_id = c.survivor_id CROSS JOIN LATERAL (
            SELECT CASE WHEN u.versions[1] >= t.settled THEN cardinality(u.versions) ELSE (
                SELECT count(*) FROM unnest(u.versions) version WHERE t.wanted[1 + width_bucket(version, t.edges)] = 0
            ) END AS silent
        ) AS its
        WHERE c.yes > 0 OR c.extra > 0
    )
    SELECT 'reviewed', versions, NULL::bigint, part, 0, 0, 0, count(*) FROM unit GROUP BY versions, part
    UNION ALL
    SELECT 'differing', NULL, NULL, 0, 0, 0, 0, count(DISTINCT image_id) FROM cell WHERE yes > 0 AND yes < values
    UNION ALL
    SELECT 'said', NULL, survivor_id, part, yes, silent, values, count(*) FROM cell
    GROUP BY survivor_id, part, yes, silent, values
"""
