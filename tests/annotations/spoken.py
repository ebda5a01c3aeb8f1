"""Rows of what people said, at any time and by anybody, without a queue: for figures about people."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest import mock

from django.utils import timezone

from annotations.models import Decision, Image, Project, Review, User


@contextmanager
def clock_of(*models: type) -> Iterator[None]:
    """Rows keep the `created_at` that they are given."""
    with mock.patch.multiple(models[0]._meta.get_field("created_at"), auto_now_add=False):
        if models[1:]:
            with clock_of(*models[1:]):
                yield
        else:
            yield


def days_ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def reviewed(
    user: User | None,
    image: Image,
    *,
    yes: Iterable[int] = (),
    no: Iterable[int] = (),
    at: datetime | None = None,
    **fields: object,
) -> Review:
    """A whole review that gives and rejects these tags, in the project's vocabulary as it is."""
    project = Project.objects.get(pk=image.project_id)
    about = {"vocabulary_version": project.vocabulary_version, "outcome": Review.Outcome.REVIEWED} | fields
    with clock_of(Review, Decision):
        review = Review.objects.create(
            project=project, image=image, user=user, created_at=at or timezone.now(), **about
        )
        for value, tag_ids in (("yes", yes), ("no", no)):
            Decision.objects.bulk_create(
                Decision(review=review, tag_id=tag_id, value=value, scope="image", **_as_in(review))
                for tag_id in tag_ids
            )
    return review


def answered(
    user: User | None,
    image: Image,
    tag_id: int,
    value: str,
    *,
    at: datetime | None = None,
    scope: str = "tag",
    **fields: object,
) -> Decision:
    """An answer to one tag alone."""
    with clock_of(Decision):
        return Decision.objects.create(
            **{"project_id": image.project_id, "image": image, "user": user, "tag_id": tag_id},
            **{"value": value, "scope": scope, "created_at": at or timezone.now()} | fields,
        )


def last_word(user: User | None, image: Image, tag_id: int, value: str, **fields: object) -> Decision:
    return answered(user, image, tag_id, value, scope="adjudicate", **fields)  # type: ignore[arg-type]


def _as_in(review: Review) -> dict[str, object]:
    return {
        "project_id": review.project_id,
        "image_id": review.image_id,
        "user": review.user,
        "source": review.source,
        "created_at": review.created_at,
    }
