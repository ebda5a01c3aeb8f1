"""Which images a claim takes from the queue, and in which order. Their entries stay locked until the claim ends.

Where one tag is asked about, the order is the rankings' (docs/decisions/0009), so that a claim costs the same in every
project. What they do not name comes after it, in the queue's own order. Only while the rankings cannot tell, because
they are not built yet or hold too few of the tag's images, the scores of the whole queue are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from annotations.models import Project, Role, User
from annotations.models.queue import Stratum
from annotations.selectors import arrays, unanswered, verify

FINISHED = ("reviewed", "unsure", "broken")
RANKINGS = {"score": verify.ORDERS[verify.BEST], "uncertain": verify.ORDERS[verify.UNCERTAIN]}


@dataclass(frozen=True)
class Wish:
    """Which images are asked for. With a tag in the modes “score” and “uncertain”: to answer that tag alone.

    `without`: images that the person passed over in this session.
    """

    mode: str = "mixed"
    tag_id: int | None = None
    without: Sequence[int] = ()

    @property
    def is_one_tag(self) -> bool:
        return self.tag_id is not None and self.mode in RANKINGS


def lock_next(
    project: Project,
    user: User,
    role: Role,
    stratum: str,
    count: int,
    wish: Wish,
    *,
    skipped_too: bool,
) -> list[int]:
    """Ids of up to `count` images of a stratum that nobody holds and this person may answer, best first."""
    asked = {
        "project": project.pk,
        "holdout": stratum == Stratum.HOLDOUT,
        "reviewer": role.rank >= Role.REVIEWER.rank,
        "user": user.pk,
        "answered": [*FINISHED] if skipped_too else [*FINISHED, "skipped"],
        "tag": wish.tag_id,
        "without": arrays.literal(wish.without),
        "count": count,
        **unanswered.parameters(project),
    }
    if wish.is_one_tag and stratum == Stratum.ACTIVE:
        return _about_one_tag(asked, wish)
    return _locked(asked, order="random" if stratum in (Stratum.RANDOM, Stratum.HOLDOUT) else "active")


def _about_one_tag(asked: dict[str, Any], wish: Wish) -> list[int]:
    source = _RANKED.replace("$ids", RANKINGS[wish.mode])
    found = _locked(asked, source=source, order="ranked", is_one_tag=True)
    missing = asked["count"] - len(found)
    if not missing:
        return found
    rest = asked | {"count": missing, "without": arrays.literal([*wish.without, *found])}
    order = "active" if _names_all(asked) else wish.mode
    return found + _locked(rest, order=order, is_one_tag=True)


def _names_all(asked: dict[str, Any]) -> bool:
    """Whether the rankings hold every image that suggested the tag when they were built."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_WHOLE, asked)
        row = cursor.fetchone()
        return bool(row and row[0])


def _locked(
    asked: dict[str, Any], *, order: str, source: str = "annotations_queueentry e", is_one_tag: bool = False
) -> list[int]:
    joins = unanswered.joins(image="e.image_id", tag="%(tag)s") if is_one_tag else ""
    condition = f"AND {unanswered.condition(image='e.image_id', tag='%(tag)s')}" if is_one_tag else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT e.image_id FROM {source} {joins}
            WHERE e.project_id = %(project)s AND e.is_holdout = %(holdout)s
              AND (%(reviewer)s OR NOT e.for_reviewers)
              AND NOT EXISTS (SELECT 1 FROM annotations_lease l WHERE l.image_id = e.image_id AND l.is_open)
              AND NOT EXISTS (SELECT 1 FROM annotations_review r
                              WHERE r.image_id = e.image_id AND r.user_id = %(user)s AND r.counted
                                AND r.undone_at IS NULL AND r.outcome = ANY(%(answered)s)
                                AND NOT (e.for_reviewers AND r.outcome = 'unsure'))
              AND e.image_id <> ALL(%(without)s::bigint[]) {condition}
            ORDER BY {_ORDERS[order]} LIMIT %(count)s
            FOR UPDATE OF e SKIP LOCKED
            """,  # noqa: S608 (source, order, joins and condition are constants)
            asked,
        )
        return [row[0] for row in cursor.fetchall()]


_SCORE = (
    "(SELECT s.scores[array_position(s.tag_ids, %(tag)s)] FROM annotations_suggestionset s"
    " WHERE s.image_id = e.image_id)"
)
_ORDERS = {
    "active": "e.priority DESC, e.rank, e.image_id",
    "random": "e.shuffle, e.image_id",
    "ranked": "c.place",
    "score": f"{_SCORE} DESC NULLS LAST, e.image_id",
    "uncertain": f"abs({_SCORE} - 0.5) NULLS LAST, e.image_id",
}
_RANKED = """
    annotations_tagranking k CROSS JOIN unnest(k.$ids) WITH ORDINALITY AS c(image_id, place)
    JOIN annotations_queueentry e
      ON e.image_id = c.image_id AND k.tag_id = %(tag)s AND k.project_id = %(project)s
"""
_IS_WHOLE = """
    SELECT coalesce(cardinality(k.best_ids) >= k.waiting, true) FROM annotations_rankingage a
    LEFT JOIN annotations_tagranking k ON k.project_id = a.project_id AND k.tag_id = %(tag)s
    WHERE a.project_id = %(project)s
"""
