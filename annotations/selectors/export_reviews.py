"""The reviews of many images, for exporters: which of them count and, where wanted, all there is to tell of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from typing import Any, NamedTuple

from django.db.models import F, Func, QuerySet, TextField

from annotations.models import Review
from annotations.selectors import arrays

_REVIEWED = Review.Outcome.REVIEWED.value


class Counted(NamedTuple):
    """The only review of an image that counts."""

    review_id: int
    version: int
    source: str


class Reviews(NamedTuple):
    """By image: a review that counts, and objects that tell of each, oldest first. `several` have more that count."""

    counted: Mapping[int, Counted]
    several: Set[int]
    told: Mapping[int, Sequence[Mapping[str, Any]]]


def of_images(image_ids: Collection[int], *, told: bool) -> Reviews:
    """One query. Without `told` only what counts is read."""
    return _told(image_ids) if told else _counted(image_ids)


def iso(column: str) -> Func:
    """A time as ISO 8601 text, made by the database: parsing it only to print it again costs more."""
    return Func(
        F(column),
        template="to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
        output_field=TextField(),
    )


_COUNTED = ("image_id", "id", "vocabulary_version", "source")
_TOLD = (
    "user__username",
    "outcome",
    iso("created_at"),
    "seconds",
    "blind",
    "counted",
    "undone_at",
    "model_number",
)


def _counted(image_ids: Collection[int]) -> Reviews:
    found: dict[int, Counted] = {}
    several = set()
    rows = _of(image_ids).filter(outcome=_REVIEWED, counted=True, undone_at=None)
    for image_id, *review in rows.values_list(*_COUNTED):
        if image_id in found:
            several.add(image_id)
        found[image_id] = Counted._make(review)
    return Reviews(found, several, {})


def _told(image_ids: Collection[int]) -> Reviews:
    """Those that do not count are told too, and marked."""
    found: dict[int, Counted] = {}
    several = set()
    told: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for image_id, *review in _of(image_ids).values_list(*_COUNTED, *_TOLD):
        review_id, version, source, person, outcome, at, seconds, blind, counted, undone_at, model = review
        if counted and outcome == _REVIEWED and undone_at is None:
            if image_id in found:
                several.add(image_id)
            found[image_id] = Counted(review_id, version, source)
        told[image_id].append(
            {
                "person": person,
                "outcome": outcome,
                "source": source,
                "at": at,
                "seconds": seconds,
                "blind": blind,
                "counted": counted,
                "undone": undone_at is not None,
                "model_version": model,
                "vocabulary_version": version,
            }
        )
    return Reviews(found, several, told)


def _of(image_ids: Collection[int]) -> QuerySet[Review]:
    return Review.objects.filter(arrays.among("image_id", image_ids)).order_by("id")
