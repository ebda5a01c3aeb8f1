"""Tags of finished images on which people disagree, with who said what: for a reviewer, who has the last word.

Whether they disagree is `truth.py`'s to say. No suggestion is read: a model must not take sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from annotations.models import Decision, Image, Project, Tag
from annotations.selectors import arrays, merges, said, truth
from annotations.selectors.said import Said
from annotations.selectors.verdicts import verdict_on

READ_AT_ONCE = 200


@dataclass(frozen=True)
class Disagreement:
    """A tag of an image, and the answer of each person that counts, the newest first.

    `decision_id` and `verdict` where a reviewer has settled it just now.
    """

    image: Image
    tag: Tag
    said: Sequence[Said]
    decision_id: int | None = None
    verdict: str = ""

    @property
    def yes(self) -> list[Said]:
        return [one for one in self.said if one.value == said.YES]

    @property
    def no(self) -> list[Said]:
        """Those who said no, or finished a review without the tag."""
        return [one for one in self.said if one.value != said.YES]


@dataclass(frozen=True)
class DisputedImage:
    """An image with all that people disagree on, by the tags' names; and the tags that it has beyond dispute."""

    image: Image
    disagreements: Sequence[Disagreement]
    agreed: Sequence[Tag]


def count(project: Project, tag: Tag | None = None) -> int:
    """Images that wait for a last word; with a tag those among them on which somebody answered it."""
    return _disputed(project, tag).count()


def page(
    project: Project, *, tag: Tag | None = None, after: int = 0, limit: int
) -> tuple[list[DisputedImage], int | None]:
    """The next images after an id with a disagreement, on this tag if one is named; and the id to go on after.

    Of each image everything that people disagree on is told. Queries grow with `limit` alone, but where many images
    have been answered on the tag and are disputed on another one.
    """
    found: list[tuple[int, list[int], list[int]]] = []
    rows = _disputed(project, tag).order_by("pk")
    while len(found) <= limit:
        ids = list(rows.filter(pk__gt=after).values_list("pk", flat=True)[:READ_AT_ONCE])
        for one in truth.one_by_one(project, ids):
            if one.disputed if tag is None else tag.pk in one.disputed:
                found.append((one.image_id, sorted(one.disputed), sorted(one.yes)))
        if len(ids) < READ_AT_ONCE:
            break
        after = ids[-1]
    here = found[:limit]
    return _told(project, here), here[-1][0] if len(found) > limit else None


def tags(project: Project) -> list[Tag]:
    """Tags that somebody answered on a disputed image, by name: what a list may be narrowed to."""
    answered = Decision.objects.filter(truth.NOT_TAKEN_BACK, tag=OuterRef("pk"), image__in=_disputed(project))
    return list(Tag.objects.filter(Exists(answered), project=project, **_USABLE).order_by("name"))


def of(image: Image, tag: Tag, *, decision_id: int | None = None) -> Disagreement:
    """One of them as it stands now: after this decision settled it, or after that was taken back."""
    pair = (image.pk, tag.pk)
    told = said.of_pairs(image.project_id, [pair])[pair]
    verdict = verdict_on(tag.pk, truth.verdicts(image.project, [image.pk])[image.pk])
    return Disagreement(image, tag, _counting(told), decision_id, verdict or "")


def settled(project: Project, decision_id: int) -> Disagreement | None:
    """The one that this last word settled; None if it was taken back."""
    words = Decision.objects.select_related("image__project", "tag").filter(
        truth.NOT_TAKEN_BACK, project=project, scope=Decision.Scope.ADJUDICATION
    )
    word = words.filter(pk=decision_id).first()
    return of(word.image, word.tag, decision_id=word.pk) if word else None


# What lies in the trash has no verdict, and what is part of another tag has that one's.
_USABLE = {"deleted_at": None, "merged_into": None}


def _disputed(project: Project, tag: Tag | None = None) -> QuerySet[Image]:
    rows = Image.objects.filter(project=project, state=Image.State.DISPUTED, deleted_at=None)
    if tag is None:
        return rows
    family = merges.of_project(project).members(tag.pk)
    answered = Decision.objects.filter(
        truth.NOT_TAKEN_BACK, arrays.among("tag_id", family), image=OuterRef("pk")
    )
    return rows.filter(Exists(answered))


def _told(project: Project, found: Sequence[tuple[int, list[int], list[int]]]) -> list[DisputedImage]:
    images = Image.objects.in_bulk([image_id for image_id, *_ in found])
    named = Tag.objects.in_bulk({tag_id for _, disputed, yes in found for tag_id in (*disputed, *yes)})
    pairs = [(image_id, tag_id) for image_id, disputed, _ in found for tag_id in disputed]
    told = said.of_pairs(project.pk, pairs)

    def by_name(tag_ids: Sequence[int]) -> list[Tag]:
        return sorted((named[tag_id] for tag_id in tag_ids), key=lambda tag: tag.name.casefold())

    return [
        DisputedImage(
            images[image_id],
            [
                Disagreement(images[image_id], tag, _counting(told[image_id, tag.pk]))
                for tag in by_name(disputed)
            ],
            by_name(yes),
        )
        for image_id, disputed, yes in found
        if image_id in images
    ]


def _counting(told: Sequence[Said]) -> list[Said]:
    """The latest answer of each person; an import's only where no person answered."""
    latest: dict[str | None, Said] = {}
    for one in told:  # the newest first
        latest.setdefault(one.person, one)
    people = [one for one in latest.values() if not one.imported]
    return people or list(latest.values())
