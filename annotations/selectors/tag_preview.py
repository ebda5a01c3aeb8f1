"""What a change of a tag would touch, counted before anybody confirms it. Nothing is written.

Verdicts are counted on at most `LOOKED_AT` images with a decision, whatever the project's size; beyond that the
answer says that it is a part.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q

from annotations.models import Decision, Image, Project, Proposal, Review, SuggestionSet, Tag, TagPeriod
from annotations.selectors import arrays, hierarchy, merges, tag_verdicts, truth
from annotations.selectors.merged_verdicts import joined
from annotations.selectors.tag_verdicts import Verdicts
from annotations.selectors.verdicts import DISPUTED, IMPLIED_NO, NO, YES

LOOKED_AT = 20_000
DIFFERING_SHOWN = 6


@dataclass(frozen=True)
class Touched:
    """One tag: images by verdict, `no` the explicit one, and what else hangs on it."""

    tag: Tag
    decisions: int
    images: int
    yes: int
    no: int
    disputed: int
    aliases: tuple[str, ...]
    children: int
    suggestions: int
    proposals: int
    is_complete: bool


@dataclass(frozen=True)
class Merged:
    """Two tags, and the images by verdict that the surviving one would have.

    `differ`: images with yes for one and no for the other, which become yes; `differing`: some of them, for people to
    look at. `not_asked`: images with a no for one that were not asked about the other, which lose it.
    """

    tag: Touched
    into: Touched
    yes: int
    no: int
    disputed: int
    differ: int
    differing: tuple[Image, ...]
    not_asked: int
    hotkey_goes_over: bool


def of_tag(project: Project, tag: Tag) -> Touched:
    """What hangs on a tag that is renamed, retired or split."""
    found = tag_verdicts.count(project, [tag], most=LOOKED_AT)
    verdicts = {verdict: images for (verdict,), images in found.images.items()}
    return _touched(project, tag, verdicts, looked_at=found.looked_at)


def of_merge(project: Project, tag: Tag, into: Tag) -> Merged:
    found = tag_verdicts.count(project, [tag, into], most=LOOKED_AT, tells_ids=_differ)
    become = _summed((joined(*pair), images) for pair, images in found.images.items())
    lost = sum(
        images
        for pair, images in found.images.items()
        if joined(*pair) is None and not {NO, IMPLIED_NO}.isdisjoint(pair)
    )
    of_tag, of_into = (
        _summed((pair[place], images) for pair, images in found.images.items()) for place in (0, 1)
    )
    return Merged(
        tag=_touched(project, tag, of_tag, looked_at=found.looked_at),
        into=_touched(project, into, of_into, looked_at=found.looked_at),
        yes=become.get(YES, 0),
        no=become.get(NO, 0),
        disputed=become.get(DISPUTED, 0),
        differ=len(found.ids),
        differing=_shown(project, found.ids),
        not_asked=lost + _implied_of_one(project, tag, into),
        hotkey_goes_over=bool(tag.hotkey and not into.hotkey),
    )


def _differ(pair: Verdicts) -> bool:
    return YES in pair and (NO in pair or IMPLIED_NO in pair)


def _summed(counts: Iterable[tuple[str | None, int]]) -> dict[str | None, int]:
    found: dict[str | None, int] = {}
    for verdict, images in counts:
        found[verdict] = found.get(verdict, 0) + images
    return found


def _touched(project: Project, tag: Tag, verdicts: Mapping[str | None, int], *, looked_at: int) -> Touched:
    """`verdicts`: how many images have each; with what was merged into the tag, as its decisions are counted."""
    members = merges.of_project(project).members(tag.pk)
    decisions = Decision.objects.filter(truth.NOT_TAKEN_BACK, tag__in=members, image__deleted_at=None)
    counts = decisions.aggregate(decisions=Count("pk"), images=Count("image_id", distinct=True))
    offered = SuggestionSet.objects.filter(project=project, offered_ids__contains=[tag.pk])
    return Touched(
        tag=tag,
        **counts,
        yes=verdicts.get(YES, 0),
        no=verdicts.get(NO, 0),
        disputed=verdicts.get(DISPUTED, 0),
        aliases=tuple(alias.name for alias in tag.aliases.all()),
        children=hierarchy.children(tag).count(),
        suggestions=offered.count(),
        proposals=Proposal.objects.filter(project=project, tag=tag, state=Proposal.State.OPEN).count(),
        is_complete=looked_at < LOOKED_AT,
    )


def _shown(project: Project, image_ids: Sequence[int]) -> tuple[Image, ...]:
    """Some of these images; none of the holdout, whose answers are not told."""
    rows = Image.objects.filter(project=project, is_holdout=False, deleted_at=None)
    return tuple(rows.filter(arrays.among("id", image_ids)).order_by("pk")[:DIFFERING_SHOWN])


def _implied_of_one(project: Project, tag: Tag, into: Tag) -> int:
    """Images without a decision on either tag that were reviewed when one of them was asked about and never when
    the other was: the implied no of the one goes with the merge.
    """
    if project.unmarked != Project.Unmarked.NO:
        return 0
    asked = {one.pk: _versions(project, one) for one in (tag, into)}
    return sum(
        _reviewed_only_in(project, asked[one.pk] - asked[other.pk], asked[other.pk], [tag, into])
        for one, other in ((tag, into), (into, tag))
    )


def _versions(project: Project, tag: Tag) -> set[int]:
    """The vocabulary versions in which the tag was active."""
    end = project.vocabulary_version + 1
    spans = TagPeriod.objects.filter(tag=tag).values_list("since", "until")
    return {version for since, until in spans for version in range(since, until or end)}


def _reviewed_only_in(
    project: Project, versions: Collection[int], never: Collection[int], tags: Sequence[Tag]
) -> int:
    if not versions:
        return 0
    counted = Review.objects.filter(
        project=project, outcome=Review.Outcome.REVIEWED, counted=True, undone_at=None
    )
    also = counted.filter(arrays.among("vocabulary_version", never), image=OuterRef("image"))
    decided = Decision.objects.filter(truth.NOT_TAKEN_BACK, image=OuterRef("image"), tag__in=tags)
    rows = counted.filter(Q(image__deleted_at=None), arrays.among("vocabulary_version", versions))
    return rows.filter(~Exists(also), ~Exists(decided)).values("image").distinct().count()
