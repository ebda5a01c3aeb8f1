"""Reads of the vocabulary: listing, resolving words to tags, and type-ahead."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from annotations.errors import DomainError, Refused
from annotations.models import Project, Tag, TagAlias
from annotations.models.tag import name_key, trigrams

# A pieces-in-common share below this is no typo any more but another word.
MIN_SIMILARITY = 0.3


def active_tags(project: Project) -> QuerySet[Tag]:
    return Tag.objects.filter(project=project, retired_at=None).prefetch_related("aliases").order_by("id")


def all_tags(project: Project) -> QuerySet[Tag]:
    return Tag.objects.filter(project=project).prefetch_related("aliases").order_by("id")


def hotkeys(project: Project) -> dict[str, dict[str, Any]]:
    """The active tags that have a hotkey, by that key. One query."""
    tags = Tag.objects.filter(project=project, retired_at=None, hotkey__isnull=False)
    return {str(key): {"id": pk, "name": name} for key, pk, name in tags.values_list("hotkey", "pk", "name")}


def resolve(project: Project, words: Sequence[int | str]) -> tuple[list[int], list[int | str]]:
    """Ids of active tags for ids, names and aliases, in order, and the words that name none. Two queries at most."""
    ids = {word for word in words if isinstance(word, int)}
    keys = {name_key(word) for word in words if isinstance(word, str)}
    known_ids: set[int] = set()
    by_key: dict[str, int] = {}
    if ids or keys:
        tags = Tag.objects.filter(project=project, retired_at=None)
        for pk, key in (tags.filter(pk__in=ids) | tags.filter(key__in=keys)).values_list("pk", "key"):
            known_ids.add(pk)
            by_key[key] = pk
    if keys - by_key.keys():
        aliases = TagAlias.objects.filter(project=project, key__in=keys, tag__retired_at=None)
        by_key |= dict(aliases.values_list("key", "tag_id"))
    found, unknown = [], []
    for word in words:
        tag_id = by_key.get(name_key(word)) if isinstance(word, str) else word if word in known_ids else None
        if tag_id is None:
            unknown.append(word)
        else:
            found.append(tag_id)
    return found, unknown


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


def unknown_tags(words: Iterable[int | str]) -> DomainError:
    """The error for words that are no active tag of the project."""
    named = ", ".join(f"“{word}”" for word in words)
    return Refused(
        f"No active tag of this project is called {named}. Create it first, or send a name from the vocabulary.",
        code="unknown_tag",
        tags=list(words),
    )


def search(project: Project, text: str, limit: int = 20) -> list[dict[str, Any]]:
    """Type-ahead: prefix matches first, then words that share three-letter pieces; aliases count too."""
    key = name_key(text)
    with connection.cursor() as cursor:
        cursor.execute(
            _SEARCH,
            {
                "project": project.pk,
                "prefix": key.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%",
                "key": key,
                "pieces": trigrams(key),
                "min_similarity": MIN_SIMILARITY,
                "limit": limit,
            },
        )
        matches = cursor.fetchall()
    tags = Tag.objects.prefetch_related("aliases").in_bulk([tag_id for tag_id, _ in matches])
    return [{"tag": tags[tag_id], "matched_alias": alias} for tag_id, alias in matches]


_SEARCH = """
    WITH candidates AS (
        SELECT t.id AS tag_id, NULL AS alias, t.key, t.trigrams FROM annotations_tag t
        WHERE t.project_id = %(project)s AND t.retired_at IS NULL
          AND (t.key LIKE %(prefix)s OR t.trigrams && %(pieces)s::varchar[])
        UNION ALL
        SELECT a.tag_id, a.name, a.key, a.trigrams FROM annotations_tagalias a
        JOIN annotations_tag t ON t.id = a.tag_id AND t.retired_at IS NULL
        WHERE a.project_id = %(project)s AND (a.key LIKE %(prefix)s OR a.trigrams && %(pieces)s::varchar[])
    ), scored AS (
        SELECT tag_id, alias, key, key LIKE %(prefix)s AS is_prefix,
               (SELECT count(*) FROM unnest(trigrams) piece WHERE piece = ANY(%(pieces)s::varchar[]))::float
               / greatest(cardinality(trigrams), cardinality(%(pieces)s::varchar[])) AS similarity
        FROM candidates
    ), best AS (
        SELECT DISTINCT ON (tag_id) tag_id, alias, key, is_prefix, similarity FROM scored
        WHERE is_prefix OR similarity >= %(min_similarity)s
        ORDER BY tag_id, is_prefix DESC, is_prefix AND alias IS NOT NULL, similarity DESC, alias NULLS FIRST
    )
    SELECT tag_id, alias FROM best
    ORDER BY key <> %(key)s, NOT is_prefix, similarity DESC, length(key), key LIMIT %(limit)s
"""
