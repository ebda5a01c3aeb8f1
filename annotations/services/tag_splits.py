"""Splitting a tag into new ones, and taking that back: the old tag is retired with its verdicts, the new ones start
without any (rule 9: both not asked).
"""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from annotations.errors import BadInput, Conflict
from annotations.models import Project, Tag, TagAlias, TagChange, User
from annotations.models.tag import name_key
from annotations.services import audit, tag_changes, tags
from annotations.services import tag_periods as periods
from annotations.signals import send_on_commit, vocabulary_changed
from annotations.types import TagSpec

PARTS_AT_LEAST, PARTS_AT_MOST = 2, 50


@transaction.atomic
def split(tag: Tag, specs: Sequence[TagSpec], *, actor: User) -> list[Tag]:
    """Retire the tag and make these of it, which stand where it stood. They may take its aliases over.

    Names that an earlier split of the tag made and an undo retired are used again. Raises BadInput `bad_split`,
    Conflict `already_retired` or `tag_exists`.
    """
    project = periods.lock(tag.project)
    tag = Tag.objects.select_related("merged_into").get(project=project, pk=tag.pk)
    tag.project = project
    refuse(tag, specs)
    words = {name_key(word) for spec in specs for word in (spec.name, *spec.aliases)}
    handed_over = list(tag.aliases.filter(key__in=words).order_by("pk").values_list("name", flat=True))
    tag.aliases.filter(key__in=words).delete()
    parts = _parts(project, tag, specs)
    periods.end(tag, periods.raise_version(project))
    tag.retired_at = timezone.now()
    tag.save(update_fields=["retired_at"])
    tag_changes.record(tag, TagChange.Kind.SPLIT, actor=actor, before={"aliases": handed_over}, others=parts)
    names = [part.name for part in parts]
    audit.record(project.pk, "tags.split", actor_id=actor.pk, tag=tag.pk, name=tag.name, names=names)
    send_on_commit(vocabulary_changed, project_id=project.pk)
    return parts


def take_split_back(change: TagChange, *, actor: User) -> None:
    """Retire the parts, with what was said of them, and bring the tag back. Call inside a transaction that holds the
    project. On images that were reviewed in between, the tag is not asked.
    """
    project, tag = periods.lock(change.project), change.tag
    parts = Tag.objects.filter(pk__in=change.tag_ids).exclude(pk=tag.pk)
    version = periods.raise_version(project)
    for part in parts:
        periods.end(part, version)
    keys = [name_key(word) for word in change.before["aliases"]]
    TagAlias.objects.filter(project=project, tag__in=parts, key__in=keys).delete()
    parts.update(retired_at=timezone.now())
    tag.retired_at = None
    tag.save(update_fields=["retired_at"])
    tags.add_aliases(tag, change.before["aliases"])
    periods.begin(tag, version)
    audit.record(project.pk, "tags.undo_split", actor_id=actor.pk, tag=tag.pk)
    tag_changes.tell_of_moved(project, tag)


def refuse(tag: Tag, specs: Sequence[TagSpec]) -> None:
    """Raises what `split` raises of the tag and the number and names of its parts."""
    tags.refuse_merged(tag)
    tags.refuse_deleted(tag)
    if tag.retired_at is not None:
        raise Conflict(
            f"“{tag.name}” is retired: revive it first, or choose a tag in use.", code="already_retired"
        )
    if not PARTS_AT_LEAST <= len(specs) <= PARTS_AT_MOST:
        raise BadInput(
            f"A tag is split into {PARTS_AT_LEAST} to {PARTS_AT_MOST} new ones, not {len(specs)}: give their names.",
            code="bad_split",
        )
    names = [name_key(spec.name) for spec in specs]
    twice = next((spec.name for spec in specs if names.count(name_key(spec.name)) > 1), None)
    if twice is not None:
        raise BadInput(f"“{twice}” is given twice: give each new tag a name of its own.", code="bad_split")


def _parts(project: Project, tag: Tag, specs: Sequence[TagSpec]) -> list[Tag]:
    """The new tags in order. One that an earlier split made is taken up again, with what was said of it."""
    before = Tag.objects.filter(split_from=tag, deleted_at=None).exclude(retired_at=None)
    earlier = {part.key: part for part in before}
    fresh = tags.append(project, [spec for spec in specs if name_key(spec.name) not in earlier])
    made = {part.key: part for part in fresh}
    for spec in specs:
        part = earlier.get(name_key(spec.name))
        if part is not None:
            made[part.key] = part
            _take_up(project, part, spec)
    for part in made.values():
        part.split_from, part.parent_id = tag, tag.parent_id
        part.save(update_fields=["split_from", "parent", "retired_at"])
    return [made[name_key(spec.name)] for spec in specs]


def _take_up(project: Project, part: Tag, spec: TagSpec) -> None:
    known = set(part.aliases.values_list("key", flat=True))
    new = [word for word in spec.aliases if name_key(word) not in known]
    tags.refuse_taken(project, new)
    tags.add_aliases(part, new)
    periods.begin(part, periods.raise_version(project))
    part.retired_at = None
