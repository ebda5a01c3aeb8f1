"""Reads images and what was said of them for exporters, in keyset chunks, so that memory stays flat."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db.models import TextField
from django.db.models.functions import Cast

from annotations.exporters import names as file_names
from annotations.exporters.base import ExportRow, Needs, VocabularyTag
from annotations.models import Image, Project
from annotations.selectors import export_reviews, export_verdicts
from annotations.selectors import vocabulary as tags
from annotations.selectors.export_verdicts import Words

CHUNK = 3_000
# Whoever writes waits for the first one. Each is twice as long as the one before, up to CHUNK.
_FIRST_CHUNK = 500
# The first fields of an ExportRow, in its order, then what becomes of its last ones. Metadata come as text: Django
# parses each JSON value by itself, and most are empty.
_FIELDS = (
    *("id", "name", "path", "sha256", "width_px", "height_px", "caption", "state", "is_holdout"),
    *("storage_key", "metadata_text"),
)
_NAME, _PATH, _STATE, _KEY, _METADATA = map(
    _FIELDS.index, ("name", "path", "state", "storage_key", "metadata_text")
)
_OWN = _KEY
_NO_METADATA = "{}"


@dataclass(frozen=True)
class Filter:
    """Which images of a project are exported; by default all but the trash."""

    state: str | None = None
    is_holdout: bool | None = None

    def keeps(self, row: ExportRow) -> bool:
        """The same of a row that is no row of the database any more."""
        return self.state in (None, row.state) and self.is_holdout in (None, row.is_holdout)


def count(project: Project, wanted: Filter) -> int:
    return _images(project, wanted).count()


def chunks(project: Project, wanted: Filter, needs: Needs) -> Iterator[Iterable[ExportRow]]:
    """Rows by ascending sha256. Six queries a chunk at most, however large the project.

    All that is asked of the database is known when a chunk comes; its rows are put together as they are taken.
    """
    words = Words.of(project)
    images = _images(project, wanted).order_by("sha256").annotate(metadata_text=Cast("metadata", TextField()))
    last, size = "", min(_FIRST_CHUNK, CHUNK)
    while found := list(images.filter(sha256__gt=last).values_list(*_FIELDS)[:size]):
        last, size = found[-1][_FIELDS.index("sha256")], min(2 * size, CHUNK)
        yield _rows(found, words, needs)


def vocabulary(project: Project) -> list[VocabularyTag]:
    """All tags by name, the retired ones too. Two queries."""
    found = list(tags.all_tags(project))
    name_of = {tag.pk: tag.name for tag in found}
    return sorted(
        (
            VocabularyTag(
                name=tag.name,
                parent=name_of.get(tag.parent_id or 0, ""),
                description=tag.description,
                aliases=sorted(alias.name for alias in tag.aliases.all()),
                is_active=tag.retired_at is None,
            )
            for tag in found
        ),
        key=lambda tag: tag.name,
    )


def _images(project: Project, wanted: Filter) -> Any:
    images = Image.objects.filter(project=project, deleted_at=None)
    if wanted.state is not None:
        images = images.filter(state=wanted.state)
    if wanted.is_holdout is not None:
        images = images.filter(is_holdout=wanted.is_holdout)
    return images


def _rows(found: Sequence[tuple[Any, ...]], words: Words, needs: Needs) -> Iterable[ExportRow]:
    states = {row[0]: row[_STATE] for row in found}
    reviews = export_reviews.of_images(states, told=needs.reviews)
    said_of = export_verdicts.of_images(words, states, reviews, needs)
    return (
        ExportRow._make(
            image[:_OWN]
            + said_of[image[0]]
            + (
                reviews.told.get(image[0], ()),
                {} if image[_METADATA] == _NO_METADATA else orjson.loads(image[_METADATA]),
                image[_KEY],
                _file(image) if needs.files else "",
            )
        )
        for image in found
    )


def _file(image: tuple[Any, ...]) -> str:
    return file_names.safe_path(image[_PATH] or image[_NAME], image[_KEY].rpartition(".")[2])
