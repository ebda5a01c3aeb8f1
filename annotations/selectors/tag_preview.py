"""What a change of a tag would touch, counted before anybody confirms it. Nothing is written.

Verdicts are counted on at most `LOOKED_AT` images with a decision, whatever the project's size; beyond that the
answer says that it is a part.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from annotations.models import Decision, Image, Project, Proposal, Review, SuggestionSet, Tag, TagPeriod
from annotations.selectors import arrays, hierarchy, merges, truth
from annotations.selectors.merged_verdicts import joined
from annotations.selectors.verdicts import DISPUTED, IMPLIED_NO, NO, YES
from annotations.types import ImageTruth

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
    members = merges.of_project(project).members(tag.pk)
    ids = _answered(project, members)
    return _touched(project, tag, members, truth.verdicts(project, ids))


def of_merge(project: Project, tag: Tag, into: Tag) -> Merged:
    standing = merges.of_project(project)
    of_tag, of_into = standing.members(tag.pk), standing.members(into.pk)
    truths = truth.verdicts(project, _answered(project, [*of_tag, *of_into]))
    pairs = {pk: (_verdict(one, tag.pk), _verdict(one, into.pk)) for pk, one in truths.items()}
    counts = Counter(joined(*pair) for pair in pairs.values())
    differing = [pk for pk, pair in pairs.items() if YES in pair and (NO in pair or IMPLIED_NO in pair)]
    lost = sum(joined(*pair) is None and bool({NO, IMPLIED_NO}.intersection(pair)) for pair in pairs.values())
    return Merged(
        tag=_touched(project, tag, of_tag, truths),
        into=_touched(project, into, of_into, truths),
        yes=counts[YES],
        no=counts[NO],
        disputed=counts[DISPUTED],
        differ=len(differing),
        differing=_shown(project, differing),
        not_asked=lost + _implied_of_one(project, tag, into),
        hotkey_goes_over=bool(tag.hotkey and not into.hotkey),
    )


def _answered(project: Project, members: Sequence[int]) -> list[int]:
    """Images with a decision on one of the tags; the newest where there are many."""
    rows = Decision.objects.filter(truth.NOT_TAKEN_BACK, tag__in=members, image__deleted_at=None)
    return list(rows.order_by("-image_id").values_list("image_id", flat=True).distinct()[:LOOKED_AT])


def _touched(project: Project, tag: Tag, members: Sequence[int], truths: dict[int, ImageTruth]) -> Touched:
    """`members`: the tag and what was merged into it."""
    counts = Counter(_verdict(one, tag.pk) for one in truths.values())
    decisions = Decision.objects.filter(truth.NOT_TAKEN_BACK, tag__in=members, image__deleted_at=None)
    offered = SuggestionSet.objects.filter(project=project, offered_ids__contains=[tag.pk])
    return Touched(
        tag=tag,
        decisions=decisions.count(),
        images=decisions.values("image").distinct().count(),
        yes=counts[YES],
        no=counts[NO],
        disputed=counts[DISPUTED],
        aliases=tuple(alias.name for alias in tag.aliases.all()),
        children=hierarchy.children(tag).count(),
        suggestions=offered.count(),
        proposals=Proposal.objects.filter(project=project, tag=tag, state=Proposal.State.OPEN).count(),
        is_complete=len(truths) < LOOKED_AT,
    )


def _verdict(one: ImageTruth, tag_id: int) -> str | None:
    for verdict, tag_ids in (
        (YES, one.yes),
        (NO, one.no),
        (IMPLIED_NO, one.implied_no),
        (DISPUTED, one.disputed),
    ):
        if tag_id in tag_ids:
            return verdict
    return None


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
