"""The images of one batch of an import: what is there, what is new, what changes. Rows without the ORM."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from annotations.importers.base import ItemError, base_name
from annotations.models import Image, ImportItem, ImportJob, Project
from annotations.pictures import PictureFacts
from annotations.selectors import arrays
from annotations.services import draws, queue, suggestions
from annotations.services.import_items import WaitingItem

_NEW_COLUMNS = (
    "id, project_id, sha256, caption, metadata, revision, state, reviews_done, is_holdout, holdout_probability, "
    "shuffle, priority, created_at, name, path, source, storage_key, shows_as_is, phash, format, size_bytes, width_px, "
    "height_px"
)
_COLUMNS = (
    "id, sha256, caption, metadata, revision, state, reviews_done, is_holdout, holdout_probability, shuffle, "
    "priority, deleted_at"
)


@dataclass(slots=True)
class ImageRow:
    """Of an image what an import reads or changes. `pk` is 0 until a new one is stored."""

    project_id: int
    pk: int
    sha256: str
    caption: str
    metadata: dict[str, Any]
    revision: int
    state: str
    reviews_done: int
    is_holdout: bool
    holdout_probability: float
    shuffle: float
    priority: int
    deleted_at: datetime | None = None


@dataclass(frozen=True)
class Found:
    """Where a picture's bytes lie now, and what is known of them."""

    facts: PictureFacts
    original_key: str
    shows_as_is: bool


class Placed:
    """Which rows a batch adds and changes. Twins, in the project or in the batch, become one image."""

    def __init__(
        self, project: Project, job: ImportJob, digests: Collection[str], ids: Collection[int]
    ) -> None:
        self.project, self.source = project, job.source
        images = locked(project, digests, ids)
        self._known = {image.sha256: image for image in images}
        self._named = {image.pk: image for image in images}
        self.new: list[ImageRow] = []
        self.changed: dict[int, ImageRow] = {}
        self.restored: list[ImageRow] = []
        # Counted as they come out of the trash: tags of the same import may review them at once.
        self.restored_deltas: Counter[str] = Counter()
        self._files: list[tuple[str, Found]] = []  # of the new ones, in their order
        # Only what is new is drawn.
        self._holdout_count = _holdout_count(project) if digests else 0

    def place_picture(self, item: WaitingItem, found: Found) -> None:
        """A file that landed: a new image, or one that is here already."""
        image = self._known.get(found.facts.sha256)
        if image is None:
            item.image, item.state = self._add(item, found), ImportItem.State.ADDED.value
        else:
            self._change(item, image)

    def place_words(self, item: WaitingItem, image_id: int) -> ItemError | None:
        """Words for an image that was here when the import began; why it gets none, if it left since."""
        image = self._named.get(image_id)
        if image is None or image.deleted_at is not None:
            message = (
                "It left the project before the import came to it. Restore it, or send the picture again."
            )
            return ItemError(item.name, "image_gone", message)
        self._change(item, image)
        return None

    def write(self) -> None:
        _add(self.new, self._files, self.source)
        _update(self.changed.values())
        suggestions.mark_stale(self.changed)
        queue.enter(image for image in self.restored if image.state in queue.ASKED_STATES)
        for image in self.restored:
            if image.state == Image.State.UNSURE:
                queue.hand_to_reviewers(image)

    def _change(self, item: WaitingItem, image: ImageRow) -> None:
        item.image = image
        is_changed = self._restore(image) | _new_words(image, item)
        item.state = (ImportItem.State.UPDATED if is_changed else ImportItem.State.DUPLICATE).value
        if is_changed and image.pk:
            image.revision += 1 if image.pk not in self.changed else 0
            self.changed[image.pk] = image

    def _add(self, item: WaitingItem, found: Found) -> ImageRow:
        sha256, was = found.facts.sha256, item.is_holdout
        probability = draws.holdout_probability(self._holdout_count, self.project.holdout_percent)
        image = ImageRow(
            project_id=self.project.pk,
            pk=0,
            sha256=sha256,
            caption=item.file_caption if item.caption is None else item.caption,
            metadata=item.metadata,
            revision=1,
            state=Image.State.PENDING.value,
            reviews_done=0,
            is_holdout=draws.is_holdout(sha256, probability) if was is None else was,
            holdout_probability=probability,
            shuffle=draws.shuffle(sha256),
            priority=0,
        )
        self._holdout_count += image.is_holdout
        self.new.append(image)
        self._files.append((item.name, found))
        self._known[sha256] = image
        return image

    def _restore(self, image: ImageRow) -> bool:
        """Sending a file that lies in the trash takes it out again."""
        if image.deleted_at is None:
            return False
        image.deleted_at = None
        self.restored.append(image)
        self.restored_deltas[image.state] += 1
        self.restored_deltas["holdout_reviewed"] += image.is_holdout and image.reviews_done > 0
        return True


def locked(project: Project, digests: Collection[str], ids: Collection[int]) -> list[ImageRow]:
    """The images that the batch may change, in one order for all, so that imports never wait for one another."""
    # Without the empty one of the two, each look-up is by its own index.
    condition, said = _wanted(digests, ids)
    if not condition:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM annotations_image WHERE project_id = %s AND ({condition}) "  # noqa: S608 (constants)
            "ORDER BY id FOR UPDATE",
            [project.pk, *said],
        )
        return [_row(project.pk, *row) for row in cursor.fetchall()]


def _wanted(digests: Collection[str], ids: Collection[int]) -> tuple[str, list[str]]:
    conditions, said = [], []
    if digests:
        conditions.append("sha256 = ANY(%s::text[])")
        said.append(arrays.text_literal(digests))
    if ids:
        conditions.append("id = ANY(%s::bigint[])")
        said.append(arrays.literal(ids))
    return " OR ".join(conditions), said


def _row(project_id: int, pk: int, sha256: str, caption: str, metadata: str, *rest: Any) -> ImageRow:
    """Django leaves jsonb as text here, and most metadata is empty."""
    said = {} if metadata == "{}" else json.loads(metadata)
    return ImageRow(project_id, pk, sha256, caption, said, *rest)


def store_states(images: Iterable[ImageRow]) -> None:
    """Store state and number of reviews."""
    images = list(images)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE annotations_image image SET state = said.state, reviews_done = said.reviews_done
            FROM unnest(%s::bigint[], %s::text[], %s::smallint[]) AS said(id, state, reviews_done)
            WHERE image.id = said.id
            """,
            [
                arrays.literal(image.pk for image in images),
                arrays.text_literal(image.state for image in images),
                arrays.literal(image.reviews_done for image in images),
            ],
        )


def _holdout_count(project: Project) -> int:
    """How many holdout images there are, the trash's too, counted no further than it matters.

    Apart, since each part has an index of its own: together they read the whole project.
    """
    held = Image.objects.filter(project=project, is_holdout=True)
    live = held.filter(deleted_at=None)[: draws.HOLDOUT_FULL].count()
    missing = draws.HOLDOUT_FULL - live
    return live + (held.filter(deleted_at__isnull=False)[:missing].count() if missing else 0)


def _new_words(image: ImageRow, item: WaitingItem) -> bool:
    """Take over a caption or metadata that differ; what was not given stays."""
    metadata = {**image.metadata, **item.metadata} if item.metadata else image.metadata
    caption = (image.caption or item.file_caption) if item.caption is None else item.caption
    changed = (caption, metadata) != (image.caption, image.metadata)
    image.caption, image.metadata = caption, metadata
    return changed


def _add(images: Sequence[ImageRow], files: Sequence[tuple[str, Found]], source: str) -> None:
    """Store new images by COPY, which answers no ids: they are drawn before."""
    if not images:
        return
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('annotations_image', 'id')) FROM generate_series(1, %s)",
            [len(images)],
        )
        for image, (pk,) in zip(images, cursor.fetchall(), strict=True):
            image.pk = pk
        with cursor.cursor.copy(f"COPY annotations_image ({_NEW_COLUMNS}) FROM STDIN") as copy:
            for image, (path, found) in zip(images, files, strict=True):
                copy.write_row(_new(image, now, path, found, source))


def _new(image: ImageRow, now: datetime, path: str, found: Found, source: str) -> tuple[object, ...]:
    facts = found.facts
    return (
        *(image.pk, image.project_id, image.sha256, image.caption, json.dumps(image.metadata)),
        *(image.revision, image.state, image.reviews_done, image.is_holdout, image.holdout_probability),
        *(image.shuffle, image.priority, now, base_name(path), path if "/" in path else "", source),
        *(found.original_key, found.shows_as_is, facts.phash, facts.format, facts.size_bytes),
        *(facts.width_px, facts.height_px),
    )


def _update(images: Iterable[ImageRow]) -> None:
    """Their words, arrays in one statement: a table that changes a million captions writes little else."""
    images = list(images)
    if not images:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE annotations_image image
            SET caption = said.caption, metadata = said.metadata, revision = said.revision, deleted_at = NULL
            FROM unnest(%s::bigint[], %s::text[], %s::jsonb[], %s::integer[])
                 AS said(id, caption, metadata, revision)
            WHERE image.id = said.id
            """,
            [
                arrays.literal(image.pk for image in images),
                arrays.text_literal(image.caption for image in images),
                arrays.text_literal(
                    json.dumps(image.metadata) if image.metadata else "{}" for image in images
                ),
                arrays.literal(image.revision for image in images),
            ],
        )
