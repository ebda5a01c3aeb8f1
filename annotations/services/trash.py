"""Out of the trash: images and projects brought back, or removed for good by a person or after 30 days; tags after 30
days (what else becomes of them is in `tag_trash`).

Files go after the rows that name them: a killed removal leaves files that nobody names, never rows without files.
"""

from collections.abc import Callable, Sequence

from django.db import transaction

from annotations.models import Image, Project, User
from annotations.pictures import RENDITION_SIZES_PX
from annotations.selectors import trash
from annotations.services import audit, image_edits, storage, tag_trash

AT_ONCE = 200
"""Images whose rows and files are removed in one transaction."""


@transaction.atomic
def restore_images(project: Project, ids: Sequence[int] | None, *, actor: User) -> int:
    """Bring these images back, or with None all of them; those that are not in the trash are none. Answers how many."""
    rows = trash.images(project).select_for_update()
    back = list(rows if ids is None else rows.filter(pk__in=ids))
    if back:
        image_edits.restore_many(project, back)
        audit.record(project.pk, "images.restore", actor_id=actor.pk, images=len(back))
    return len(back)


@transaction.atomic
def restore_project(user: User, project_id: int) -> Project:
    """Bring the project back as it was: people, images, tags, answers and models."""
    project = trash.project_of(user, project_id)
    project.deleted_at = None
    project.save(update_fields=["deleted_at"])
    audit.record(project.pk, "projects.restore", actor_id=user.pk)
    return project


def empty(project: Project, *, actor: User) -> int:
    """Remove every image in the project's trash for good, with all that was said of it. Answers how many."""
    newest = trash.images(project).first()
    if newest is None:
        return 0
    # What is deleted meanwhile by somebody else stays for another time.
    meant = trash.images(project).filter(deleted_at__lte=newest.deleted_at)
    audit.record(project.pk, "images.purge", actor_id=actor.pk, images=meant.count())
    return _remove_all(lambda: list(meant[:AT_ONCE]))


def remove_expired() -> int:
    """What has been in the trash for 30 days: images, tags, then whole projects. Answers how many images."""
    removed = _remove_all(lambda: list(trash.expired_images()[:AT_ONCE]))
    for tag in trash.expired_tags():
        tag_trash.remove(tag, actor=None)
    return removed + sum(_remove_project(project) for project in trash.expired_projects())


def _remove_project(project: Project) -> int:
    """Its images in portions, since a project may hold more rows than memory does."""
    images, area = Image.objects.filter(project=project), storage.project_area(project.pk)
    removed = _remove_all(lambda: list(images[:AT_ONCE]))
    with transaction.atomic():
        project.delete()
        transaction.on_commit(lambda: storage.delete_area(area))
    return removed


def _remove_all(some: Callable[[], list[Image]]) -> int:
    removed = 0
    while batch := some():
        _remove(batch)
        removed += len(batch)
    return removed


@transaction.atomic
def _remove(batch: Sequence[Image]) -> None:
    keys = [key for image in batch for key in _keys_of(image)]
    Image.objects.filter(pk__in=[image.pk for image in batch]).delete()
    transaction.on_commit(lambda: _delete_files(keys))


def _keys_of(image: Image) -> list[str]:
    sizes = (*RENDITION_SIZES_PX, storage.DISPLAY)
    renditions = [storage.rendition_key(image.project_id, image.sha256, size) for size in sizes]
    return [image.storage_key, *renditions]


def _delete_files(keys: Sequence[str]) -> None:
    for key in keys:
        storage.delete(key)
