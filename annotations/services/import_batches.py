"""One batch of an import: look at the pictures in threads, then store everything in one transaction.

The row lock on the job and the items' states make a batch land exactly once, whoever dies or comes twice.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from annotations import pictures
from annotations.importers.base import ItemError, base_name
from annotations.models import Image, ImportItem, ImportJob, Project
from annotations.picture_decoding import MAX_BYTES
from annotations.services import counters, draws, imported_tags, jobs, queue, storage, suggestions
from annotations.signals import images_changed, send_on_commit

SHOWN_BY_BROWSERS = frozenset({"JPEG", "PNG", "WEBP"})
THUMBNAIL_PX = 256


class CancelRequestedError(Exception):
    """Somebody asked the job to stop."""


@dataclass(frozen=True)
class Looked:
    """What a thread found out about one item; exactly one of `facts` and `error` is there."""

    item: ImportItem
    facts: pictures.PictureFacts | None = None
    original_key: str = ""
    shows_as_is: bool = False
    error: ItemError | None = None


def look(item: ImportItem, project_id: int, keep_gps: bool) -> Looked:
    """Read, check and store one picture's files. Runs in a thread: no database here."""
    try:
        data = storage.read(item.staged_key, limit_bytes=MAX_BYTES)
    except OSError as error:
        return _refused(item, "file_missing", f"Its bytes cannot be read ({error.strerror}). Send it again.")
    try:
        facts, thumbnail = pictures.inspect(data, thumbnail_px=THUMBNAIL_PX)
    except pictures.PictureError as error:
        return _refused(item, error.code, error.message)
    original_key = storage.original_key(project_id, facts.sha256, facts.extension)
    thumbnail_key = storage.rendition_key(project_id, facts.sha256, THUMBNAIL_PX)
    if not storage.exists(original_key):
        storage.put(original_key, data, durable=True)
    if not storage.exists(thumbnail_key):
        storage.put(thumbnail_key, thumbnail)
    hides_nothing = facts.upright and (keep_gps or not facts.has_gps)
    return Looked(item, facts, original_key, hides_nothing and facts.format in SHOWN_BY_BROWSERS)


@transaction.atomic
def store(job: ImportJob, looked: Sequence[Looked]) -> int:
    """Store a batch; returns how many items of the job are done. Raises CancelRequestedError or jobs.ClaimLost."""
    row = jobs.held(job)
    if row.cancel_requested:
        raise CancelRequestedError
    # One import at a time writes into a project, so that twins and the holdout's size are seen.
    project = Project.objects.select_for_update(no_key=True).get(pk=job.project_id)
    placed = _Placed(project, job, [found.facts.sha256 for found in looked if found.facts])
    errors = [error for found in looked if (error := placed.place(found)) is not None]
    placed.write()
    tagged = imported_tags.store(
        job, [(found.item, found.item.image) for found in looked if found.item.image]
    )
    _finish_items([found.item for found in looked], tagged.changed_image_ids)
    queue.enter(image for image in placed.new if image.state == Image.State.PENDING)
    counters.add(project.pk, _deltas(placed, tagged.deltas))
    changed = [image.pk for image in (*placed.new, *placed.changed.values())]
    if changed:
        send_on_commit(images_changed, project_id=project.pk, image_ids=changed)
    _tell_job(row, [found.item for found in looked], [*errors, *tagged.errors])
    transaction.on_commit(lambda: _unstage(looked))
    return row.done


@transaction.atomic
def skip_deadly(job: ImportJob) -> None:
    """Refuse the item at which every worker died, so that the rest can land."""
    row = jobs.held(job)
    item = row.items.filter(state=ImportItem.State.WAITING).order_by("pk").first()
    if item is not None:
        refusal = ItemError(
            item.name, "worker_died", "Reading it ended the worker each time. Convert the file."
        )
        _mark_refused(item, refusal)
        _finish_items([item], frozenset())
        _tell_job(row, [item], [refusal])


class _Placed:
    """Which rows a batch adds and changes. Twins, in the project or in the batch, become one image."""

    def __init__(self, project: Project, job: ImportJob, shas: Sequence[str]) -> None:
        self.project, self.source = project, job.source
        self.known = {image.sha256: image for image in _locked_images(project, shas)}
        self.new: list[Image] = []
        self.changed: dict[int, Image] = {}
        self.restored: list[Image] = []
        # Counted as they come out of the trash: tags of the same import may review them at once.
        self.restored_deltas: Counter[str] = Counter()
        self.holdout_count = _holdout_count(project)

    def place(self, found: Looked) -> ItemError | None:
        """Decide what becomes of one item; returns why it is refused, if it is."""
        if found.error is not None or found.facts is None:
            assert found.error is not None
            _mark_refused(found.item, found.error)
            return found.error
        image = self.known.get(found.facts.sha256)
        if image is None:
            found.item.image = self._add(found, found.facts)
            found.item.state = ImportItem.State.ADDED
            return None
        found.item.image = image
        changed = self._restore(image) | _new_words(image, found.item)
        found.item.state = ImportItem.State.UPDATED if changed else ImportItem.State.DUPLICATE
        if changed and image.pk is not None:
            image.revision += 1 if image.pk not in self.changed else 0
            self.changed[image.pk] = image
        return None

    def write(self) -> None:
        Image.objects.bulk_create(self.new)
        Image.objects.bulk_update(self.changed.values(), ["caption", "metadata", "revision", "deleted_at"])
        suggestions.mark_stale(self.changed)
        queue.enter(image for image in self.restored if image.state in queue.ASKED_STATES)
        for image in self.restored:
            if image.state == Image.State.UNSURE:
                queue.hand_to_reviewers(image)

    def _add(self, found: Looked, facts: pictures.PictureFacts) -> Image:
        probability = draws.holdout_probability(self.holdout_count, self.project.holdout_percent)
        path = found.item.name
        image = Image(
            project=self.project,
            sha256=facts.sha256,
            phash=facts.phash,
            name=base_name(path),
            path=path if "/" in path else "",
            source=self.source,
            format=facts.format,
            storage_key=found.original_key,
            size_bytes=facts.size_bytes,
            shows_as_is=found.shows_as_is,
            width_px=facts.width_px,
            height_px=facts.height_px,
            caption=found.item.caption or "",
            metadata=found.item.metadata,
            is_holdout=draws.is_holdout(facts.sha256, probability),
            holdout_probability=probability,
            shuffle=draws.shuffle(facts.sha256),
        )
        self.holdout_count += image.is_holdout
        self.new.append(image)
        self.known[facts.sha256] = image
        return image

    def _restore(self, image: Image) -> bool:
        """Sending a file that lies in the trash takes it out again."""
        if image.deleted_at is None:
            return False
        image.deleted_at = None
        self.restored.append(image)
        self.restored_deltas[image.state] += 1
        self.restored_deltas["holdout_reviewed"] += image.is_holdout and image.reviews_done > 0
        return True


def _locked_images(project: Project, shas: Sequence[str]) -> Iterable[Image]:
    return Image.objects.filter(project=project, sha256__in=shas).select_for_update().order_by("pk")


def _holdout_count(project: Project) -> int:
    """How many holdout images there are, counted no further than it matters."""
    return Image.objects.filter(project=project, is_holdout=True)[: draws.HOLDOUT_FULL].count()


def _new_words(image: Image, item: ImportItem) -> bool:
    """Take over a caption or metadata that differ; what was not given stays."""
    metadata = {**image.metadata, **item.metadata}
    caption = image.caption if item.caption is None else item.caption
    changed = (caption, metadata) != (image.caption, image.metadata)
    image.caption, image.metadata = caption, metadata
    return changed


def _deltas(placed: _Placed, tagged: Counter[str]) -> Counter[str]:
    deltas = Counter(tagged)
    deltas.update(placed.restored_deltas)
    for image in (*placed.new, *placed.restored):
        deltas["images"] += 1
        deltas["holdout"] += image.is_holdout
    # A new image that an import reviewed at once is counted as such there, so it starts as pending here.
    deltas["pending"] += len(placed.new)
    return deltas


def _finish_items(items: Sequence[ImportItem], tagged_image_ids: frozenset[int]) -> None:
    for item in items:
        if item.state == ImportItem.State.DUPLICATE and item.image_id in tagged_image_ids:
            item.state = ImportItem.State.UPDATED
        if item.image is not None:
            item.image_id = item.image.pk
    # Arrays in one statement: bulk_update's CASE a row costs fifty times as much (0.5 ms an image).
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE annotations_importitem item
            SET state = said.state, error_code = said.code, error_message = said.message, image_id = said.image_id
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[])
                 AS said(id, state, code, message, image_id)
            WHERE item.id = said.id
            """,
            [
                [item.pk for item in items],
                [str(item.state) for item in items],
                [item.error_code for item in items],
                [item.error_message for item in items],
                [item.image_id for item in items],
            ],
        )


def _tell_job(row: ImportJob, items: Sequence[ImportItem], errors: Sequence[ItemError]) -> None:
    names = {"added": "added", "updated": "updated", "duplicate": "duplicates", "refused": "refused"}
    for item in items:
        row.result[names[item.state]] += 1
    row.done += len(items)
    row.errors = [*row.errors, *(error.as_json() for error in errors)][: jobs.MAX_ERRORS_KEPT]
    jobs.beat(row, done=row.done, result=row.result, errors=row.errors, attempts=1)


def _mark_refused(item: ImportItem, error: ItemError) -> None:
    item.state = ImportItem.State.REFUSED
    item.error_code, item.error_message = error.code, error.message


def _refused(item: ImportItem, code: str, message: str) -> Looked:
    return Looked(item, error=ItemError(item.name, code, message))


def _unstage(looked: Sequence[Looked]) -> None:
    for found in looked:
        storage.delete(found.item.staged_key)
