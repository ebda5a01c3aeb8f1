"""Writes of the stored queue order: enter, leave, and the ranks that the model's side computes."""

from collections.abc import Iterable
from typing import Protocol

from django.db import connection

from annotations.models import Image, QueueEntry
from annotations.selectors import arrays
from annotations.services import counters
from annotations.types import QueueRank

ASKED_STATES = (Image.State.PENDING, Image.State.UNSURE)
# Of images that somebody sent to the front; those that nobody sent have 0.
FRONT = 100


class Asked(Protocol):
    """Of an image what its place in the queue is made of."""

    pk: int
    project_id: int
    is_holdout: bool
    priority: int
    shuffle: float


def enter(images: Iterable[Asked]) -> None:
    """Put images into the queue; one that stands there already stays as it is.

    The queue is used up from its front, so a place from its beginning on would come before all that still wait. What
    waits is spread over the rest of either order, evenly in `shuffle` and exponentially in `rank`: so are new images.
    """
    entering = list(images)
    if not entering:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH entering AS (
                SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::boolean[], %s::integer[], %s::float8[])
                     AS e(image_id, project_id, is_holdout, priority, shuffle)
            ), front AS (
                SELECT side.project_id, side.is_holdout,
                       coalesce((SELECT min(e.rank) $waiting), 0) AS rank,
                       coalesce((SELECT min(e.shuffle) $waiting), 0) AS shuffle
                FROM (SELECT DISTINCT project_id, is_holdout FROM entering) AS side
            )
            INSERT INTO annotations_queueentry
                (image_id, project_id, is_holdout, priority, rank, since, shuffle, reason, for_reviewers)
            SELECT image_id, project_id, is_holdout, priority, front.rank - ln(1 - entering.shuffle), front.rank,
                   front.shuffle + (1 - front.shuffle) * entering.shuffle, 'random', false
            FROM entering JOIN front USING (project_id, is_holdout)
            ON CONFLICT DO NOTHING
            """.replace("$waiting", _WAITING),
            [
                arrays.literal(image.pk for image in entering),
                arrays.literal(image.project_id for image in entering),
                arrays.literal(image.is_holdout for image in entering),
                arrays.literal(image.priority for image in entering),
                arrays.literal(image.shuffle for image in entering),
            ],
        )


_WAITING = (
    "FROM annotations_queueentry e WHERE e.project_id = side.project_id AND e.is_holdout = side.is_holdout"
    " AND e.priority = 0"
)


def leave(image: Image) -> None:
    leave_many([image.pk])


def leave_many(image_ids: Iterable[int]) -> None:
    QueueEntry.objects.filter(arrays.among("image_id", image_ids)).delete()


def return_to_all(image: Image) -> None:
    """After an undo anybody may be asked again."""
    enter([image])
    QueueEntry.objects.filter(image=image, for_reviewers=True).update(for_reviewers=False)


def hand_to_reviewers(image: Asked) -> None:
    """Unsure images are asked of reviewers only."""
    QueueEntry.objects.filter(image_id=image.pk).update(for_reviewers=True)


def send_to_front(images: Iterable[Image], *, returns_broken: bool) -> set[int]:
    """Ask about these next; returns their ids. Finished images, broken ones unless `returns_broken`, and the
    holdout, which is drawn by chance, are left where they are.
    """
    asked = (*ASKED_STATES, Image.State.BROKEN) if returns_broken else ASKED_STATES
    sent = [image for image in images if image.state in asked and not image.is_holdout]
    broken = [image for image in sent if image.state == Image.State.BROKEN]
    for image in broken:
        image.state = Image.State.PENDING
    for image in sent:
        image.priority = FRONT
    Image.objects.bulk_update(sent, ["state", "priority"])
    enter(sent)
    ids = {image.pk for image in sent}
    QueueEntry.objects.filter(image_id__in=ids).update(priority=FRONT)
    if broken:
        deltas = {Image.State.BROKEN.value: -len(broken), Image.State.PENDING.value: len(broken)}
        counters.add(broken[0].project_id, deltas)
    return ids


def take_from_front(images: Iterable[Image]) -> set[int]:
    """Back among all others; returns the ids of those that stood in front."""
    ids = {image.pk for image in images if image.priority == FRONT}
    Image.objects.filter(pk__in=ids).update(priority=0)
    QueueEntry.objects.filter(image_id__in=ids).update(priority=0)
    return ids


def fill(project_id: int, rows: Iterable[QueueRank], *, anew: bool = False) -> int:
    """Set rank, reason, component and appeal of images that still stand in the queue; returns how many.

    Ranks are waits. They count from where the order stood when an image joined it, or, where all images are ranked
    `anew`, from the beginning.
    """
    rows = list(rows)
    if not rows:
        return 0
    ids = arrays.literal(row.image_id for row in rows)
    with connection.cursor() as cursor:
        # The ids once more, so that the entries are found in one go.
        cursor.execute(
            """
            UPDATE annotations_queueentry e
            SET rank = v.rank + CASE WHEN %s THEN 0 ELSE e.since END, since = CASE WHEN %s THEN 0 ELSE e.since END,
                reason = v.reason, appeal = v.appeal, component = v.component
            FROM unnest(%s::bigint[], %s::float8[], %s::text[], %s::float8[], %s::text[])
                 AS v(image_id, rank, reason, appeal, component)
            WHERE e.image_id = v.image_id AND e.image_id = ANY(%s::bigint[]) AND e.project_id = %s
            """,
            [
                anew,
                anew,
                ids,
                arrays.literal(row.rank for row in rows),
                arrays.text_literal(row.reason[:200] for row in rows),
                arrays.literal(row.appeal for row in rows),
                arrays.text_literal(row.component for row in rows),
                ids,
                project_id,
            ],
        )
        return cursor.rowcount
