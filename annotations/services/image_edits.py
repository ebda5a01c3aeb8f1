"""Changes of one image by a manager: caption, metadata, trash. Importing new ones: `services.images`."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from annotations.errors import Conflict
from annotations.models import AuditEvent, Image, Project, User
from annotations.selectors import images
from annotations.services import counters, leases, queue, suggestions
from annotations.signals import images_changed, reviews_changed, send_on_commit


@transaction.atomic
def update(
    project: Project, image_id: int, revision: int, changes: Mapping[str, object], *, actor: User
) -> Image:
    """Change caption or metadata of the revision that the caller saw; raises Conflict `stale` else."""
    image = images.get(project, image_id, lock=True)
    if image.revision != revision:
        raise Conflict(
            f"Image {image_id} has changed meanwhile: it is at revision {image.revision}, not {revision}.",
            image=image_id,
            revision=image.revision,
            caption=image.caption,
        )
    for field in ("caption", "metadata"):
        if field in changes:
            setattr(image, field, changes[field])
    image.revision += 1
    image.save(update_fields=["caption", "metadata", "revision"])
    AuditEvent.objects.create(
        project=project,
        actor=actor,
        action="images.update",
        details={"image": image_id, "fields": sorted(changes)},
    )
    suggestions.mark_stale([image_id])
    send_on_commit(images_changed, project_id=project.pk, image_ids=[image_id])
    return image


@transaction.atomic
def trash(project: Project, image_id: int, *, actor: User) -> None:
    """Move the image to the trash: it leaves lists, queue, training and exports, and can come back for 30 days."""
    image = images.get(project, image_id, lock=True)
    image.deleted_at = timezone.now()
    image.save(update_fields=["deleted_at"])
    queue.leave(image)
    leases.close_all([image.pk])
    deltas = {"images": -1, image.state: -1}
    if image.is_holdout:
        deltas["holdout"] = -1
        deltas["holdout_reviewed"] = -min(1, image.reviews_done)
    counters.add(project.pk, deltas)
    AuditEvent.objects.create(
        project=project, actor=actor, action="images.trash", details={"image": image_id}
    )
    send_on_commit(reviews_changed, project_id=project.pk)
