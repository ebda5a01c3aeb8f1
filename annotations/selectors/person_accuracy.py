"""How far each person's answers are those of others, and of a reviewer's last word; counted by the database.

What the two figures mean, and what they do not, is in docs/decisions/0020-figures-about-people.md. An answer is what
`verdicts.py` makes of one person's review: yes, no (explicit or implied), or none where the tag was not asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from annotations.models import Project, Tag
from annotations.selectors import arrays, merges, shares
from annotations.selectors.merged_verdicts import Merges
from annotations.selectors.shares import Share, Sums

# Of all that was ever said the newest so many are looked at: the figures cost the same in every large project.
NEWEST_REVIEWS = 50_000
NEWEST_WORDS = 20_000


@dataclass(frozen=True)
class Accuracy:
    """Of one person: `agreement` with others who reviewed the same images, and what last words `upheld`.

    `agreement.images` are those that others reviewed too, `agreement.among` counts the tags that this person or another
    one gave there, a pair of people each. `upheld.among` are answers that somebody else's last word decided.
    """

    agreement: Share = shares.NONE
    upheld: Share = shares.NONE


class Sides:
    """The sums behind both figures: rows of a person's id and the fields of `Sums`, as JSON holds them."""

    def __init__(self, project: Project, moment: datetime | None) -> None:
        """Of answers since a moment, or all. Two queries."""
        self._asked = {
            "project": project.pk,
            "since": moment or "-infinity",
            "implied": project.unmarked == Project.Unmarked.NO,
            "newest_reviews": NEWEST_REVIEWS,
            "newest_words": NEWEST_WORDS,
            **_parts(project),
        }

    def agreement(self) -> list[list[Any]]:
        """Hits are tags that both gave, among those that either gave. One query."""
        return self._rows(_AGREEMENT)

    def upheld(self) -> list[list[Any]]:
        """Hits are answers that the last word confirmed, among those that it decided. One query."""
        return self._rows(_UPHELD)

    def _rows(self, query: str) -> list[list[Any]]:
        with connection.cursor() as cursor:
            cursor.execute(query, self._asked)
            return [list(row) for row in cursor.fetchall()]


def _parts(project: Project) -> dict[str, str]:
    """What each tag speaks for, as arrays of `_PART`; nothing in the trash does.

    Sent along instead of asked for in the queries: the planner then knows how few they are.
    """
    standing = merges.of_project(project)
    kept = set(Tag.objects.filter(project=project, deleted_at=None).values_list("pk", flat=True))
    rows = [row for tag_id in kept for row in _speaks_for(tag_id, standing) if row[1] in kept]
    tag_ids, for_ids, sinces, versions = zip(*rows, strict=True) if rows else ((), (), (), ())
    return {
        "tag_ids": arrays.literal(tag_ids),
        "for_ids": arrays.literal(for_ids),
        "sinces": arrays.text_literal(
            "-infinity" if since is None else since.isoformat() for since in sinces
        ),
        "versions": arrays.literal(versions),
        "merged_ids": arrays.literal(standing.by_tag),
    }


def _speaks_for(tag_id: int, standing: Merges) -> Iterator[tuple[int, int, datetime | None, int | None]]:
    """The tag, what it speaks for (itself, and what it became), since when, and the version that ended it."""
    merge = standing.by_tag.get(tag_id)
    version = None if merge is None else merge.version
    yield tag_id, tag_id, None, version
    since: datetime | None = None
    while merge is not None:
        since = merge.at if since is None else max(since, merge.at)
        yield tag_id, merge.into_id, since, version
        merge = standing.by_tag.get(merge.into_id)


def told(
    agreement: Mapping[int | None, Sums], upheld: Mapping[int | None, Sums], user_id: int | None
) -> Accuracy:
    """What the sums say of this person."""
    both, confirmed = agreement.get(user_id), upheld.get(user_id)
    return Accuracy(
        agreement=shares.mapped(shares.of_sums(both), _given_by_the_other) if both else shares.NONE,
        upheld=shares.of_sums(confirmed) if confirmed else shares.NONE,
    )


def _given_by_the_other(both_of_either: float) -> float:
    """Positive specific agreement 2·both / (2·both + one alone) from the share both / either (Fleiss, 1975).

    Its interval is mapped too: a tag that both gave would else count as two answers.
    """
    return 2 * both_of_either / (1 + both_of_either)


# `version`: the one from which on the tag is none of its own any more.
_PART = """
    part AS MATERIALIZED (
        SELECT * FROM unnest(
            %(tag_ids)s::bigint[], %(for_ids)s::bigint[], %(sinces)s::timestamptz[], %(versions)s::int[]
        ) AS part (tag_id, for_id, since, version)
    )
"""
# Of `asked` (who answers, in which vocabulary, a question about the tag `for_id` as it was `at` a moment): how many
# tags of that vocabulary are that tag by then, and how many of them were active. All of them answered no is a no.
_FAMILY = """
    family AS MATERIALIZED (
        SELECT kind.vocabulary_version, kind.for_id, kind.at, count(*) AS tags, count(*) FILTER (WHERE EXISTS (
            SELECT FROM annotations_tagperiod p WHERE p.tag_id = part.tag_id AND p.since <= kind.vocabulary_version
            AND (p.until IS NULL OR kind.vocabulary_version < p.until))) AS active
        FROM (SELECT DISTINCT vocabulary_version, for_id, at FROM asked) AS kind
        JOIN part ON part.for_id = kind.for_id AND part.since <= kind.at
             AND (part.version IS NULL OR kind.vocabulary_version < part.version)
        GROUP BY kind.vocabulary_version, kind.for_id, kind.at
    )
"""
_IS_ANSWER = "said.yes OR said.noes >= family.tags OR (%(implied)s AND family.active = family.tags)"
_STANDS = """
    r.project_id = %(project)s AND r.source = 'person' AND r.outcome = 'reviewed' AND r.counted AND r.undone_at IS NULL
"""
_SAYS = "bool_or({value} = 'yes') AS yes, count(*) FILTER (WHERE {value} = 'no') AS noes"
# Over `of_image`, the fields of `shares.Sums`.
_SUMS = """
    count(*)::int, coalesce(sum(hits), 0)::int, coalesce(sum(among), 0)::int, coalesce(sum(hits * hits), 0)::bigint,
    coalesce(sum(hits * among), 0)::bigint, coalesce(sum(among * among), 0)::bigint
"""

# Each person's latest review of an image speaks. Of a tag that `gave` people of `people` gave, who gave it agrees with
# the others who did and stands alone against the rest, who did not stands alone against each who did.
_AGREEMENT = f"""
    WITH {_PART}, newest AS (
        SELECT r.id, r.image_id, r.user_id, r.vocabulary_version, r.created_at FROM annotations_review r
        WHERE {_STANDS} ORDER BY r.created_at DESC LIMIT %(newest_reviews)s
    ), latest AS (
        SELECT DISTINCT ON (r.image_id, r.user_id) r.*
        FROM newest r JOIN annotations_image i ON i.id = r.image_id AND i.deleted_at IS NULL
        ORDER BY r.image_id, r.user_id, r.created_at DESC, r.id DESC
    ), shared AS MATERIALIZED (
        SELECT id, image_id, user_id, vocabulary_version, created_at >= %(since)s::timestamptz AS is_judged FROM (
            SELECT *, count(*) OVER of_image AS people, max(created_at) OVER of_image AS newest
            FROM latest WINDOW of_image AS (PARTITION BY image_id)
        ) AS counted
        WHERE people > 1 AND newest >= %(since)s::timestamptz
    ), said AS MATERIALIZED (
        SELECT shared.id AS review_id, shared.image_id, part.for_id, {_SAYS.format(value="d.value")}
        FROM shared
        JOIN annotations_decision d ON d.review_id = shared.id AND d.undone_at IS NULL
        JOIN part ON part.tag_id = d.tag_id AND part.for_id <> ALL(%(merged_ids)s::bigint[])
        WHERE d.value = 'yes' OR NOT %(implied)s
        GROUP BY shared.id, shared.image_id, part.for_id
    ), asked AS MATERIALIZED (
        SELECT shared.id AS review_id, image_id, is_judged, vocabulary_version, for_id, 'infinity'::timestamptz AS at
        FROM shared JOIN (SELECT DISTINCT image_id, for_id FROM said WHERE yes) AS given USING (image_id)
    ), {_FAMILY}, voted AS (
        SELECT review_id, is_judged, coalesce(said.yes, false) AS yes,
               count(*) FILTER (WHERE said.yes) OVER votes AS gave, count(*) OVER votes AS people
        FROM asked
        JOIN family USING (vocabulary_version, for_id, at)
        LEFT JOIN said USING (review_id, image_id, for_id)
        WHERE {_IS_ANSWER}
        WINDOW votes AS (PARTITION BY image_id, for_id)
    ), of_review AS (
        SELECT review_id, sum(CASE WHEN yes THEN gave - 1 ELSE 0 END) AS hits,
               sum(CASE WHEN yes THEN people - 1 ELSE gave END) AS among
        FROM voted WHERE is_judged GROUP BY review_id
    ), of_image AS (
        SELECT shared.user_id, of_review.hits, of_review.among
        FROM shared LEFT JOIN of_review ON of_review.review_id = shared.id WHERE is_judged
    )
    SELECT user_id, {_SUMS} FROM of_image GROUP BY user_id
"""  # noqa: S608

# A person's latest answer before the last word, in a review or to the tag alone. A no to one of several tags that
# became one since is none to that one.
_UPHELD = f"""
    WITH {_PART}, newest AS (
        SELECT d.id, d.image_id, d.tag_id, d.user_id, d.value, d.created_at FROM annotations_decision d
        WHERE d.project_id = %(project)s AND d.scope = 'adjudicate' AND d.undone_at IS NULL
          AND d.review_id IS NULL AND d.verified_page_id IS NULL AND d.source = 'person'
        ORDER BY d.created_at DESC LIMIT %(newest_words)s
    ), word AS MATERIALIZED (
        SELECT DISTINCT ON (d.image_id, d.tag_id) d.*
        FROM newest d JOIN annotations_image i ON i.id = d.image_id AND i.deleted_at IS NULL
        ORDER BY d.image_id, d.tag_id, d.created_at DESC, d.id DESC
    ), asked AS MATERIALIZED (
        SELECT r.id AS review_id, r.user_id, r.image_id, r.created_at, r.vocabulary_version,
               word.id AS word_id, word.tag_id AS for_id, word.created_at AS at, word.value AS word
        FROM word
        JOIN annotations_review r ON r.image_id = word.image_id AND r.created_at < word.created_at
             AND r.user_id IS DISTINCT FROM word.user_id
        WHERE {_STANDS}
    ), {_FAMILY}, said AS (
        SELECT word_id, word, user_id, image_id, created_at, vocabulary_version, for_id, at,
               {_SAYS.format(value="its.value")}
        FROM (
            SELECT asked.*, CASE WHEN part.tag_id IS NOT NULL THEN d.value END AS value
            FROM asked
            LEFT JOIN annotations_decision d ON d.review_id = asked.review_id AND d.undone_at IS NULL
            LEFT JOIN part ON part.tag_id = d.tag_id AND part.for_id = asked.for_id AND part.since <= asked.at
        ) AS its
        GROUP BY review_id, word_id, word, user_id, image_id, created_at, vocabulary_version, for_id, at
    ), answer AS (
        SELECT word_id, word, user_id, image_id, created_at, CASE WHEN said.yes THEN 'yes' ELSE 'no' END AS value
        FROM said JOIN family USING (vocabulary_version, for_id, at)
        WHERE {_IS_ANSWER}
        UNION ALL
        SELECT word.id, word.value, d.user_id, d.image_id, d.created_at, d.value
        FROM word
        JOIN annotations_decision d ON d.image_id = word.image_id AND d.created_at < word.created_at
             AND d.user_id IS DISTINCT FROM word.user_id
        JOIN part ON part.tag_id = d.tag_id AND part.for_id = word.tag_id AND part.since <= word.created_at
        WHERE d.scope = 'tag' AND d.source = 'person' AND d.undone_at IS NULL AND (d.value = 'yes' OR NOT EXISTS (
            SELECT FROM part apart WHERE apart.for_id = word.tag_id AND apart.since <= word.created_at
            AND apart.since > d.created_at))
    ), last_answer AS (
        SELECT DISTINCT ON (word_id, user_id) * FROM answer ORDER BY word_id, user_id, created_at DESC
    ), of_image AS (
        SELECT user_id, image_id, count(*) AS among, count(*) FILTER (WHERE value = word) AS hits
        FROM last_answer WHERE created_at >= %(since)s::timestamptz GROUP BY user_id, image_id
    )
    SELECT user_id, {_SUMS} FROM of_image GROUP BY user_id
"""  # noqa: S608
