"""Answers about one tag on many images: they answer that tag alone and never make an image reviewed."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from annotations.errors import BadInput, NotFound
from annotations.models import Decision, Image, Project, User
from annotations.selectors import vocabulary
from annotations.services import tag_answers


@transaction.atomic
def answer_tag(
    project: Project, actor: User, *, word: int | str, yes: Sequence[int], no: Sequence[int]
) -> dict[str, Any]:
    """Store an explicit yes or no of one tag for each image; all or none. Answers the counts stored."""
    found, unknown = vocabulary.resolve(project, [word])
    if unknown:
        raise vocabulary.unknown_tags(unknown)
    both = sorted(set(yes) & set(no))
    if both:
        raise BadInput(f"Image {both[0]} stands under yes and under no; choose one.", code="contradiction")
    wanted = set(yes) | set(no)
    images = Image.objects.filter(project=project, pk__in=wanted, deleted_at=None).in_bulk()
    missing = sorted(wanted - images.keys())
    if missing:
        raise NotFound(f"Image {missing[0]} is not in this project.", images=missing)
    values = dict.fromkeys(yes, Decision.Value.YES) | dict.fromkeys(no, Decision.Value.NO)
    tag_answers.store(
        project, actor, [(images[image_id], found[0], value) for image_id, value in values.items()]
    )
    return {"tag": found[0], "yes": len(set(yes)), "no": len(set(no))}
