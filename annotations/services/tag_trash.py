"""Deleting a tag: into the trash, back from it, and out of it for good.

In the trash a tag is retired and counts as never asked about: it is in no export, no training set and no list. What was
merged into it lies there with it, and what stood below it moves up to its own parent.
"""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from annotations.models import Project, Tag, TagChange, User
from annotations.selectors import merges, trash
from annotations.services import audit, disputes, tag_changes, tags
from annotations.services import tag_periods as periods
from annotations.signals import send_on_commit, vocabulary_changed


@transaction.atomic
def delete(tag: Tag, *, actor: User) -> Tag:
    """Move the tag to the trash, in use or retired. Raises Conflict `is_merged` or `is_deleted`."""
    project = periods.lock(tag.project)
    tag = Tag.objects.select_related("merged_into").get(project=project, pk=tag.pk)
    tag.project = project
    tags.refuse_merged(tag)
    tags.refuse_deleted(tag)
    before = {"was_retired": tag.retired_at is not None, "hotkey": tag.hotkey} | _move_children_up(tag)
    members = _members(project, tag)
    disputed = disputes.about(project, [tag.pk, *members])
    if tag.retired_at is None:
        periods.end(tag, periods.raise_version(project))
        tag.retired_at = timezone.now()
    tag.deleted_at, tag.hotkey = timezone.now(), None
    tag.save(update_fields=["retired_at", "deleted_at", "hotkey"])
    Tag.objects.filter(pk__in=members).update(deleted_at=tag.deleted_at)
    before["settled"] = disputes.settle(project, disputed)
    tag_changes.record(tag, TagChange.Kind.DELETE, actor=actor, before=before)
    audit.record(project.pk, "tags.trash", actor_id=actor.pk, tag=tag.pk, name=tag.name)
    tag_changes.tell_of_moved(project, tag)
    return tag


def take_deletion_back(change: TagChange, *, actor: User) -> None:
    """Bring the tag back as it was, in use or retired. Call inside a transaction that holds the project.

    On images that were reviewed while it lay in the trash, the tag is not asked. Its hotkey comes with it if that
    is still free, and what stood below it if nobody moved it.
    """
    project, before = periods.lock(change.project), change.before
    tag = Tag.objects.get(project=project, pk=change.tag_id)
    Tag.objects.filter(pk__in=_members(project, tag)).update(deleted_at=None)
    Tag.objects.filter(pk__in=before["children"], parent_id=tag.parent_id).update(parent=tag)
    tag.deleted_at = None
    if before["hotkey"] and not Tag.objects.filter(project=project, hotkey=before["hotkey"]).exists():
        tag.hotkey = before["hotkey"]
    if not before["was_retired"]:
        tag.retired_at = None
        periods.begin(tag, periods.raise_version(project))
    tag.save(update_fields=["retired_at", "deleted_at", "hotkey"])
    disputes.settle(project, before["settled"])
    audit.record(project.pk, "tags.restore", actor_id=actor.pk, tag=tag.pk)
    tag_changes.tell_of_moved(project, tag)


@transaction.atomic
def remove(tag: Tag, *, actor: User | None) -> None:
    """Remove a tag of the trash for good, with everything that was said of it and what was merged into it."""
    project = periods.lock(tag.project)
    tag = trash.tag_of(project, tag.pk)
    gone = [tag.pk, *_members(project, tag)]
    audit.record(
        project.pk,
        "tags.purge",
        actor_id=actor.pk if actor else None,
        name=tag.name,
        answers=trash.answers(tag),
    )
    _forget_in_leases(project, gone)
    Tag.objects.filter(pk__in=gone).delete()
    send_on_commit(vocabulary_changed, project_id=project.pk)


def _move_children_up(tag: Tag) -> dict[str, Any]:
    children = Tag.objects.filter(parent=tag)
    before = {"children": list(children.order_by("pk").values_list("pk", flat=True))}
    children.update(parent=tag.parent_id)
    return before


def _members(project: Project, tag: Tag) -> list[int]:
    """What was merged into the tag, over any number of merges."""
    return [member for member in merges.of_project(project).members(tag.pk) if member != tag.pk]


def _forget_in_leases(project: Project, tag_ids: list[int]) -> None:
    """An answer that comes late must not say no to a tag that is gone because it was offered then."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE annotations_lease
            SET offered_ids = ARRAY(SELECT id FROM unnest(offered_ids) AS id WHERE id <> ALL(%(gone)s::bigint[]))
            WHERE project_id = %(project)s AND offered_ids && %(gone)s::bigint[]
            """,
            {"project": project.pk, "gone": tag_ids},
        )
