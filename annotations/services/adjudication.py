"""A reviewer's last word on a tag on which people disagree, and taking it back."""

from django.db import transaction

from annotations.errors import Conflict, NotFound
from annotations.models import Decision, Image, Project, Tag, User
from annotations.selectors import truth
from annotations.services import tag_answers


@transaction.atomic
def settle(project: Project, image_id: int, tag_id: int, value: str, *, actor: User) -> Decision:
    """Say yes or no to the tag of the image: it outranks what was said before, and the image is reviewed once all is.

    A retired tag can be settled too: nobody is asked about it, but what was said of it is exported.

    Raises:
        BadInput: the value is neither.
        NotFound: no such image or tag.
        Conflict: `not_disputed`: people agree by now, or somebody has settled it.
    """
    tag_answers.refuse_other(value)
    # Of two reviewers at once the second is told.
    locked = Image.objects.select_for_update(no_key=True)
    image = locked.filter(project=project, pk=image_id, deleted_at=None).first()
    tag = Tag.objects.filter(project=project, pk=tag_id).first()
    if image is None or tag is None:
        raise NotFound("This image or this tag is not in this project any more.", image=image_id, tag=tag_id)
    if tag.pk not in truth.verdicts(project, [image.pk])[image.pk].disputed:
        raise Conflict(
            f"Nobody disagrees on “{tag.name}” here any more: it was settled, or an answer was changed.",
            code="not_disputed",
            image=image.pk,
            tag=tag.pk,
        )
    decision = tag_answers.store(project, actor, [(image, tag.pk, value)], scope=tag_answers.LAST_WORD)[0]
    image.refresh_from_db(fields=["state"])
    return decision


@transaction.atomic
def undo(project: Project, decision_id: int, *, actor: User) -> Decision:
    """Take a last word back: what people said before stands again. Raises NotFound, or Conflict `already_undone`."""
    if not Decision.objects.filter(project=project, pk=decision_id, scope=tag_answers.LAST_WORD).exists():
        raise NotFound(f"No disagreement was settled by decision {decision_id}.", decision=decision_id)
    return tag_answers.take_back(project, decision_id, actor=actor)
