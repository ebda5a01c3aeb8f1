"""Reviews as rows, of any person, version and kind: for what counts how alike people judged."""

from collections.abc import Iterable
from typing import Any

from annotations.models import Decision, Image, Project, Review, User


def say(
    project: Project,
    image: Image,
    user: User | None,
    *,
    yes: Iterable[int] = (),
    no: Iterable[int] = (),
    **fields: Any,
) -> Review:
    """A review of the whole image with explicit answers to these tags, in today's vocabulary unless said."""
    version = Project.objects.values_list("vocabulary_version", flat=True).get(pk=project.pk)
    known = {"outcome": "reviewed", "source": "person", "vocabulary_version": version} | fields
    review = Review.objects.create(project=project, image=image, user=user, **known)
    Decision.objects.bulk_create(
        Decision(
            project=project,
            image=image,
            tag_id=tag_id,
            user=user,
            review=review,
            value=value,
            scope="image",
            source=review.source,
        )
        for value, tag_ids in (("yes", yes), ("no", no))
        for tag_id in tag_ids
    )
    return review
