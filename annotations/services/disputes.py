"""The state of finished images on which people disagree: what changes verdicts settles them, or disputes them anew."""

from collections.abc import Collection, Iterable, Sequence

from django.db.models import Exists, OuterRef, Q

from annotations.models import Decision, Image, Project
from annotations.selectors import arrays, merges, truth
from annotations.services import counters

FINISHED = (Image.State.REVIEWED, Image.State.DISPUTED)
_SAID_ALONE = Q(review=None, source=Decision.Source.PERSON, undone_at=None)


def about(project: Project, tag_ids: Sequence[int]) -> list[int]:
    """Images on which several people disagree and one of the tags was answered."""
    rows = Image.objects.filter(project=project, state=Image.State.DISPUTED, deleted_at=None)
    answered = Decision.objects.filter(image_id=OuterRef("pk"), tag__in=tag_ids)
    return list(rows.filter(Exists(answered)).order_by("pk").values_list("pk", flat=True))


def settle(project: Project, image_ids: Sequence[int]) -> list[int]:
    """Make the state of these images agree with their verdicts; answers those that changed."""
    if not image_ids:
        return []
    rows = Image.objects.filter(pk__in=image_ids, state__in=FINISHED).order_by("pk")
    # Whoever answers an image holds a share of its row: a lock on its key would wait for them, and they for this one.
    images = list(rows.select_for_update(no_key=True))
    verdicts = truth.verdicts(project, [image.pk for image in images])
    changed = []
    for image in images:
        before, image.state = image.state, FINISHED[bool(verdicts[image.pk].disputed)]
        if image.state != before:
            changed.append(image)
            counters.add(project.pk, {before: -1, image.state: 1})
    Image.objects.bulk_update(changed, ["state"])
    return [image.pk for image in changed]


def settle_answered(
    project: Project, image_ids: Collection[int], tag_ids: Iterable[int], *, new: Collection[int] = ()
) -> list[int]:
    """The same after answers to these tags alone were taken back, or stored as the decisions `new`.

    One answer disputes nothing: looked at is what was disputed, and where others have a word on the tag too.
    """
    standing = merges.of_project(project)
    family = {member for tag_id in tag_ids for member in standing.members(standing.survivor(tag_id))}
    others = Decision.objects.filter(_SAID_ALONE, arrays.among("tag_id", family), image_id=OuterRef("pk"))
    may_change = (
        Q(state=Image.State.DISPUTED)
        | Q(reviews_done__gt=1)
        | Exists(others.exclude(arrays.among("pk", new)))
    )
    rows = Image.objects.filter(arrays.among("pk", image_ids), may_change, state__in=FINISHED)
    return settle(project, list(rows.order_by("pk").values_list("pk", flat=True)))


def state_after_review(project: Project, image: Image) -> str:
    """Reviewed, or disputed where people left a tie. One review with nothing beside it cannot disagree with itself."""
    if image.reviews_done == 1 and not Decision.objects.filter(_SAID_ALONE, image=image).exists():
        return Image.State.REVIEWED
    disputed = truth.verdicts(project, [image.pk])[image.pk].disputed
    return FINISHED[bool(disputed)]
