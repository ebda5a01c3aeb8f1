"""Changes of images by a manager: caption, metadata, trash and back. Importing new ones: `services.imports`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from annotations.errors import Conflict
from annotations.models import Image, Project, User
from annotations.selectors import images
from annotations.services import audit, counters, leases, queue, suggestions
from annotations.signals import images_changed, reviews_changed, send_on_commit


@transaction.atomic
def update(
    project: Project, image_id: int, revision: int, changes: Mapping[str, object], *, actor: User
) -> Image:
    """Change caption or metadata of the revision that the caller saw; raises Conflict `stale` else.

    What is so already changes nothing: whoever holds the image may still answer.
    """
    image = images.get(project, image_id, lock=True)
    if image.revision != revision:
        raise Conflict(
            f"Image {image_id} has changed meanwhile: it is at revision {image.revision}, not {revision}.",
            image=image_id,
            revision=image.revision,
            caption=image.caption,
        )
    changed = {name: value for name, value in changes.items() if value != getattr(image, name)}
    if not changed:
        return image
    for name, value in changed.items():
        setattr(image, name, value)
    image.revision += 1
    image.save(update_fields=["caption", "metadata", "revision"])
    audit.record(project.pk, "images.update", actor_id=actor.pk, image=image_id, fields=sorted(changed))
    suggestions.mark_stale([image_id])
    send_on_commit(images_changed, project_id=project.pk, image_ids=[image_id])
    return image


@transaction.atomic
def trash(project: Project, image_id: int, *, actor: User) -> None:
    """Move the image to the trash: it leaves lists, queue, training and exports, and can come back for 30 days."""
    image = images.get(project, image_id, lock=True)
    trash_many(project, [image], at=timezone.now())
    audit.record(project.pk, "images.trash", actor_id=actor.pk, image=image_id)


def trash_many(project: Project, gone: Sequence[Image], *, at: datetime) -> None:
    """Move locked images to the trash, all as of one moment, by which they can be found again."""
    ids = [image.pk for image in gone]
    Image.objects.filter(pk__in=ids).update(deleted_at=at)
    queue.leave_many(ids)
    leases.close_all(ids)
    counters.add(project.pk, _tally(gone, -1))
    send_on_commit(reviews_changed, project_id=project.pk)


def restore_many(project: Project, back: Sequence[Image]) -> None:
    """Bring locked images back from the trash, and those that still want a review into the queue."""
    ids = [image.pk for image in back]
    Image.objects.filter(pk__in=ids).update(deleted_at=None)
    queue.enter([image for image in back if image.state in queue.ASKED_STATES])
    for image in back:
        if image.state == Image.State.UNSURE:
            queue.hand_to_reviewers(image)
    counters.add(project.pk, _tally(back, 1))
    send_on_commit(images_changed, project_id=project.pk, image_ids=ids)
    send_on_commit(reviews_changed, project_id=project.pk)


def _tally(moved: Sequence[Image], sign: int) -> dict[str, int]:
    """Increments for images that come or go."""
    deltas = Counter({"images": len(moved)})
    deltas.update(image.state for image in moved)
    held = [image for image in moved if image.is_holdout]
    deltas["holdout"] += len(held)
    deltas["holdout_reviewed"] += sum(image.reviews_done > 0 for image in held)
    return {name: sign * count for name, count in deltas.items()}
