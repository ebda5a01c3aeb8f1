"""Merging a tag into another one, and taking that back.

No decision is written or changed: from the merge on, `selectors.merged_verdicts` reads the answers to both tags as
answers to the surviving one (docs/decisions/0011-merge-and-split.md).
"""

from typing import Any

from django.db import transaction
from django.utils import timezone

from annotations.errors import BadInput, Conflict
from annotations.models import Project, Tag, TagAlias, TagChange, User
from annotations.selectors import hierarchy
from annotations.services import audit, disputes, tag_changes, tags
from annotations.services import tag_periods as periods


@transaction.atomic
def merge(tag: Tag, into: Tag, *, actor: User, keep_words: bool = True) -> Tag:
    """Make the tag part of another one, which is returned. With `keep_words` its name and aliases are aliases there.

    Raises Conflict `already_retired` or `is_merged`, and BadInput `merge_into_itself`.
    """
    project = periods.lock(tag.project)
    tag, into = _now(project, tag), _now(project, into)
    refuse(tag, into)
    before = _hand_over_words(tag, into) if keep_words else {}
    before |= _hand_over_children(tag, into) | _hand_over_hotkey(tag, into)
    version = periods.raise_version(project)
    periods.end(tag, version)
    tag.retired_at = tag.merged_at = timezone.now()
    tag.merged_into, tag.merged_version = into, version
    tag.save()
    disputed = disputes.about(project, [tag.pk, into.pk])
    before |= {"into": into.pk, "settled": disputes.settle(project, disputed)}
    tag_changes.record(tag, TagChange.Kind.MERGE, actor=actor, before=before, others=[into])
    audit.record(project.pk, "tags.merge", actor_id=actor.pk, tag=tag.pk, name=tag.name, into=into.name)
    tag_changes.tell_of_moved(project, tag)
    return into


def take_merge_back(change: TagChange, *, actor: User) -> None:
    """Part the two tags again, with the words, children and verdicts they had. Call inside a transaction that holds
    the project. On images that were reviewed in between, the tag that was merged is not asked.
    """
    project, before = periods.lock(change.project), change.before
    tag, into = _now(project, change.tag), Tag.objects.get(pk=before["into"])
    TagAlias.objects.filter(pk=before.get("name_alias"), tag=into).delete()
    TagAlias.objects.filter(pk__in=before.get("aliases", []), tag=into).update(tag=tag)
    Tag.objects.filter(pk__in=before["children"], parent=into).update(parent=tag)
    if "parent" in before:
        into.parent_id = before["parent"]
    if "hotkey" in before:
        into.hotkey = None
    into.save()
    tag.hotkey = before.get("hotkey", tag.hotkey)
    tag.retired_at = tag.merged_at = tag.merged_into = tag.merged_version = None
    tag.save()
    periods.begin(tag, periods.raise_version(project))
    disputes.settle(project, before["settled"])
    audit.record(project.pk, "tags.undo_merge", actor_id=actor.pk, tag=tag.pk)
    tag_changes.tell_of_moved(project, tag)


def _now(project: Project, tag: Tag) -> Tag:
    """The tag as it is under the lock."""
    found = Tag.objects.select_related("merged_into").get(project=project, pk=tag.pk)
    found.project = project
    return found


def refuse(tag: Tag, into: Tag) -> None:
    """Raises what `merge` raises of these two."""
    if tag.pk == into.pk:
        raise BadInput(
            f"“{tag.name}” cannot be merged into itself: choose another tag.", code="merge_into_itself"
        )
    for one in (tag, into):
        tags.refuse_merged(one)
        if one.retired_at is not None:
            raise Conflict(
                f"“{one.name}” is retired: revive it first, or choose a tag in use.",
                code="already_retired",
                tag=one.pk,
            )


def _hand_over_words(tag: Tag, into: Tag) -> dict[str, Any]:
    aliases = list(tag.aliases.order_by("pk").values_list("pk", flat=True))
    TagAlias.objects.filter(pk__in=aliases).update(tag=into)
    tags.add_aliases(into, [tag.name])
    return {"aliases": aliases, "name_alias": into.aliases.get(key=tag.key).pk}


def _hand_over_children(tag: Tag, into: Tag) -> dict[str, Any]:
    """What stood below the tag stands below the other one, which itself moves up if it stood there too."""
    before: dict[str, Any] = {}
    if tag.pk in {above.id for above in hierarchy.paths(tag.project, [into.pk])[into.pk]}:
        before["parent"], into.parent_id = into.parent_id, tag.parent_id
        into.save(update_fields=["parent"])
    children = Tag.objects.filter(parent=tag).exclude(pk=into.pk)
    before["children"] = list(children.order_by("pk").values_list("pk", flat=True))
    children.update(parent=into)
    return before


def _hand_over_hotkey(tag: Tag, into: Tag) -> dict[str, Any]:
    """Only where the other tag has none; else the key stays with the tag, for an undo."""
    if not tag.hotkey or into.hotkey:
        return {}
    before = {"hotkey": tag.hotkey}
    into.hotkey, tag.hotkey = tag.hotkey, None
    tag.save(update_fields=["hotkey"])  # the key is unique: first it is let go
    into.save(update_fields=["hotkey"])
    return before
