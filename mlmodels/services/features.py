"""Features of a project's images: computed once, in batches, resumable. Suggestions follow in `scoring`.

Threads decode ahead while the engine works on what they decoded before; what it gives is stored by COPY.
"""

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from annotations.pictures import PictureError, open_upright
from annotations.selectors import model_inputs
from annotations.selectors.model_inputs import ImageInput
from annotations.services import storage
from mlmodels import selectors
from mlmodels.models import Extractor
from mlmodels.services import extractors, feature_rows, inputs
from mlmodels.services.extractors import Loaded
from mlmodels.services.feature_rows import FeatureRow

if TYPE_CHECKING:
    from mlmodels.core.vision.extractor import Extractor as VisionExtractor

logger = logging.getLogger(__name__)

# A slice is one task: so short that other work of the queue, such as a prediction, comes in between.
SLICE_IMAGES = 256
SLICE_S = 2.0
BATCH_IMAGES = 8
DECODING_THREADS = 2
# Batches that are decoded ahead of the one in the engine.
BATCHES_AHEAD = 2


@dataclass(frozen=True)
class Slice:
    """What one call did: `computed` by id, and the id to go on after; None when nothing is left.

    `changes_over` says that suggestions read other features from now on.
    """

    computed: tuple[int, ...] = ()
    resume_after: int | None = None
    changes_over: bool = False


Pixels = NDArray[np.float32]
_Loading = list[tuple[ImageInput, "Future[Pixels | str | None]"]]


def compute_slice(project_id: int, *, after_id: int = 0) -> Slice:
    """Compute the features that suggestions wait for. Called twice at once, one caller does the work."""
    loaded = extractors.read_now(project_id)
    return Slice() if loaded is None else _slice(project_id, loaded, after_id)


def compute_next_slice(project_id: int, *, after_id: int = 0) -> Slice:
    """The same for an extractor that the settings ask for, while suggestions still read another one."""
    loaded = extractors.asked(project_id)
    read = selectors.read_extractor(project_id)
    if loaded is None or read is None:
        return Slice()
    if read.pk == loaded.row.pk:  # it serves already
        if not selectors.wants_features(project_id, read):
            extractors.complete(project_id, read)
        return Slice()
    return _slice(project_id, loaded, after_id)


def compute_these(project_id: int, loaded: Loaded, image_ids: Sequence[int]) -> Iterator[int]:
    """Compute the features of these images alone, for an extractor that is still on trial; yields how many are done."""
    seen = selectors.looked_at(loaded.row.pk, image_ids)
    missing = sorted(set(image_ids) - seen)
    done = len(image_ids) - len(missing)
    while missing:
        some = model_inputs.images(project_id, missing[:SLICE_IMAGES])
        if not some:  # all of them were deleted meanwhile
            missing = missing[SLICE_IMAGES:]
            continue
        _, last_id = _compute(project_id, loaded, some)
        rest = [image_id for image_id in missing if last_id is not None and image_id > last_id]
        done += len(missing) - len(rest)
        missing = rest
        yield done


def _slice(project_id: int, loaded: Loaded, after_id: int) -> Slice:
    with _held(project_id, loaded.row) as is_ours:
        if not is_ours:  # another worker holds this project: it goes on to the end
            return Slice()
        missing = selectors.without_feature(project_id, loaded.row.pk, after_id=after_id, limit=SLICE_IMAGES)
        computed, last_id = _compute(project_id, loaded, model_inputs.images(project_id, missing))
    if missing and last_id != missing[-1]:
        return Slice(computed, last_id)
    if len(missing) == SLICE_IMAGES:
        return Slice(computed, missing[-1])
    if selectors.wants_features(project_id, loaded.row):
        return Slice(computed)
    return Slice(computed, changes_over=extractors.complete(project_id, loaded.row))


def _compute(
    project_id: int, loaded: Loaded, images: Sequence[ImageInput]
) -> tuple[tuple[int, ...], int | None]:
    """Work through the images for as long as a slice may take; answers what was stored and the last id seen."""
    computed: list[int] = []
    last_id = images[-1].image_id if images else None
    with ThreadPoolExecutor(DECODING_THREADS) as pool:
        for batch in _batches(images, loaded.network, pool):
            computed += _store(project_id, loaded, [(image, future.result()) for image, future in batch])
            last_id = batch[-1][0].image_id
    return tuple(computed), last_id


def _batches(
    images: Sequence[ImageInput], network: "VisionExtractor", pool: ThreadPoolExecutor
) -> Iterator[_Loading]:
    """Batches that decode in threads while the caller uses the one before. Once time is up none is added."""
    until = time.monotonic() + SLICE_S
    waiting: deque[_Loading] = deque()
    for start in range(0, len(images), BATCH_IMAGES):
        if start and time.monotonic() > until:
            break
        batch = images[start : start + BATCH_IMAGES]
        waiting.append([(image, pool.submit(prepare, image, network)) for image in batch])
        if len(waiting) > BATCHES_AHEAD:
            yield waiting.popleft()
    yield from waiting


def prepare(image: ImageInput, network: "VisionExtractor") -> Pixels | str | None:
    """The picture as pixels, or why it cannot be had; None where the storage failed and may come back."""
    try:
        return network.prepare(open_upright(storage.read(image.storage_key), at_least_px=network.side_px))
    except FileNotFoundError:
        return "The stored file is missing."
    except PictureError as error:
        return str(error)
    except OSError:
        logger.exception("image %s: the storage did not answer; it is tried again", image.image_id)
        return None


def _store(
    project_id: int, loaded: Loaded, batch: Sequence[tuple[ImageInput, Pixels | str | None]]
) -> list[int]:
    """Embed what was decoded and store it beside what was refused; answers the ids that have a row now."""
    rows = [FeatureRow(image.image_id, error=got) for image, got in batch if isinstance(got, str)]
    good = [(image.image_id, got) for image, got in batch if isinstance(got, np.ndarray)]
    if good:
        output = loaded.network.embed_pixels(np.stack([pixels for _, pixels in good]))
        classes = inputs.imagenet_or_zeros(output.class_probabilities)
        rows += [
            feature_rows.checked(image_id, output.features[n], classes[n], extractor_key=loaded.row.key)
            for n, (image_id, _) in enumerate(good)
        ]
    for row in rows:
        if row.error:
            logger.warning("image %s has no feature: %s", row.image_id, row.error)
    # An image that was deleted meanwhile would break the whole batch by its foreign key.
    present = {image.image_id for image in model_inputs.images(project_id, [row.image_id for row in rows])}
    kept = sorted((row for row in rows if row.image_id in present), key=lambda row: row.image_id)
    feature_rows.store(project_id, loaded.row.pk, kept)
    return [row.image_id for row in kept]


@contextmanager
def _held(project_id: int, row: Extractor) -> Iterator[bool]:
    """Try the lock that makes one worker at a time compute a project; it ends with the connection at the latest."""
    key = f"features:{project_id}:{row.pk}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])
