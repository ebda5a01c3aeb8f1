"""Reads of images: filtered keyset pages, and one image with its verdicts, suggestions and history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    F,
    FloatField,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from annotations.errors import BadInput, NotFound
from annotations.models import Decision, Image, Project, Review, SuggestionSet, Tag, User
from annotations.selectors import arrays, flags, handout, merges, neighbours, truth
from annotations.types import ImageTruth

ORDERINGS = {
    "created": ("pk",),
    "newest": ("-pk",),
    "priority": ("-priority", "pk"),
    "shuffle": ("shuffle", "pk"),
    "nearest": ("nearness",),  # goes with `like`
}
BY_SCORE = "score:"  # and a tag; goes with `score_order.scored`
LIKE_MAX = 240
ANSWERS = ("yes", "no")


@dataclass(frozen=True)
class ImageFilter:
    """What to list. None: no restriction.

    `tag_id`: the last explicit answer to it is `answer`. `suggested_id`: the model offers it, or with `min_score`
    gives it at least that score, offered or not. `reviewer`, `since` and `until` speak of one and the same review.
    `flagged`: somebody's flag is open on it, or with `flagged_by` this person's.
    """

    state: str | None = None
    is_holdout: bool | None = None
    words: str | None = None
    tag_id: int | None = None
    answer: str = "yes"
    suggested_id: int | None = None
    min_score: float | None = None
    reviewer: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    disagreement: bool = False
    flagged: bool | None = None
    flagged_by: int | None = None
    like_id: int | None = None


def matching(project: Project, wanted: ImageFilter) -> QuerySet[Image]:
    """Images that are not in the trash and pass the filter."""
    images = Image.objects.filter(project=project, deleted_at=None)
    if wanted.state:
        images = images.filter(state=wanted.state)
    if wanted.disagreement:
        images = images.filter(state=Image.State.DISPUTED)
    if wanted.is_holdout is not None:
        images = images.filter(is_holdout=wanted.is_holdout)
    if wanted.words:
        images = images.annotate(words=SearchVector("caption", config="simple")).filter(
            words=SearchQuery(wanted.words, config="simple", search_type="websearch")
        )
    if wanted.tag_id is not None:
        images = images.filter(Exists(_last_answers(project, wanted.tag_id, wanted.answer)))
    if wanted.suggested_id is not None:
        images = images.filter(_is_suggested(wanted.suggested_id, wanted.min_score), is_holdout=False)
    if wanted.reviewer or wanted.since or wanted.until:
        images = images.filter(Exists(_reviews(wanted)))
    if wanted.flagged is not None:
        flagged = Q(pk__in=flags.flagged_image_ids(project, author_id=wanted.flagged_by))
        images = images.filter(flagged if wanted.flagged else ~flagged)
    if wanted.like_id is not None:
        alike = neighbours.nearest(project.pk, wanted.like_id, limit=LIKE_MAX)
        ranks = RawSQL("array_position(%s::bigint[], annotations_image.id)", [arrays.literal(alike)])
        images = images.filter(pk__in=alike).annotate(nearness=ranks)
    return images


def ordered(images: QuerySet[Image], ordering: str, after: str | None) -> QuerySet[Image]:
    """The rows after a cursor ("value:id" as `cursor` made it), in a stable order."""
    if ordering == "nearest" and "nearness" not in images.query.annotations:
        raise BadInput("`ordering=nearest` goes with `like`, which names the image.", code="bad_ordering")
    if ordering.startswith(BY_SCORE) and "score" not in images.query.annotations:
        raise BadInput("This list has no order by score; the API's list of images has.", code="bad_ordering")
    fields = _fields(ordering)
    if after is not None:
        images = images.filter(_beyond(fields, after))
    return images.order_by(*fields)


def cursor(image: Image, ordering: str) -> str:
    return ":".join(str(getattr(image, field.removeprefix("-"))) for field in _fields(ordering))


def get(project: Project, image_id: int, *, lock: bool = False) -> Image:
    """The image, unless it is in the trash; with `lock` its row is held until the transaction ends."""
    rows = Image.objects.select_for_update() if lock else Image.objects.all()
    image = rows.filter(project=project, pk=image_id, deleted_at=None).first()
    if image is None:
        raise NotFound(f"Image {image_id} is not in this project.", image=image_id)
    return image


def by_ids(project: Project, image_ids: Sequence[int]) -> list[Image]:
    """These images in the order of their ids here; those that are gone are left out."""
    rows = Image.objects.filter(project=project, deleted_at=None).in_bulk(list(image_ids))
    return [rows[image_id] for image_id in image_ids if image_id in rows]


def is_blind(project: Project, image: Image) -> bool:
    """A holdout image whose reviews are not complete: nothing may be told of it that people should find."""
    return image.is_holdout and image.reviews_done < project.reviews_per_image


def blind(project: Project) -> Q:
    """The same of the images of a query."""
    return Q(is_holdout=True, reviews_done__lt=project.reviews_per_image)


def tells_of_blind(project: Project, wanted: ImageFilter) -> bool:
    """Whether the list is of what looks like such an image: the tags of its neighbours would be an answer."""
    waiting = Image.objects.filter(blind(project), project=project)
    return wanted.like_id is not None and waiting.filter(pk=wanted.like_id).exists()


def suggestions(project: Project, image: Image) -> list[dict[str, Any]]:
    """What the live model says of the image; nothing of a holdout image before its reviews are complete."""
    if is_blind(project, image):
        return []
    stored = getattr(image, "suggestion_set", None)
    if stored is None:
        return []
    rejected = handout.blocked([image.pk], {image.pk: stored}).get(image.pk, set())
    return handout.shown(stored, handout.words(project, [stored]), rejected)


def with_scores(project: Project, image_ids: Sequence[int]) -> dict[int, Image]:
    """Those of the images that scores may be shown with, by id: as in `suggestions`, no open holdout image."""
    rows = Image.objects.filter(project=project, pk__in=image_ids, deleted_at=None)
    return rows.exclude(blind(project)).in_bulk()


def history(image: Image, *, only_of: User | None = None) -> list[dict[str, Any]]:
    """All reviews and one-tag answers of the image, oldest first, the undone ones too. Two queries."""
    reviews = Review.objects.filter(image=image).select_related("user").order_by("created_at")
    decisions = Decision.objects.filter(image=image).select_related("user").order_by("id")
    if only_of is not None:
        reviews, decisions = reviews.filter(user=only_of), decisions.filter(user=only_of)
    by_review: dict[int | None, list[Decision]] = {}
    for decision in decisions:
        by_review.setdefault(decision.review_id, []).append(decision)
    entries = [_review_entry(review, by_review.get(review.pk, [])) for review in reviews]
    entries += [_decision_entry(decision) for decision in by_review.get(None, [])]
    return sorted(entries, key=lambda entry: entry["created_at"])


def truths(project: Project, images: Sequence[Image]) -> dict[int, ImageTruth]:
    return truth.verdicts(project, [image.pk for image in images])


def tag_names(project: Project, tag_ids: Iterable[int] | None = None) -> Mapping[int, str]:
    """Names of these tags by id, or of all, the retired ones too."""
    tags = Tag.objects.filter(project=project)
    if tag_ids is not None:
        tags = tags.filter(pk__in=set(tag_ids))
    return dict(tags.values_list("pk", "name"))


def count_up_to(images: QuerySet[Image], most: int) -> int:
    """How many there are, without counting past `most` + 1. In order: the database then stops at the last of them,
    where without one it may first gather all that a filter could find.
    """
    return len(images.order_by("pk").values_list("pk", flat=True)[: most + 1])


def around(images: QuerySet[Image], ordering: str, image: Image) -> tuple[int | None, int | None]:
    """The image's neighbours in this order among the images that pass a filter: the one before, the one after."""
    at, fields = cursor(image, ordering), ORDERINGS[ordering]
    back = tuple(field.removeprefix("-") if field.startswith("-") else f"-{field}" for field in fields)
    before = images.filter(_beyond(back, at)).order_by(*back).values_list("pk", flat=True).first()
    after = images.filter(_beyond(fields, at)).order_by(*fields).values_list("pk", flat=True).first()
    return before, after


# Of decisions: a last word outranks all others (rule 8), whenever it was said.
_RANK = Case(When(scope=Decision.Scope.ADJUDICATION, then=1), default=0)


def _last_answers(project: Project, tag_id: int, value: str) -> QuerySet[Decision]:
    """Explicit answers of this value that no later explicit answer contradicts, nor any last word.

    With tags that were merged into this one: up to the merge each is contradicted by answers to itself alone, and a
    no also by a yes that stands on another one of them.
    """
    standing = merges.of_project(project)
    stands = truth.NOT_TAKEN_BACK & Q(review=None) | Q(review__undone_at=None, review__counted=True)
    about_tag = Decision.objects.filter(stands, tag_id__in=standing.members(tag_id)).annotate(rank=_RANK)
    outranks = Q(rank__gt=OuterRef("rank")) | Q(rank=OuterRef("rank"), pk__gt=OuterRef("pk"))
    later = about_tag.filter(outranks, image_id=OuterRef("image_id")).exclude(value=value)
    merged = standing.into.get(tag_id)
    last = Q(~Exists(later))
    if merged:
        since = Q(tag_id=tag_id, created_at__gte=merged[-1].at)
        last = Q(~Exists(later.filter(since | Q(tag_id=OuterRef("tag_id")))))
        if value == Decision.Value.NO:
            taken_back = about_tag.filter(
                image_id=OuterRef("image_id"), tag_id=OuterRef("tag_id"), pk__gt=OuterRef("pk"), value=value
            )
            yes = about_tag.filter(image_id=OuterRef("image_id"), value=Decision.Value.YES)
            other_yes = yes.exclude(tag_id=OuterRef("tag_id")).filter(~Exists(taken_back))
            last &= since | Q(~Exists(other_yes))
    return about_tag.filter(last, image_id=OuterRef("pk"), value=value)


def _is_suggested(tag_id: int, min_score: float | None) -> Q:
    if min_score is None:
        return Q(suggestion_set__offered_ids__contains=[tag_id])
    position = Func(F("tag_ids"), Cast(Value(tag_id), BigIntegerField()), function="array_position")
    score = Func(
        F("scores"), position, arg_joiner=")[", template="((%(expressions)s])", output_field=FloatField()
    )
    named = SuggestionSet.objects.filter(image_id=OuterRef("pk"), tag_ids__contains=[tag_id])
    scored = named.annotate(score=score)
    return Q(Exists(scored.filter(score__gte=min_score)))


def _reviews(wanted: ImageFilter) -> QuerySet[Review]:
    reviews = Review.objects.filter(image_id=OuterRef("pk"), undone_at=None, counted=True)
    if wanted.reviewer:
        reviews = reviews.filter(user__username=wanted.reviewer)
    if wanted.since:
        reviews = reviews.filter(created_at__gte=wanted.since)
    if wanted.until:
        reviews = reviews.filter(created_at__lt=wanted.until)
    return reviews


def _fields(ordering: str) -> tuple[str, ...]:
    if ordering.startswith(BY_SCORE):
        return ("-score", "pk")
    if ordering not in ORDERINGS:
        names = ", ".join([*ORDERINGS, f"{BY_SCORE}TAG"])
        raise BadInput(f"`ordering` is one of {names}, not “{ordering}”.", code="bad_ordering")
    return ORDERINGS[ordering]


def _beyond(fields: Sequence[str], after: str) -> Q:
    """Rows that come later than the cursor: a row-value comparison, written out."""
    try:
        values = [float(part) if "." in part or "e" in part else int(part) for part in after.split(":")]
        if len(values) != len(fields) or not all(abs(value) < 2**63 for value in values):
            raise ValueError(after)
    except ValueError as error:
        raise BadInput(
            "`after` comes from the `next` address of the page before.", code="bad_after"
        ) from error
    beyond, equal = Q(), Q()
    for field, value in zip(fields, values, strict=True):
        comparison = "lt" if field.startswith("-") else "gt"
        name = field.removeprefix("-")
        beyond |= equal & Q(**{f"{name}__{comparison}": value})
        equal &= Q(**{name: value})
    # Said once more of the first field alone, from which an index can start; of the alternatives above it cannot.
    bound = "lte" if fields[0].startswith("-") else "gte"
    return Q(**{f"{fields[0].removeprefix('-')}__{bound}": values[0]}) & beyond


def _review_entry(review: Review, decisions: Sequence[Decision]) -> dict[str, Any]:
    return {
        "kind": "review",
        "id": review.pk,
        "user": review.user.username if review.user else None,
        "outcome": review.outcome,
        "source": review.source,
        "counted": review.counted,
        "blind": review.blind,
        "yes": [decision.tag_id for decision in decisions if decision.value == "yes"],
        "no": [decision.tag_id for decision in decisions if decision.value == "no"],
        "seconds": review.seconds,
        "created_at": review.created_at,
        "undone_at": review.undone_at,
    }


def _decision_entry(decision: Decision) -> dict[str, Any]:
    return {
        "kind": "decision",
        "id": decision.pk,
        "user": decision.user.username if decision.user else None,
        "scope": decision.scope,
        "source": decision.source,
        "tag": decision.tag_id,
        "value": decision.value,
        "created_at": decision.created_at,
        "undone_at": decision.undone_at,
    }
