"""Writes of the vocabulary: create, edit, retire, revive. Merge and split are not here yet."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotations import review_keys
from annotations.errors import BadInput, Conflict, NotFound
from annotations.models import Project, Tag, TagAlias, TagPeriod, User
from annotations.models.tag import name_key, trigrams
from annotations.services import audit
from annotations.signals import send_on_commit, vocabulary_changed
from annotations.types import TagSpec

NAME_MAX_CHARS = 200
KEY_MAX_CHARS = 400


@transaction.atomic
def create_many(project: Project, specs: Sequence[TagSpec], *, actor: User | None) -> list[Tag]:
    """Create tags in order; all or none. Raises Conflict with code `tag_exists` naming the first taken word."""
    project = _locked(project)
    _refuse_taken(project, [word for spec in specs for word in (spec.name, *spec.aliases)])
    created = []
    for spec in specs:
        project.vocabulary_version += 1
        created.append(_create(project, spec))
    project.save(update_fields=["vocabulary_version"])
    actor_id = actor.pk if actor else None
    audit.record(project.pk, "tags.create", actor_id=actor_id, names=[tag.name for tag in created])
    send_on_commit(vocabulary_changed, project_id=project.pk)
    return created


@transaction.atomic
def update(tag: Tag, changes: Mapping[str, object], *, actor: User) -> Tag:
    """Change name, description, hotkey, colour, parent or aliases. History keeps the tag's id."""
    _locked(tag.project)  # two renames at once must not both find the same word free
    before = {"name": tag.name}
    if "name" in changes:
        name = _checked_name(str(changes["name"]))
        _refuse_taken(tag.project, [name], except_tag=tag)
        tag.set_name(name)
    if "hotkey" in changes:
        tag.hotkey = _checked_hotkey(tag.project, changes["hotkey"], except_tag=tag)
    if "parent" in changes:
        tag.parent = _parent(tag.project, changes["parent"])
        _refuse_loop(tag)
    for field in ("description", "colour"):
        if field in changes:
            setattr(tag, field, str(changes[field]))
    tag.save()
    if "aliases" in changes:
        _replace_aliases(tag, changes["aliases"])
    audit.record(tag.project_id, "tags.update", actor_id=actor.pk, tag=tag.pk, before=before)
    send_on_commit(vocabulary_changed, project_id=tag.project_id)
    return tag


@transaction.atomic
def retire(tag: Tag, *, actor: User) -> Tag:
    """Ask nobody about the tag any more. Its verdicts stay, and `revive` brings it back."""
    if tag.retired_at is not None:
        raise Conflict(f"The tag “{tag.name}” is retired already.", code="already_retired")
    project = _locked(tag.project)
    project.vocabulary_version += 1
    project.save(update_fields=["vocabulary_version"])
    tag.periods.filter(until=None).update(until=project.vocabulary_version)
    return _set_retired(tag, timezone.now(), "tags.retire", actor)


@transaction.atomic
def revive(tag: Tag, *, actor: User) -> Tag:
    """Take a retirement back. On images reviewed in between the tag is not asked."""
    if tag.retired_at is None:
        raise Conflict(f"The tag “{tag.name}” is not retired.", code="not_retired")
    project = _locked(tag.project)
    project.vocabulary_version += 1
    project.save(update_fields=["vocabulary_version"])
    TagPeriod.objects.create(tag=tag, since=project.vocabulary_version)
    return _set_retired(tag, None, "tags.revive", actor)


def _locked(project: Project) -> Project:
    """The project's row, locked: vocabulary versions are handed out one at a time."""
    return Project.objects.select_for_update().get(pk=project.pk)


def _set_retired(tag: Tag, at: datetime | None, action: str, actor: User) -> Tag:
    tag.retired_at = at
    tag.save(update_fields=["retired_at"])
    audit.record(tag.project_id, action, actor_id=actor.pk, tag=tag.pk)
    send_on_commit(vocabulary_changed, project_id=tag.project_id)
    return tag


def _create(project: Project, spec: TagSpec) -> Tag:
    name = _checked_name(spec.name)
    tag = Tag(
        project=project,
        description=spec.description,
        hotkey=_checked_hotkey(project, spec.hotkey),
        parent=_parent(project, spec.parent),
    )
    tag.set_name(name)
    tag.save()
    TagPeriod.objects.create(tag=tag, since=project.vocabulary_version)
    _add_aliases(tag, spec.aliases)
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


def _refuse_taken(project: Project, words: Sequence[str], except_tag: Tag | None = None) -> None:
    keys: set[str] = set()
    for word in words:
        key = name_key(word)
        if key in keys:
            raise Conflict(f"“{word}” is given twice.", code="tag_exists", name=word)
        keys.add(key)
    taken = _others(project, except_tag).filter(key__in=keys).first()
    if taken:
        raise Conflict(
            f"The tag “{taken.name}” exists already.", code="tag_exists", name=taken.name, tag=taken.pk
        )
    aliases = TagAlias.objects.filter(project=project, key__in=keys).select_related("tag")
    alias = aliases.exclude(tag=except_tag).first() if except_tag else aliases.first()
    if alias:
        raise Conflict(
            f"“{alias.name}” is already an alias of “{alias.tag.name}”.", code="tag_exists", tag=alias.tag_id
        )


def _others(project: Project, except_tag: Tag | None) -> QuerySet[Tag]:
    others = Tag.objects.filter(project=project)
    return others.exclude(pk=except_tag.pk) if except_tag else others


def _parent(project: Project, parent: object) -> Tag | None:
    if parent in (None, ""):
        return None
    tags = Tag.objects.filter(project=project)
    tags = tags.filter(pk=parent) if isinstance(parent, int) else tags.filter(key=name_key(str(parent)))
    found = tags.first()
    if found is None:
        raise NotFound(f"The parent tag “{parent}” is not in this project.", code="unknown_tag")
    return found


def _refuse_loop(tag: Tag) -> None:
    ancestor = tag.parent
    while ancestor is not None:
        if ancestor.pk == tag.pk:
            raise BadInput(f"“{tag.name}” cannot stand below itself.", code="parent_loop")
        ancestor = ancestor.parent


def _add_aliases(tag: Tag, aliases: Iterable[str]) -> None:
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
    _refuse_taken(tag.project, words, except_tag=tag)
    tag.aliases.all().delete()
    _add_aliases(tag, words)
