"""Features of a project's images: computed once, in batches, resumable. Suggestions follow in `scoring`."""

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection, transaction
from PIL import Image

from annotations.pictures import PictureError, open_upright
from annotations.selectors import model_inputs
from annotations.selectors.model_inputs import ImageInput
from annotations.services import storage
from mlmodels import selectors
from mlmodels.models import Extractor, ImageFeature
from mlmodels.services import extractors, inputs

if TYPE_CHECKING:
    from mlmodels.core.vision.extractor import Extractor as VisionExtractor

logger = logging.getLogger(__name__)

# A slice is one task: so short that other work of the queue, such as a prediction, comes in between.
SLICE_IMAGES = 256
SLICE_S = 2.0
BATCH_IMAGES = 32
DECODING_THREADS = 2


@dataclass(frozen=True)
class Slice:
    """What one call did: `computed` by id, and the id to go on after; None when nothing is left."""

    computed: tuple[int, ...]
    resume_after: int | None


def compute_slice(project_id: int, *, after_id: int = 0) -> Slice:
    """Compute features of the next images that have none. Called twice at once, one caller does the work."""
    project = model_inputs.project(project_id)
    if project is None:
        return Slice((), None)
    extractor = extractors.load(project.extractor)
    row = extractors.loaded_row(project.extractor)
    missing = selectors.without_feature(project_id, row.pk, after_id=after_id, limit=SLICE_IMAGES)
    computed: list[int] = []
    started = time.monotonic()
    images = model_inputs.images(project_id, missing)
    with ThreadPoolExecutor(DECODING_THREADS) as pool:
        for batch in _decoded(images, extractor.side_px, pool):
            stored = _store_batch(project_id, extractor, row, batch)
            if stored is None:  # another worker holds this project: it goes on to the end
                return Slice(tuple(computed), None)
            computed += stored
            if time.monotonic() - started > SLICE_S:
                return Slice(tuple(computed), batch[-1][0].image_id)
    return Slice(tuple(computed), missing[-1] if len(missing) == SLICE_IMAGES else None)


def open_image(image: ImageInput, at_least_px: int) -> Image.Image | str | None:
    """The upright picture, or why it cannot be had; None where the storage failed and may come back."""
    try:
        return open_upright(storage.read(image.storage_key), at_least_px=at_least_px)
    except FileNotFoundError:
        return "The stored file is missing."
    except PictureError as error:
        return str(error)
    except OSError:
        logger.exception("image %s: the storage did not answer; it is tried again", image.image_id)
        return None


_Loaded = list[tuple[ImageInput, Image.Image | str | None]]


def _decoded(images: Sequence[ImageInput], at_least_px: int, pool: ThreadPoolExecutor) -> Iterator[_Loaded]:
    """Batches of decoded pictures; the next one decodes in threads while the caller uses this one."""
    waiting: list[tuple[list[ImageInput], list[Future[Image.Image | str | None]]]] = []
    for start in range(0, len(images), BATCH_IMAGES):
        batch = list(images[start : start + BATCH_IMAGES])
        waiting.append((batch, [pool.submit(open_image, image, at_least_px) for image in batch]))
        if len(waiting) > 1:
            yield _collect(*waiting.pop(0))
    for batch, futures in waiting:
        yield _collect(batch, futures)


def _collect(batch: list[ImageInput], futures: list[Future[Image.Image | str | None]]) -> _Loaded:
    return [(image, future.result()) for image, future in zip(batch, futures, strict=True)]


@transaction.atomic
def _store_batch(
    project_id: int, extractor: "VisionExtractor", row: Extractor, batch: _Loaded
) -> list[int] | None:
    """Embed and insert what is still missing, holding the project's lock; None if another worker holds it."""
    if not _lock(project_id, row.pk):
        return None
    done = selectors.looked_at(row.pk, [image.image_id for image, _ in batch])
    wanted = [(image, picture) for image, picture in batch if image.image_id not in done]
    good = [(image, picture) for image, picture in wanted if isinstance(picture, Image.Image)]
    features = [
        ImageFeature(project_id=project_id, image_id=image.image_id, extractor=row, error=picture[:500])
        for image, picture in wanted
        if isinstance(picture, str)
    ]
    for feature in features:
        logger.warning("image %s has no feature: %s", feature.image_id, feature.error)
    if good:
        output = extractor.embed([picture for _, picture in good])
        classes = inputs.imagenet_or_zeros(output.class_probabilities)
        features += [
            ImageFeature(
                project_id=project_id,
                image_id=image.image_id,
                extractor=row,
                vector=output.features[index],
                class_probabilities=classes[index],
            )
            for index, (image, _) in enumerate(good)
        ]
    # An image that was deleted meanwhile would break the whole batch by its foreign key.
    present = {image.image_id for image in model_inputs.images(project_id, [f.image_id for f in features])}
    kept = [feature for feature in features if feature.image_id in present]
    ImageFeature.objects.bulk_create(kept, ignore_conflicts=True)
    return [feature.image_id for feature in kept]


def _lock(project_id: int, extractor_id: int) -> bool:
    """Try the lock that makes one worker at a time compute a project; it ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"features:{project_id}:{extractor_id}"],
        )
        return bool(cursor.fetchone()[0])
