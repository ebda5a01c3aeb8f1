"""Reads of the vocabulary: listing, resolving words to tags, and type-ahead."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from annotations.errors import DomainError, NotFound, Refused
from annotations.models import Project, Tag, TagAlias
from annotations.models.tag import name_key, trigrams
from annotations.selectors import merges
from annotations.selectors.merged_verdicts import Merges

# A pieces-in-common share below this is no typo any more but another word.
MIN_SIMILARITY = 0.3


def active_tags(project: Project) -> QuerySet[Tag]:
    return Tag.objects.filter(project=project, retired_at=None).prefetch_related("aliases").order_by("id")


def all_tags(project: Project) -> QuerySet[Tag]:
    """The active and the retired ones, not those in the trash."""
    rows = Tag.objects.filter(project=project, deleted_at=None)
    return rows.prefetch_related("aliases").order_by("id")


def created(project: Project, tag_ids: Sequence[int]) -> list[Tag]:
    """The tags that one request has made, in its order, wherever they are now. Raises NotFound for one that is gone."""
    found = Tag.objects.filter(project=project).prefetch_related("aliases").in_bulk(tag_ids)
    for tag_id in tag_ids:
        if tag_id not in found:
            raise NotFound(f"Tag {tag_id} was removed for good since it was made.", tag=tag_id)
    return [found[tag_id] for tag_id in tag_ids]


def hotkeys(project: Project) -> dict[str, dict[str, Any]]:
    """The active tags that have a hotkey, by that key. One query."""
    tags = Tag.objects.filter(project=project, retired_at=None, hotkey__isnull=False)
    return {str(key): {"id": pk, "name": name} for key, pk, name in tags.values_list("hotkey", "pk", "name")}


def resolve(
    project: Project, words: Sequence[int | str], *, as_of: int | None = None
) -> tuple[list[int], list[int | str]]:
    """Ids of active tags for ids, names and aliases, in order, and the words that name none. Two queries at most.

    The id of a tag that was merged stands for the surviving one (a third query). An answer to what was handed out in
    the vocabulary version `as_of` is kept as it was said, if the merge came later: rule 9 joins it.
    """
    ids = {word for word in words if isinstance(word, int)}
    keys = {name_key(word) for word in words if isinstance(word, str)}
    by_id: dict[int, int] = {}
    by_key: dict[str, int] = {}
    if ids or keys:
        asked = Q(retired_at=None) | Q(merged_into__isnull=False)
        tags = Tag.objects.filter(asked, Q(pk__in=ids) | Q(key__in=keys), project=project)
        rows = list(tags.values_list("pk", "key", "merged_version"))
        known = {
            pk: key for pk, key, merged in rows if merged is None or (as_of is not None and as_of < merged)
        }
        by_id, by_key = {pk: pk for pk in known}, {key: pk for pk, key in known.items()}
        by_id |= survivors(project, [pk for pk, _, _ in rows if pk in ids and pk not in known])
    if keys - by_key.keys():
        aliases = TagAlias.objects.filter(project=project, key__in=keys, tag__retired_at=None)
        by_key = dict(aliases.values_list("key", "tag_id")) | by_key
    found, unknown = [], []
    for word in words:
        tag_id = by_key.get(name_key(word)) if isinstance(word, str) else by_id.get(word)
        if tag_id is None:
            unknown.append(word)
        else:
            found.append(tag_id)
    return found, unknown


def survivors(project: Project, tag_ids: Collection[int]) -> dict[int, int]:
    """The active tags that those of these tags which were merged are part of, by their ids. Two queries at most."""
    standing = merges.of_project(project) if tag_ids else Merges()
    into = {tag_id: standing.survivor(tag_id) for tag_id in tag_ids if tag_id in standing.by_tag}
    if not into:
        return {}
    active = set(Tag.objects.filter(pk__in=into.values(), retired_at=None).values_list("pk", flat=True))
    return {tag_id: survivor for tag_id, survivor in into.items() if survivor in active}


def ids_by_word(project: Project, words: Sequence[str]) -> dict[str, int]:
    """Ids of active tags by the name or alias that was given; a word that names none is missing. Two queries."""
    found, unknown = resolve(project, words)
    missing = set(unknown)
    return dict(zip((word for word in words if word not in missing), found, strict=True))


def active_ids(project: Project, words: Sequence[int | str]) -> list[int]:
    """Ids of the active tags of these ids, names or aliases, in order. Raises the error `unknown_tag`."""
    found, unknown = resolve(project, words)
    if unknown:
        raise unknown_tags(unknown)
    return found


def active_tag(project: Project, word: int | str) -> Tag:
    """The active tag of this id, name or alias, with its project at hand. Raises the error `unknown_tag`."""
    (tag_id,) = active_ids(project, [word])
    tag = Tag.objects.get(pk=tag_id)
    tag.project = project
    return tag


def named(project: Project, word: int | str) -> Tag | None:
    """The tag of this id, name or alias, a retired one too, none in the trash; of a merged one the surviving tag. Two
    queries at most.
    """
    tags = Tag.objects.filter(project=project, deleted_at=None)
    if isinstance(word, int):
        found = tags.filter(pk=word).first()
    else:
        key = name_key(word)
        found = tags.filter(key=key).first() or tags.filter(aliases__key=key).first()
    if found is None or found.merged_into_id is None:
        return found
    return tags.get(pk=merges.of_project(project).survivor(found.pk))


def unknown_tags(words: Iterable[int | str]) -> DomainError:
    """The error for words that are no active tag of the project."""
    named = ", ".join(f"“{word}”" for word in words)
    return Refused(
        f"No active tag of this project is called {named}. Create it first, or send a name from the vocabulary.",
        code="unknown_tag",
        tags=list(words),
    )


def search(project: Project, text: str, limit: int = 20) -> list[dict[str, Any]]:
    """Type-ahead: what begins with the text, then what has it at a word's beginning or elsewhere, then what shares
    enough three-letter pieces with it; aliases count too.
    """
    key = name_key(text)
    letters = key.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    with connection.cursor() as cursor:
        cursor.execute(
            _SEARCH,
            {
                "project": project.pk,
                "prefix": f"{letters}%",
                # Scripts without spaces: one or two letters within a name are no piece of it.
                "within": f"%{letters}%" if len(key) < 3 and not key.isascii() else None,
                "key": key,
                "pieces": trigrams(key),
                "min_similarity": MIN_SIMILARITY,
                "limit": limit,
            },
        )
        matches = cursor.fetchall()
    tags = Tag.objects.prefetch_related("aliases").in_bulk([tag_id for tag_id, _ in matches])
    return [{"tag": tags[tag_id], "matched_alias": alias} for tag_id, alias in matches]


# How near a match is: 0 begins with the text, 1 has it at the beginning of a word, 2 elsewhere, 3 is perhaps a typo.
_SEARCH = """
    WITH candidates AS (
        SELECT t.id AS tag_id, NULL AS alias, t.key, t.trigrams FROM annotations_tag t
        WHERE t.project_id = %(project)s AND t.retired_at IS NULL
          AND (t.key LIKE %(prefix)s OR t.key LIKE %(within)s OR t.trigrams && %(pieces)s::varchar[])
        UNION ALL
        SELECT a.tag_id, a.name, a.key, a.trigrams FROM annotations_tagalias a
        JOIN annotations_tag t ON t.id = a.tag_id AND t.retired_at IS NULL
        WHERE a.project_id = %(project)s
          AND (a.key LIKE %(prefix)s OR a.key LIKE %(within)s OR a.trigrams && %(pieces)s::varchar[])
    ), scored AS (
        SELECT tag_id, alias, key,
               CASE WHEN starts_with(key, %(key)s) THEN 0
                    WHEN strpos(translate(key, '-/_(', '    '), ' ' || %(key)s) > 0 THEN 1
                    WHEN strpos(key, %(key)s) > 0 THEN 2
                    ELSE 3 END AS distance,
               (SELECT count(*) FROM unnest(trigrams) piece WHERE piece = ANY(%(pieces)s::varchar[]))::float
               / greatest(cardinality(trigrams), cardinality(%(pieces)s::varchar[])) AS similarity
        FROM candidates
    ), best AS (
        SELECT DISTINCT ON (tag_id) tag_id, alias, key, distance, similarity FROM scored
        WHERE distance < 3 OR similarity >= %(min_similarity)s
        ORDER BY tag_id, distance, distance < 3 AND alias IS NOT NULL, similarity DESC, alias NULLS FIRST
    )
    SELECT tag_id, alias FROM best
    ORDER BY key <> %(key)s, distance, similarity DESC, length(key), key LIMIT %(limit)s
"""
