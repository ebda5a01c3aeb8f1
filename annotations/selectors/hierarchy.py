"""Where tags stand below one another: what is above a tag, and what is right below it.

The hierarchy orders the vocabulary for people and says nothing of images: verdicts never spread along it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet

from annotations.models import Project, Tag
from annotations.selectors import arrays


class Above(NamedTuple):
    """A tag that another one stands below."""

    id: int
    name: str
    is_retired: bool


def paths(project: Project, tag_ids: Iterable[int]) -> dict[int, tuple[Above, ...]]:
    """What stands above each of these tags, the topmost first; retired ones too. One query."""
    wanted = list(tag_ids)
    found: dict[int, tuple[Above, ...]] = dict.fromkeys(wanted, ())
    with connection.cursor() as cursor:
        cursor.execute(_PATHS, {"project": project.pk, "tags": arrays.literal(wanted)})
        for tag_id, *above in cursor.fetchall():
            found[tag_id] += (Above(*above),)
    return found


def children(tag: Tag) -> QuerySet[Tag]:
    """The tags right below this one, those in use first, by name."""
    return Tag.objects.filter(project=tag.project_id, parent=tag).order_by("retired_at", "key")


# No loop is ever stored; should one come by another door, its first turn ends the walk.
_PATHS = """
    WITH RECURSIVE above AS (
        SELECT t.id AS tag_id, t.parent_id, 0 AS steps FROM annotations_tag t
        WHERE t.project_id = %(project)s AND t.id = ANY(%(tags)s::bigint[])
        UNION ALL
        SELECT a.tag_id, p.parent_id, a.steps + 1 FROM above a JOIN annotations_tag p ON p.id = a.parent_id
    ) CYCLE tag_id, parent_id SET is_loop USING trail
    SELECT a.tag_id, p.id, p.name, p.retired_at IS NOT NULL
    FROM above a JOIN annotations_tag p ON p.id = a.parent_id
    WHERE NOT a.is_loop ORDER BY a.tag_id, a.steps DESC
"""
