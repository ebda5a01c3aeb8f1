"""The guide to a project's tags: what each means, and pictures that show it."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotations.models import Project, Tag
from annotations.selectors import examples, hierarchy, vocabulary
from annotations.selectors.examples import Example
from annotations.selectors.hierarchy import Above

PAGE_SIZE = 20


@dataclass(frozen=True)
class GuideTag:
    tag: Tag
    aliases: tuple[str, ...]
    examples: tuple[Example, ...]
    above: tuple[Above, ...]


@dataclass(frozen=True)
class GuidePage:
    """Some tags, and the place where the next ones begin; none after the last."""

    tags: tuple[GuideTag, ...]
    after: int | None = None


def of_tags(project: Project, tag_ids: Sequence[int]) -> GuidePage:
    """These active tags, in this order."""
    found = vocabulary.active_tags(project).in_bulk(list(tag_ids))
    return GuidePage(_with_examples(project, [found[pk] for pk in dict.fromkeys(tag_ids) if pk in found]))


def matching(project: Project, words: str) -> GuidePage:
    """What type-ahead finds for these words, best first."""
    return GuidePage(
        _with_examples(
            project, [match["tag"] for match in vocabulary.search(project, words, limit=PAGE_SIZE)]
        )
    )


def everything(project: Project, after: int = 0) -> GuidePage:
    """The active tags in the order of their making, a page at a time."""
    found = list(vocabulary.active_tags(project).filter(pk__gt=after)[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return GuidePage(_with_examples(project, shown), after=shown[-1].pk if len(found) > PAGE_SIZE else None)


def _with_examples(project: Project, tags: Sequence[Tag]) -> tuple[GuideTag, ...]:
    ids = [tag.pk for tag in tags]
    pictures, above = examples.of_tags(project, ids), hierarchy.paths(project, ids)
    return tuple(
        GuideTag(tag, tuple(alias.name for alias in tag.aliases.all()), pictures[tag.pk], above[tag.pk])
        for tag in tags
    )
