"""Pictures that show what a tag means: images that people finished and on which the tag's verdict is yes.

Never a holdout image, and none that still wants a review: whoever is asked about it would see somebody's answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from annotations.models import Image, Project
from annotations.selectors import merges, truth
from annotations.selectors.queue import addresses

SHOWN = 4
# Of the newest decisions on a tag so many are looked at, and so many of their pictures, whatever the tag's history.
LOOKED_AT = 2_000
CANDIDATES = 8
# Yes that are read for them: of one picture there may be several, by several people.
READ = 4 * CANDIDATES


@dataclass(frozen=True)
class Example:
    image_id: int
    thumbnail_url: str
    caption: str


def of_tags(project: Project, tag_ids: Sequence[int], shown: int = SHOWN) -> dict[int, tuple[Example, ...]]:
    """Up to `shown` examples of each tag, the newest yes first. Seven queries, however many tags."""
    candidates = _candidates(project, tag_ids)
    wanted = sorted({image_id for image_ids in candidates.values() for image_id in image_ids})
    verdicts = truth.verdicts(project, wanted)
    said_yes = {
        tag_id: [pk for pk in image_ids if tag_id in verdicts[pk].yes][:shown]
        for tag_id, image_ids in candidates.items()
    }
    images = Image.objects.only("project_id", "caption").in_bulk(
        {image_id for image_ids in said_yes.values() for image_id in image_ids}
    )
    return {
        tag_id: tuple(_example(images[pk]) for pk in said_yes.get(tag_id, ()) if pk in images)
        for tag_id in tag_ids
    }


def _candidates(project: Project, tag_ids: Sequence[int]) -> dict[int, list[int]]:
    """Finished images with a yes among the newest decisions, by tag id, the newest first.

    The walk ends with the last yes that is read. Of tags merged into one, each gives as many.
    """
    found: dict[int, list[int]] = {}
    standing = merges.of_project(project)
    pairs = [(tag_id, member) for tag_id in tag_ids for member in standing.members(tag_id)]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT wanted.tag_id, said.image_id
            FROM unnest(%s::bigint[], %s::bigint[]) AS wanted (tag_id, member_id)
            CROSS JOIN LATERAL (
                SELECT newest.image_id, newest.id AS latest FROM (
                    SELECT d.id, d.image_id, d.value FROM annotations_decision d
                    WHERE d.tag_id = wanted.member_id ORDER BY d.id DESC LIMIT %s
                ) newest
                JOIN annotations_image i ON i.id = newest.image_id
                WHERE newest.value = 'yes' AND i.project_id = %s AND i.state = 'reviewed'
                  AND NOT i.is_holdout AND i.deleted_at IS NULL
                ORDER BY newest.id DESC LIMIT %s
            ) said
            ORDER BY wanted.tag_id, said.latest DESC
            """,
            [[tag_id for tag_id, _ in pairs], [one for _, one in pairs], LOOKED_AT, project.pk, READ],
        )
        for tag_id, image_id in cursor.fetchall():
            found.setdefault(tag_id, []).append(image_id)
    most = {tag_id: CANDIDATES * len(standing.members(tag_id)) for tag_id in tag_ids}
    return {tag_id: list(dict.fromkeys(image_ids))[: most[tag_id]] for tag_id, image_ids in found.items()}


def _example(image: Image) -> Example:
    return Example(image.pk, addresses(image)["thumbnail_url"], image.caption)
