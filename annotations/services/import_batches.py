"""One batch of an import: look at the pictures in threads, then store everything in one transaction.

The row lock on the job and the items' states make a batch land exactly once, whoever dies or comes twice. Which images
a batch adds and changes stands in `import_images`.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from annotations import pictures
from annotations.importers import elsewhere
from annotations.importers.base import BringError, ItemError, StagedFile
from annotations.importers.elsewhere import Elsewhere
from annotations.models import Image, ImportItem, ImportJob, Project
from annotations.picture_decoding import MAX_BYTES
from annotations.services import (
    counters,
    import_items,
    imported_tags,
    jobs,
    outside_suggestions,
    queue,
    storage,
)
from annotations.services.import_images import Found, Placed
from annotations.services.import_items import WaitingItem
from annotations.signals import images_changed, send_on_commit

SHOWN_BY_BROWSERS = frozenset({"JPEG", "PNG", "WEBP"})
THUMBNAIL_PX = 256
_COUNTED_AS = {"added": "added", "updated": "updated", "duplicate": "duplicates", "refused": "refused"}
# More threads than this wait for servers; each picture that is decoded takes its place in memory.
DECODED_AT_ONCE = 4
_decoding = threading.BoundedSemaphore(DECODED_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Looked:
    """What became known of one item; exactly one of `found`, `image_id` and `error` is there.

    `bytes_key` is where its bytes waited, if there are any. `image_id` is an image of the project that gets new words:
    its bytes were not sent again.
    """

    item: WaitingItem
    bytes_key: str = ""
    found: Found | None = None
    error: ItemError | None = None
    image_id: int = 0


def known(item: WaitingItem) -> Looked | None:
    """An item of words alone, at which nothing is to be looked; None where there is a picture."""
    image_id = _image_id(item.staged_key)
    return Looked(item, image_id=image_id) if image_id else None


def _image_id(key: str) -> int:
    """The image of the project for which an item has words; 0 where it brings bytes."""
    return int(key.removeprefix(storage.STORED_IMAGE)) if key.startswith(storage.STORED_IMAGE) else 0


def look(item: WaitingItem, project_id: int, keep_gps: bool, source: Elsewhere) -> Looked:
    """Bring, read, check and store one picture's files. Runs in a thread: no database here."""
    try:
        key = source.bring(item)
    except BringError as error:
        return _refused(item, error.code, error.message)
    with _decoding:
        return _look_at(item, key, project_id, keep_gps)


def _look_at(item: WaitingItem, key: str, project_id: int, keep_gps: bool) -> Looked:
    try:
        data = storage.read(key, limit_bytes=MAX_BYTES)
    except OSError as error:
        return _refused(item, "file_missing", f"Its bytes cannot be read ({error.strerror}). Send it again.")
    try:
        facts, thumbnail = pictures.inspect(data, thumbnail_px=THUMBNAIL_PX)
    except pictures.PictureError as error:
        return _refused(item, error.code, error.message, bytes_key=key)
    original_key = storage.original_key(project_id, facts.sha256, facts.extension)
    thumbnail_key = storage.rendition_key(project_id, facts.sha256, THUMBNAIL_PX)
    if not storage.exists(original_key):
        storage.put(original_key, data, durable=True)
    if not storage.exists(thumbnail_key):
        storage.put(thumbnail_key, thumbnail)
    hides_nothing = facts.upright and (keep_gps or not facts.has_gps)
    shows_as_is = hides_nothing and facts.format in SHOWN_BY_BROWSERS
    return Looked(item, key, Found(facts, original_key, shows_as_is))


@transaction.atomic
def store(job: ImportJob, looked: Sequence[Looked]) -> int:
    """Store a batch; returns how many items of the job are done. Raises jobs.CancelRequestedError or jobs.ClaimLost."""
    row = jobs.held(job)
    if row.cancel_requested:
        raise jobs.CancelRequestedError
    errors = _place_all(job, looked)
    items = [one.item for one in looked]
    import_items.finish(items)
    count(row, items, errors)
    jobs.beat(row, done=row.done, result=row.result, errors=row.errors, attempts=1)
    transaction.on_commit(lambda: _unstage(looked))
    return row.done


def land(job: ImportJob, files: Sequence[StagedFile]) -> tuple[list[WaitingItem], list[ItemError]]:
    """Words of images that are here: stored, with their items, without ever waiting. Returns these, and what failed.

    Call inside the transaction of the piece to which they belong.
    """
    items = import_items.of_files(files)
    errors = _place_all(job, [Looked(item, image_id=_image_id(item.staged_key)) for item in items])
    import_items.store_landed(job, files, items)
    return items, errors


def count(row: ImportJob, items: Sequence[WaitingItem], errors: Sequence[ItemError]) -> None:
    """Put into the job's row what became of items; whoever calls stores it."""
    for state, number in Counter(item.state for item in items).items():
        row.result[_COUNTED_AS[state]] += number
    row.done += len(items)
    row.errors = [*row.errors, *(error.as_json() for error in errors)][: jobs.MAX_ERRORS_KEPT]


def _place_all(job: ImportJob, looked: Sequence[Looked]) -> list[ItemError]:
    """Write what items say and bring; each learns what became of it. Returns what cannot land, or only in part."""
    # One import at a time writes into a project, so that twins and the holdout's size are seen.
    project = Project.objects.select_for_update(no_key=True).get(pk=job.project_id)
    digests = {one.found.facts.sha256 for one in looked if one.found}
    placed = Placed(project, job, digests, {one.image_id for one in looked if one.image_id})
    for one in looked:
        if (error := _place(placed, one)) is not None:
            one.item.refuse(error)
    placed.write()
    items = [one.item for one in looked]
    landed = [(item, item.image) for item in items if item.image]
    tagged = imported_tags.store(job, landed)
    suggested, untold = outside_suggestions.store(job, landed)
    _count_updated(items, tagged.changed_image_ids | suggested)
    queue.enter(image for image in placed.new if image.state == Image.State.PENDING)
    counters.add(project.pk, _deltas(placed, tagged.deltas))
    changed = [image.pk for image in (*placed.new, *placed.changed.values())]
    if changed:
        send_on_commit(images_changed, project_id=project.pk, image_ids=changed)
    refused = [item.error for item in items if item.error]
    return [*refused, *tagged.errors, *untold]


@transaction.atomic
def skip_deadly(job: ImportJob) -> None:
    """Refuse the item at which every worker died, so that the rest can land."""
    row = jobs.held(job)
    for item in import_items.waiting(job, 1):
        refusal = ItemError(
            elsewhere.label(item), "worker_died", "Reading it ended the worker each time. Convert the file."
        )
        item.refuse(refusal)
        import_items.finish([item])
        count(row, [item], [refusal])
        jobs.beat(row, done=row.done, result=row.result, errors=row.errors, attempts=1)


def _place(placed: Placed, looked: Looked) -> ItemError | None:
    """Decide what becomes of one item; returns why it is refused, if it is."""
    if looked.found is not None:
        placed.place_picture(looked.item, looked.found)
        return None
    return looked.error or placed.place_words(looked.item, looked.image_id)


def _count_updated(items: Sequence[WaitingItem], changed_image_ids: frozenset[int]) -> None:
    for item in items:
        is_duplicate = item.state == ImportItem.State.DUPLICATE
        if is_duplicate and item.image and item.image.pk in changed_image_ids:
            item.state = ImportItem.State.UPDATED.value


def _deltas(placed: Placed, tagged: Counter[str]) -> Counter[str]:
    deltas = Counter(tagged)
    deltas.update(placed.restored_deltas)
    for image in (*placed.new, *placed.restored):
        deltas["images"] += 1
        deltas["holdout"] += image.is_holdout
    # A new image that an import reviewed at once is counted as such there, so it starts as pending here.
    deltas["pending"] += len(placed.new)
    return deltas


def _refused(item: WaitingItem, code: str, message: str, *, bytes_key: str = "") -> Looked:
    return Looked(item, bytes_key, error=ItemError(elsewhere.label(item), code, message))


def _unstage(looked: Sequence[Looked]) -> None:
    for one in looked:
        storage.delete(one.bytes_key)
