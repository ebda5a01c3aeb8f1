"""What a run learns from and is judged by: people's answers as arrays, read in one snapshot of the database.

The training side comes from `truth.training_truth` alone, or from a snapshot alone; holdout images and their
near-duplicates stay out.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from annotations.errors import NotFound
from annotations.selectors import model_inputs, stats, truth
from annotations.services.snapshot_truth import SnapshotTruth
from annotations.types import ImageTruth, SnapshotRef, TrainableCounts
from mlmodels.errors import NotTrainable
from mlmodels.models import Extractor
from mlmodels.services import caption_features, caption_words, inputs, languages
from mlmodels.services.inputs import Batch
from mlmodels.services.languages import Language

SAME_PICTURE_BITS = 6
SAME_PICTURE_COSINE = 0.97
# Images against the whole holdout: more at once would take gigabytes in a large project.
COMPARED_AT_ONCE = 2_000
# Truths of so many images are sets at a time; then they are a byte a tag.
TRUTHS_AT_ONCE = 2_000
LEAST_WEIGHT, MOST_WEIGHT = 0.1, 10.0
# Captions of so many images that nobody has reviewed teach the pixels; more cost time and gave nothing.
MOST_UNREVIEWED = 1_500


@dataclass(frozen=True, eq=False)
class Answered:
    """N images with what people said of K tags: truth int8 [N, K] (1 yes, 0 no, -1 unknown), weights [N]."""

    batch: Batch
    truth: NDArray[np.int8]
    weights: NDArray[np.float32]
    hashes: NDArray[np.uint64]  # [N]

    def __len__(self) -> int:
        return len(self.batch.image_ids)


@dataclass(frozen=True, eq=False)
class HoldoutPictures:
    """Every holdout image of the project, reviewed or not: hashes [H] and features [H, D]."""

    hashes: NDArray[np.uint64]
    vision: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Evidence:
    """One reading of the database. `fingerprint` changes with anything that a fit could notice.

    `snapshot` says what the training side comes from and what of it was left out; it is empty for present answers.
    """

    language: Language
    vocabulary_version: int
    extractor: Extractor
    counts: TrainableCounts
    training: Answered
    unreviewed: Batch
    holdout: Answered
    near_holdout: int
    fingerprint: str
    snapshot: Mapping[str, Any] = field(default_factory=dict)


def read(project_id: int, extractor: Extractor, snapshot: SnapshotRef | None = None) -> Evidence:
    """Read everything in one REPEATABLE READ transaction: the cursor counts exactly what is learned from.

    Raises:
        NotTrainable: the project is in the trash, or the snapshot was removed.
    """
    with transaction.atomic(durable=True):
        _repeatable_read()
        counts = stats.trainable(project_id)
        project = model_inputs.project(project_id)
        if project is None:
            raise NotTrainable("The project is in the trash.")
        language = languages.of_project(project_id)
        holdout_images = model_inputs.holdout(project_id)
        frozen = None if snapshot is None else _opened(project_id, snapshot)
        training = _answered(
            project_id,
            truth.training_truth(project) if frozen is None else frozen.training_truth(),
            lambda one: _clipped(_inverse(one.draw_rate)),
            extractor,
            language,
        )
        drawn = {image.image_id: image.holdout_probability for image in holdout_images}
        holdout = _answered(
            project_id,
            truth.holdout_truth(project),
            lambda one: _inverse(drawn.get(one.image_id)),
            extractor,
            language,
        )
        vision = inputs.stored_vision([image.image_id for image in holdout_images], extractor)
        if frozen is None:
            waiting = model_inputs.captioned_unreviewed(project_id, MOST_UNREVIEWED)
        else:
            waiting = model_inputs.captioned_among(project_id, frozen.unreviewed, MOST_UNREVIEWED)
            counts = frozen.counts
        unreviewed = inputs.build(waiting, extractor, language)
    pictures = HoldoutPictures(hashes=_hashes([image.phash for image in holdout_images]), vision=vision)
    near = near_holdout(training.hashes, training.batch.inputs.vision, pictures)
    training = _only(training, ~near)
    far = ~near_holdout(_hashes([image.phash for image in waiting]), unreviewed.inputs.vision, pictures)
    unreviewed = _rows(unreviewed, far)
    return Evidence(
        language=language,
        vocabulary_version=project.vocabulary_version,
        extractor=extractor,
        counts=counts,
        training=training,
        unreviewed=unreviewed,
        holdout=holdout,
        near_holdout=int(near.sum()),
        fingerprint=fingerprint(extractor, language, training, unreviewed),
        snapshot={} if frozen is None else frozen.lineage,
    )


def warm_up(project_id: int) -> None:
    """Read now, into this process, the captions that the next run will want: nobody has to wait for it then."""
    import mlmodels.core.learning.fitting  # noqa: F401

    waiting = model_inputs.captioned_unreviewed(project_id, MOST_UNREVIEWED)
    language = languages.of_project(project_id)
    language.read([image.caption for image in waiting])
    caption_features.warm_up(language.terms)
    caption_words.warm_up(language)


def near_holdout(
    hashes: NDArray[np.uint64], vision: NDArray[np.float32], holdout: HoldoutPictures
) -> NDArray[np.bool_]:
    """Which of N images show what a holdout image shows, by perceptual hash or cosine; bool [N]."""
    near = np.zeros(len(hashes), dtype=bool)
    for start in range(0, len(hashes), COMPARED_AT_ONCE):
        rows = slice(start, start + COMPARED_AT_ONCE)
        bits = np.bitwise_count(hashes[rows, None] ^ holdout.hashes[None, :])  # [rows, H]
        cosine = vision[rows] @ holdout.vision.T  # [rows, H]; zero where there is no feature
        near[rows] = ((bits <= SAME_PICTURE_BITS) | (cosine > SAME_PICTURE_COSINE)).any(axis=1)
    return near


def fingerprint(extractor: Extractor, language: Language, training: Answered, unreviewed: Batch) -> str:
    """A digest of all that a fit reads; equal digests, equal fits."""
    digest = hashlib.sha256(extractor.key.encode())
    digest.update(repr(language.terms).encode())
    for batch in (training.batch, unreviewed):
        digest.update(np.asarray(batch.image_ids, dtype=np.int64).tobytes())
        digest.update(repr([reading.terms for reading in batch.readings]).encode())
        digest.update(np.ascontiguousarray(batch.inputs.has_vision).tobytes())
        if batch.inputs.text is not None:
            digest.update(batch.inputs.text.encoder.encode())
            digest.update(np.ascontiguousarray(batch.inputs.text.vector).tobytes())
    for array in (training.truth, training.weights):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def truth_array(truths: Sequence[ImageTruth], tag_ids: Sequence[int]) -> NDArray[np.int8]:
    """Verdicts as int8 [N, K]: 1 yes, 0 no (explicit or implied), -1 disputed or not asked."""
    column = {tag_id: k for k, tag_id in enumerate(tag_ids)}
    array = np.full((len(truths), len(column)), -1, dtype=np.int8)
    for n, one in enumerate(truths):
        for verdict, tags in ((0, one.implied_no), (0, one.no), (1, one.yes)):
            columns = [column[tag_id] for tag_id in tags if tag_id in column]
            array[n, columns] = verdict
    return array


def _answered(
    project_id: int,
    truths: Iterable[ImageTruth],
    weight: Callable[[ImageTruth], float],
    extractor: Extractor,
    language: Language,
) -> Answered:
    ids: list[int] = []
    weights: list[float] = []
    arrays = [np.empty((0, len(language.tag_ids)), dtype=np.int8)]
    for some in _batched(truths):
        ids += [one.image_id for one in some]
        weights += [weight(one) for one in some]
        arrays.append(truth_array(some, language.tag_ids))
    array = np.concatenate(arrays)
    known = np.asarray((array >= 0).any(axis=1))
    row = {image_id: n for n, image_id in enumerate(ids) if known[n]}
    images = model_inputs.images(project_id, list(row))
    rows = [row[image.image_id] for image in images]
    return Answered(
        batch=inputs.build(images, extractor, language),
        truth=array[rows],
        weights=np.array([weights[n] for n in rows], dtype=np.float32),
        hashes=_hashes([image.phash for image in images]),
    )


def _opened(project_id: int, snapshot: SnapshotRef) -> SnapshotTruth:
    try:
        return SnapshotTruth(project_id, snapshot)
    except NotFound as error:
        raise NotTrainable(error.message) from error


def _batched(truths: Iterable[ImageTruth]) -> Iterator[list[ImageTruth]]:
    rest = iter(truths)
    while some := list(islice(rest, TRUTHS_AT_ONCE)):
        yield some


def _only(answered: Answered, keep: NDArray[np.bool_]) -> Answered:
    if keep.all():
        return answered
    return Answered(
        batch=_rows(answered.batch, keep),
        truth=answered.truth[keep],
        weights=answered.weights[keep],
        hashes=answered.hashes[keep],
    )


def _rows(batch: Batch, keep: NDArray[np.bool_]) -> Batch:
    rows = np.flatnonzero(keep)
    return Batch(
        image_ids=tuple(batch.image_ids[row] for row in rows),
        inputs=batch.inputs.rows(rows),
        readings=tuple(batch.readings[row] for row in rows),
    )


def _inverse(probability: float | None) -> float:
    """Of the draw; 1 where chance had no part in it."""
    return 1.0 / probability if probability else 1.0


def _clipped(weight: float) -> float:
    """For training: one rare draw must not outweigh everything else, nor many count nothing."""
    return min(max(weight, LEAST_WEIGHT), MOST_WEIGHT)


def _hashes(signed: Sequence[int]) -> NDArray[np.uint64]:
    return np.asarray(signed, dtype=np.int64).view(np.uint64)


def _repeatable_read() -> None:
    """Must be the first statement of the outermost transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
