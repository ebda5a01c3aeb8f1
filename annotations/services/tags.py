"""Writes of the vocabulary: create, edit, retire, revive.

Merging, splitting, deleting and taking back are in `tag_merges`, `tag_splits`, `tag_trash` and `tag_undo`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotations import review_keys
from annotations.errors import BadInput, Conflict, NotFound
from annotations.models import Project, Tag, TagAlias, TagChange, User
from annotations.models.tag import name_key, trigrams
from annotations.selectors import hierarchy, vocabulary
from annotations.selectors import tag_changes as history
from annotations.services import audit, tag_changes
from annotations.services import tag_periods as periods
from annotations.signals import send_on_commit, vocabulary_changed
from annotations.types import TagSpec

NAME_MAX_CHARS = 200
KEY_MAX_CHARS = 400


@transaction.atomic
def create_many(project: Project, specs: Sequence[TagSpec], *, actor: User | None) -> list[Tag]:
    """Create tags in order; all or none. Raises Conflict with code `tag_exists` naming the first taken word."""
    created = append(periods.lock_to_add(project), specs)
    actor_id = actor.pk if actor else None
    audit.record(project.pk, "tags.create", actor_id=actor_id, names=[tag.name for tag in created])
    send_on_commit(vocabulary_changed, project_id=project.pk)
    return created


def append(project: Project, specs: Sequence[TagSpec]) -> list[Tag]:
    """New tags of a locked project, each with a vocabulary version of its own; the caller tells of them."""
    refuse_taken(project, [word for spec in specs for word in (spec.name, *spec.aliases)])
    created = []
    for spec in specs:
        project.vocabulary_version += 1
        created.append(_create(project, spec))
    project.save(update_fields=["vocabulary_version"])
    return created


@transaction.atomic
def update(tag: Tag, changes: Mapping[str, object], *, actor: User) -> Tag:
    """Change name, description, hotkey, colour, parent or aliases. History keeps the tag's id."""
    periods.lock(tag.project)  # two renames at once must not both find the same word free
    refuse_merged(tag)
    refuse_deleted(tag)
    before = _as_it_is(tag)
    _apply(tag, changes)
    after = _as_it_is(tag)
    changed = {field: value for field, value in before.items() if value != after[field]}
    if changed:
        tag_changes.record(tag, TagChange.Kind.EDIT, actor=actor, before=changed)
    audit.record(
        tag.project_id, "tags.update", actor_id=actor.pk, tag=tag.pk, before={"name": before["name"]}
    )
    send_on_commit(vocabulary_changed, project_id=tag.project_id)
    return tag


def take_edit_back(change: TagChange, *, actor: User) -> None:
    """Put what the edit changed back as it was. Call inside a transaction that holds the project.

    Raises what an edit raises: the word, hotkey or parent may have been taken or retired meanwhile.
    """
    _apply(change.tag, change.before)
    audit.record(change.project_id, "tags.undo_edit", actor_id=actor.pk, tag=change.tag_id)


@transaction.atomic
def retire(tag: Tag, *, actor: User) -> Tag:
    """Ask nobody about the tag any more. Its verdicts stay, and `revive` brings it back."""
    project = periods.lock(tag.project)
    tag.refresh_from_db(fields=["retired_at", "merged_into"])
    if tag.retired_at is not None:
        raise Conflict(f"The tag “{tag.name}” is retired already.", code="already_retired")
    periods.end(tag, periods.raise_version(project))
    tag_changes.record(tag, TagChange.Kind.RETIRE, actor=actor, before={})
    return _set_retired(tag, timezone.now(), "tags.retire", actor)


@transaction.atomic
def revive(tag: Tag, *, actor: User) -> Tag:
    """Take a retirement back. On images reviewed in between the tag is not asked."""
    project = periods.lock(tag.project)
    tag.refresh_from_db(fields=["retired_at", "deleted_at", "merged_into"])
    if tag.retired_at is None:
        raise Conflict(f"The tag “{tag.name}” is not retired.", code="not_retired")
    refuse_merged(tag)
    refuse_deleted(tag)
    standing = {
        change.kind: change for change in history.standing(tag.project, tag.pk) if change.tag_id == tag.pk
    }
    if TagChange.Kind.SPLIT in standing:
        raise Conflict(
            f"“{tag.name}” was split: undo the split, which brings it back and retires what it was split into.",
            code="is_split",
        )
    periods.begin(tag, periods.raise_version(project))
    if TagChange.Kind.RETIRE in standing:
        tag_changes.mark_undone(standing[TagChange.Kind.RETIRE], actor=actor)
    return _set_retired(tag, None, "tags.revive", actor)


def refuse_merged(tag: Tag) -> None:
    """Raises Conflict `is_merged` for a tag that is part of another one."""
    if tag.merged_into is not None:
        raise Conflict(
            f"“{tag.name}” is part of “{tag.merged_into.name}” since it was merged: undo the merge first.",
            code="is_merged",
            tag=tag.merged_into_id,
        )


def refuse_deleted(tag: Tag) -> None:
    """Raises Conflict `is_deleted` for a tag in the trash."""
    if tag.deleted_at is not None:
        raise Conflict(f"The tag “{tag.name}” is in the trash: bring it back first.", code="is_deleted")


def _as_it_is(tag: Tag) -> dict[str, Any]:
    """What an edit can change, as `_apply` takes it."""
    return {
        "name": tag.name,
        "hotkey": tag.hotkey,
        "parent": tag.parent_id,
        "description": tag.description,
        "colour": tag.colour,
        "aliases": list(tag.aliases.order_by("pk").values_list("name", flat=True)),
    }


def _apply(tag: Tag, changes: Mapping[str, object]) -> None:
    if "name" in changes:
        name = _checked_name(str(changes["name"]))
        refuse_taken(tag.project, [name], except_tag=tag)
        tag.set_name(name)
    if "hotkey" in changes:
        tag.hotkey = _checked_hotkey(tag.project, changes["hotkey"], except_tag=tag)
    if "parent" in changes:
        _put_below(tag, _parent(tag.project, changes["parent"]))
    for field in ("description", "colour"):
        if field in changes:
            setattr(tag, field, str(changes[field]))
    tag.save()
    if "aliases" in changes:
        _replace_aliases(tag, changes["aliases"])


def _set_retired(tag: Tag, at: datetime | None, action: str, actor: User) -> Tag:
    tag.retired_at = at
    tag.save(update_fields=["retired_at"])
    audit.record(tag.project_id, action, actor_id=actor.pk, tag=tag.pk)
    send_on_commit(vocabulary_changed, project_id=tag.project_id)
    return tag


def _create(project: Project, spec: TagSpec) -> Tag:
    name = _checked_name(spec.name)
    tag = Tag(project=project, description=spec.description, hotkey=_checked_hotkey(project, spec.hotkey))
    tag.set_name(name)
    _put_below(tag, _parent(project, spec.parent))
    tag.save()
    periods.begin(tag, project.vocabulary_version)
    add_aliases(tag, spec.aliases)
    return tag


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise BadInput("A tag needs a name.", code="empty_name")
    if len(name) > NAME_MAX_CHARS:
        raise BadInput(
            f"The name “{name[:40]}…” has {len(name)} characters; at most {NAME_MAX_CHARS} fit.",
            code="name_too_long",
        )
    if len(name_key(name)) > KEY_MAX_CHARS:  # folding some letters makes three of one
        raise BadInput(f"The name “{name[:40]}…” is too long to be compared.", code="name_too_long")
    return name


def _checked_hotkey(project: Project, hotkey: object, except_tag: Tag | None = None) -> str | None:
    if hotkey in (None, ""):
        return None
    key = str(hotkey).lower()
    if len(key) != 1 or not key.isprintable() or key in review_keys.RESERVED:
        raise BadInput(
            f"“{hotkey}” cannot be a tag's hotkey: give one letter that the review page does not use itself.",
            code="bad_hotkey",
        )
    taken = _others(project, except_tag).filter(hotkey=key).first()
    if taken:
        raise Conflict(f"The hotkey “{key}” belongs to “{taken.name}”.", code="hotkey_taken", tag=taken.pk)
    return key


def refuse_taken(project: Project, words: Sequence[str], except_tag: Tag | None = None) -> None:
    """Raises Conflict `tag_exists` for the first word that is a tag or an alias already, or given twice."""
    keys: set[str] = set()
    for word in words:
        key = name_key(word)
        if key in keys:
            raise Conflict(f"“{word}” is given twice.", code="tag_exists", name=word)
        keys.add(key)
    taken = _others(project, except_tag).filter(key__in=keys).first()
    if taken and taken.merged_into is not None:
        raise Conflict(
            f"“{taken.name}” was merged into “{taken.merged_into.name}”: use that tag, or undo the merge.",
            code="tag_exists",
            name=taken.name,
            tag=taken.merged_into_id,
        )
    if taken:
        _refuse_in_trash(taken)
        raise Conflict(
            f"The tag “{taken.name}” exists already.", code="tag_exists", name=taken.name, tag=taken.pk
        )
    aliases = TagAlias.objects.filter(project=project, key__in=keys).select_related("tag")
    alias = aliases.exclude(tag=except_tag).first() if except_tag else aliases.first()
    if alias:
        _refuse_in_trash(alias.tag)
        raise Conflict(
            f"“{alias.name}” is already an alias of “{alias.tag.name}”.", code="tag_exists", tag=alias.tag_id
        )


def _refuse_in_trash(tag: Tag) -> None:
    """A word is kept for a tag in the trash as long as that can come back."""
    if tag.deleted_at is not None:
        raise Conflict(
            f"“{tag.name}” is in the trash and keeps its words: bring it back, or remove it for good first.",
            code="tag_exists",
            name=tag.name,
            tag=tag.pk,
        )


def _others(project: Project, except_tag: Tag | None) -> QuerySet[Tag]:
    others = Tag.objects.filter(project=project)
    return others.exclude(pk=except_tag.pk) if except_tag else others


def _parent(project: Project, word: object) -> Tag | None:
    """The tag of this id, name or alias; a retired one too."""
    if word in (None, ""):
        return None
    if isinstance(word, int):
        found, remedy = vocabulary.named(project, word), "Send the id of one of its tags, or null."
    else:
        found = vocabulary.named(project, str(word))
        remedy = "" if found else _meant(project, str(word))
    if found is None:
        raise NotFound(f"The parent “{word}” is no tag of this project. {remedy}", code="unknown_tag")
    return found


def _meant(project: Project, word: str) -> str:
    """What to do about a word that is no tag."""
    matches = vocabulary.search(project, word, limit=1)
    nearest = f"Did you mean “{matches[0]['tag'].name}”? Else add" if matches else "Add"
    return f"{nearest} it as a tag first, or leave the parent empty."


def _put_below(tag: Tag, parent: Tag | None) -> None:
    """Set the parent. One that is retired may stay, but none is chosen."""
    if parent is not None and parent.pk != tag.parent_id:
        if parent.retired_at is not None:
            raise BadInput(
                f"“{parent.name}” is retired, so that nothing new stands below it: revive it first, or choose a "
                "tag in use.",
                code="parent_retired",
                tag=parent.pk,
            )
        if tag.pk is not None:
            _refuse_loop(tag, parent)
    tag.parent = parent


def _refuse_loop(tag: Tag, parent: Tag) -> None:
    if parent.pk == tag.pk:
        raise BadInput(
            f"“{tag.name}” cannot stand below itself: choose another tag, or leave the parent empty.",
            code="parent_loop",
        )
    if tag.pk in {above.id for above in hierarchy.paths(tag.project, [parent.pk])[parent.pk]}:
        raise BadInput(
            f"“{parent.name}” itself stands below “{tag.name}”: give it another parent first, or choose a tag "
            "outside of that branch.",
            code="parent_loop",
            tag=parent.pk,
        )


def add_aliases(tag: Tag, aliases: Iterable[str]) -> None:
    """Further words of a tag, which the caller has found free."""
    words = [_checked_name(word) for word in aliases]
    TagAlias.objects.bulk_create(
        TagAlias(
            project=tag.project, tag=tag, name=word, key=name_key(word), trigrams=trigrams(name_key(word))
        )
        for word in words
    )


def _replace_aliases(tag: Tag, aliases: object) -> None:
    if not isinstance(aliases, list | tuple):
        raise BadInput("`aliases` is a list of words.", code="bad_aliases")
    words = [str(word) for word in aliases]
    refuse_taken(tag.project, words, except_tag=tag)
    tag.aliases.all().delete()
    add_aliases(tag, words)
