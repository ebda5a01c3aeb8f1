"""Reads images and what was said of them for exporters, in keyset chunks, so that memory stays flat."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Func, TextField

from annotations.exporters.base import ExportRow, Needs, Provenance
from annotations.models import Decision, Image, Project, Review, Tag
from annotations.selectors import arrays, truth
from annotations.types import ImageTruth

CHUNK = 1_000
_FIELDS = ("id", "name", "path", "sha256", "width_px", "height_px", "caption", "state", "is_holdout")


@dataclass(frozen=True)
class Filter:
    """Which images of a project are exported; by default all but the trash."""

    state: str | None = None
    is_holdout: bool | None = None


def count(project: Project, wanted: Filter) -> int:
    return _images(project, wanted).count()


def chunks(project: Project, wanted: Filter, needs: Needs) -> Iterator[list[ExportRow]]:
    """Rows by ascending image id. Six queries a chunk at most, however large the project."""
    names = dict(Tag.objects.filter(project=project).values_list("id", "name"))
    images = _images(project, wanted).order_by("id")
    last_id = 0
    while found := list(images.filter(id__gt=last_id).values(*_FIELDS)[:CHUNK]):
        last_id = found[-1]["id"]
        yield _rows(project, found, names, needs)


def _images(project: Project, wanted: Filter) -> Any:
    images = Image.objects.filter(project=project, deleted_at=None)
    if wanted.state is not None:
        images = images.filter(state=wanted.state)
    if wanted.is_holdout is not None:
        images = images.filter(is_holdout=wanted.is_holdout)
    return images


def _rows(
    project: Project, found: Sequence[dict[str, Any]], names: Mapping[int, str], needs: Needs
) -> list[ExportRow]:
    ids = [row["id"] for row in found]
    verdicts = truth.verdicts(project, ids)
    provenance = _provenance(verdicts, names) if needs.provenance else {}
    reviews = _reviews(ids) if needs.reviews else {}
    return [
        ExportRow(
            **row,
            yes=_named(verdicts[row["id"]].yes, names),
            no=_named(verdicts[row["id"]].no, names),
            disputed=_named(verdicts[row["id"]].disputed, names),
            implied_no=_named(verdicts[row["id"]].implied_no, names) if needs.implied_no else (),
            provenance=provenance.get(row["id"], {}),
            reviews=tuple(reviews.get(row["id"], ())),
        )
        for row in found
    ]


def _named(tag_ids: frozenset[int], names: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(sorted(names[tag_id] for tag_id in tag_ids)) if tag_ids else ()


def _provenance(
    verdicts: Mapping[int, ImageTruth], names: Mapping[int, str]
) -> dict[int, dict[str, Provenance]]:
    """The latest decision that agrees with each verdict; of a disputed tag simply the latest."""
    decisions = (
        Decision.objects.filter(truth.NOT_TAKEN_BACK, image_id__in=arrays.any_of(verdicts))
        .exclude(review__counted=False)
        .exclude(review__undone_at__isnull=False)
        .order_by("id")
        .values_list(
            *("image_id", "tag_id", "value", "source", "user__username", _iso("created_at"), "scope"),
            *("suggestion__score", "model_number"),
        )
    )
    latest: dict[int, dict[str, Provenance]] = defaultdict(dict)
    for image_id, tag_id, value, source, person, at, scope, score, model_number in decisions:
        said = verdicts[image_id]
        if tag_id in said.disputed or tag_id in (said.yes if value == Decision.Value.YES else said.no):
            latest[image_id][names[tag_id]] = Provenance(source, person, at, scope, score, model_number)
    return {image_id: dict(sorted(by_tag.items())) for image_id, by_tag in latest.items()}


def _iso(column: str) -> Func:
    """A time as ISO 8601 text, made by the database: parsing it only to print it again costs more."""
    return Func(
        F(column),
        template="to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
        output_field=TextField(),
    )


def _reviews(image_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Every review of the images in the order they were made, those that do not count included and marked."""
    rows = (
        Review.objects.filter(image_id__in=arrays.any_of(image_ids))
        .order_by("id")
        .values_list(
            *(
                "image_id",
                "user__username",
                "outcome",
                "source",
                _iso("created_at"),
                "seconds",
                "blind",
                "counted",
            ),
            *("undone_at", "model_number", "vocabulary_version"),
        )
    )
    reviews: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for image_id, person, outcome, source, at, seconds, blind, counted, undone_at, model, version in rows:
        reviews[image_id].append(
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
    return reviews
