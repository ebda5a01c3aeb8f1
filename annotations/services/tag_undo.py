"""Taking back the latest change of a tag, whatever it was. The services of the kinds know what that means."""

from typing import Protocol

from django.db import transaction

from annotations.errors import Conflict, Refused
from annotations.models import Tag, TagChange, User
from annotations.selectors import tag_changes as history
from annotations.services import tag_changes, tag_merges, tag_splits, tag_trash, tags
from annotations.services import tag_periods as periods
from annotations.signals import send_on_commit, vocabulary_changed


class _TakeBack(Protocol):
    def __call__(self, change: TagChange, *, actor: User) -> None: ...


_TAKE_BACK: dict[str, _TakeBack] = {
    TagChange.Kind.EDIT: tags.take_edit_back,
    TagChange.Kind.MERGE: tag_merges.take_merge_back,
    TagChange.Kind.SPLIT: tag_splits.take_split_back,
    TagChange.Kind.DELETE: tag_trash.take_deletion_back,
}


@transaction.atomic
def undo(tag: Tag, *, actor: User) -> Tag:
    """Take back what was done to the tag last; the tag as it is then.

    Raises Refused `nothing_to_undo`, and Conflict `changed_since` where another tag of the change was changed later.
    """
    project = periods.lock(tag.project)
    change = history.latest(tag)
    if change is None and tag.retired_at is None:
        raise Refused(f"There is nothing to undo: “{tag.name}” was not changed.", code="nothing_to_undo")
    if change is None:  # retired before changes were kept
        return tags.revive(tag, actor=actor)
    _refuse_changed_since(change)
    if change.kind == TagChange.Kind.RETIRE:
        return tags.revive(change.tag, actor=actor)
    change.tag.project = project
    _TAKE_BACK[change.kind](change, actor=actor)
    tag_changes.mark_undone(change, actor=actor)
    send_on_commit(vocabulary_changed, project_id=project.pk)
    tag.refresh_from_db()
    return tag


def _refuse_changed_since(change: TagChange) -> None:
    later = history.in_the_way(change)
    if later is not None:
        raise Conflict(
            f"The {change.get_kind_display()} of “{change.tag.name}” cannot be taken back yet: the "
            f"{later.get_kind_display()} of “{later.tag.name}” came after it. Undo that first.",
            code="changed_since",
            tag=later.tag_id,
            change=later.pk,
        )
