"""What a model may read of images and vocabulary, in plain values and in bounded numbers of rows.

No verdicts here: those come from `truth.py` alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import F, Max, Q, QuerySet

from annotations.models import Image, LiveModel, Project, QueueEntry, Review, Tag, TagAlias
from annotations.selectors import arrays, counters, draw


class ImageInput(NamedTuple):
    """One image as the model sees it, before its picture is opened."""

    image_id: int
    storage_key: str
    caption: str
    phash: int
    is_holdout: bool


@dataclass(frozen=True)
class HoldoutImage:
    """A holdout image and the probability with which it was drawn."""

    image_id: int
    phash: int
    holdout_probability: float


@dataclass(frozen=True)
class TagWords:
    """An active tag with every word it goes by."""

    tag_id: int
    name: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Kinship:
    """Merged tags with the tag that each is part of by now, and tags that a split made with the one that was split."""

    survivors: dict[int, int]
    origins: dict[int, int]


@dataclass(frozen=True)
class LiveState:
    """What serves in a project; number 0 is the prior, before any version.

    `problem` says why it serves although another version was put live.
    """

    version_id: int | None
    number: int
    read_decisions: int
    read_reviews: int
    problem: str = ""


def project(project_id: int) -> Project | None:
    """The project, unless it is gone or in the trash: a background task may come late."""
    return Project.objects.filter(pk=project_id, deleted_at=None).first()


def project_ids() -> list[int]:
    return list(Project.objects.filter(deleted_at=None).order_by("id").values_list("id", flat=True))


def is_asked_for(extractor: str) -> bool:
    """Whether the settings of any project name this extractor; one in the trash may come back."""
    return Project.objects.filter(extractor=extractor).exists()


def with_unread_answers() -> list[int]:
    """Projects with answers that may be trained on and that no judged version has read. Three queries."""
    ids = project_ids()
    read = {row.project_id: row for row in LiveModel.objects.filter(project_id__in=ids)}
    unread = []
    for project_id, counts in counters.read_many(ids).items():
        live = read.get(project_id)
        reviews, decisions = (live.read_reviews, live.read_decisions) if live else (0, 0)
        if counts.get("trainable_reviews", 0) > reviews or counts.get("trainable_decisions", 0) > decisions:
            unread.append(project_id)
    return unread


def image_rows(project_id: int) -> QuerySet[Image]:
    """Every image of the project that is not in the trash."""
    return Image.objects.filter(project_id=project_id, deleted_at=None)


def images(project_id: int, image_ids: Sequence[int]) -> list[ImageInput]:
    """These images of the project by ascending id; those in the trash are left out."""
    rows = image_rows(project_id).filter(arrays.among("id", image_ids)).order_by("id")
    return [
        ImageInput(*row) for row in rows.values_list("id", "storage_key", "caption", "phash", "is_holdout")
    ]


def captioned_unreviewed(project_id: int, limit: int) -> list[ImageInput]:
    """Training-side images with a caption that nobody has finished yet; a stable random choice of at most `limit`."""
    rows = image_rows(project_id).filter(is_holdout=False, state=Image.State.PENDING).exclude(caption="")
    rows = rows.order_by("shuffle", "id")[:limit]
    return [
        ImageInput(*row) for row in rows.values_list("id", "storage_key", "caption", "phash", "is_holdout")
    ]


def captioned_among(project_id: int, image_ids: Sequence[int], limit: int) -> list[ImageInput]:
    """Those of these training-side images that have a caption; the same stable choice of at most `limit`."""
    rows = image_rows(project_id).filter(arrays.among("id", image_ids), is_holdout=False).exclude(caption="")
    rows = rows.order_by("shuffle", "id")[:limit]
    return [
        ImageInput(*row) for row in rows.values_list("id", "storage_key", "caption", "phash", "is_holdout")
    ]


def sides_by_sha256(project_id: int, digests: Sequence[str]) -> dict[str, tuple[int, bool]]:
    """The id of each image of these sha256s that is in the project and not in the trash, and whether it is holdout."""
    rows = image_rows(project_id).filter(arrays.among_texts("sha256", digests))
    return {
        sha256: (pk, is_holdout) for sha256, pk, is_holdout in rows.values_list("sha256", "pk", "is_holdout")
    }


def holdout(project_id: int) -> list[HoldoutImage]:
    """Every holdout image by ascending id, reviewed or not."""
    rows = image_rows(project_id).filter(is_holdout=True).order_by("id")
    return [HoldoutImage(*row) for row in rows.values_list("id", "phash", "holdout_probability")]


def reviewed_last(project_id: int, image_ids: Sequence[int], limit: int) -> list[int]:
    """Those of these images that people finished last."""
    reviews = Review.objects.filter(
        project_id=project_id,
        image_id__in=image_ids,
        outcome=Review.Outcome.REVIEWED,
        counted=True,
        undone_at=None,
    )
    newest = reviews.values("image_id").annotate(at=Max("created_at")).order_by("-at", "-image_id")
    return [row["image_id"] for row in newest[:limit]]


def active_tags(project_id: int) -> list[TagWords]:
    """The active tags by ascending id. Two queries."""
    aliases: dict[int, list[str]] = defaultdict(list)
    for tag_id, name in (
        TagAlias.objects.filter(project_id=project_id).order_by("id").values_list("tag_id", "name")
    ):
        aliases[tag_id].append(name)
    tags = Tag.objects.filter(project_id=project_id, retired_at=None).order_by("id").values_list("id", "name")
    return [TagWords(tag_id, name, tuple(aliases[tag_id])) for tag_id, name in tags]


def kinship(project_id: int) -> Kinship:
    """Which tags were merged or split, for a model that was trained before that. One query."""
    rows = Tag.objects.filter(
        Q(merged_into__isnull=False) | Q(split_from__isnull=False), project_id=project_id
    )
    found = list(rows.values_list("pk", "merged_into_id", "split_from_id"))
    into = {pk: merged_into for pk, merged_into, _ in found if merged_into is not None}
    return Kinship(
        survivors={pk: _followed(into, pk) for pk in into},
        origins={pk: split_from for pk, _, split_from in found if split_from is not None},
    )


def _followed(into: dict[int, int], tag_id: int) -> int:
    while tag_id in into:
        tag_id = into[tag_id]
    return tag_id


def next_of_queue(project_id: int, limit: int) -> list[int]:
    """The images that will be asked about next: four of five in the active order, one in the random order."""
    waiting = QueueEntry.objects.filter(project_id=project_id, is_holdout=False)
    active = waiting.order_by("-priority", "rank", "image_id").values_list("image_id", flat=True)
    drawn = waiting.order_by("shuffle", "image_id").values_list("image_id", flat=True)
    share = limit // 5
    return sorted({*active[: limit - share], *drawn[:share]})


def waiting(image_ids: Sequence[int]) -> set[int]:
    """Those of these images that stand in the queue and are not holdout."""
    entries = QueueEntry.objects.filter(arrays.among("image_id", image_ids), is_holdout=False)
    return set(entries.values_list("image_id", flat=True))


def waiting_count(project_id: int) -> int:
    """How many images outside the holdout want a review."""
    return draw.waiting(project_id)


def newest_reviewed(project_id: int, limit: int) -> list[int]:
    """Images outside the holdout that people finished last, the newest first; one may stand there twice."""
    reviews = Review.objects.filter(
        project_id=project_id, outcome=Review.Outcome.REVIEWED, counted=True, undone_at=None
    )
    rows = reviews.filter(image__is_holdout=False).order_by("-created_at")
    return list(rows.values_list("image_id", flat=True)[:limit])


def stale(
    project_id: int, *, model_number: int, vocabulary_version: int, after_id: int, limit: int
) -> list[int]:
    """Images whose suggestions are missing, or come from another model or vocabulary; by id."""
    fresh = Q(
        suggestion_set__model_number=model_number, suggestion_set__vocabulary_version__gte=vocabulary_version
    )
    rows = image_rows(project_id).filter(id__gt=after_id).annotate(suggested=F("suggestion_set__image_id"))
    return list(rows.filter(Q(suggested=None) | ~fresh).order_by("id").values_list("id", flat=True)[:limit])


def live(project_id: int) -> LiveState:
    """Which version serves, and how much of people's work the newest judged one has read."""
    row = LiveModel.objects.filter(project_id=project_id).first()
    if row is None:
        return LiveState(version_id=None, number=0, read_decisions=0, read_reviews=0)
    return LiveState(
        version_id=row.version_id,
        number=row.number,
        read_decisions=row.read_decisions,
        read_reviews=row.read_reviews,
        problem=row.metrics.get("problem", ""),
    )
