"""The state of images after a change of the vocabulary: which verdicts it may settle, and settling them."""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef

from annotations.models import Decision, Image, Project
from annotations.selectors import truth
from annotations.services import counters

FINISHED = (Image.State.REVIEWED, Image.State.DISPUTED)


def about(project: Project, tag_ids: Sequence[int]) -> list[int]:
    """Images on which several people disagree and one of the tags was answered."""
    if project.reviews_per_image == 1:
        return []
    rows = Image.objects.filter(project=project, state=Image.State.DISPUTED, deleted_at=None)
    answered = Decision.objects.filter(image_id=OuterRef("pk"), tag__in=tag_ids)
    return list(rows.filter(Exists(answered)).order_by("pk").values_list("pk", flat=True))


def settle(project: Project, image_ids: Sequence[int]) -> list[int]:
    """Make the state of these images agree with their verdicts; answers those that changed."""
    if not image_ids:
        return []
    images = Image.objects.select_for_update().filter(pk__in=image_ids, state__in=FINISHED).order_by("pk")
    verdicts = truth.verdicts(project, image_ids)
    changed = []
    for image in images:
        before, image.state = image.state, FINISHED[bool(verdicts[image.pk].disputed)]
        if image.state != before:
            changed.append(image)
            counters.add(project.pk, {before: -1, image.state: 1})
    Image.objects.bulk_update(changed, ["state"])
    return [image.pk for image in changed]
