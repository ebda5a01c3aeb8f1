"""Planted training sets: each tag has a direction among the pixels and a word of its own in the captions."""

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.learning.dataset import HeadInputs, TrainingSet

DIMENSIONS = 24


def planted(images: int, tags: int = 4, *, seed: int = 0, mentioned: float = 0.7) -> TrainingSet:
    """`images` rows, of which captions mention a true tag with probability `mentioned`, a false one with 0.05."""
    rng = np.random.default_rng([seed, images])
    directions = np.random.default_rng(99).standard_normal((tags, DIMENSIONS))
    truth = (rng.random((images, tags)) < 0.25).astype(np.int8)
    vision = truth @ directions + 1.5 * rng.standard_normal((images, DIMENSIONS))
    vision /= np.linalg.norm(vision, axis=1, keepdims=True)
    caption = rng.random((images, tags)) < np.where(truth == 1, mentioned, 0.05)
    seen = rng.random((images, tags)) < np.where(truth == 1, 0.6, 0.3)
    inputs = HeadInputs(
        vision=vision.astype(np.float32),
        has_vision=np.ones(images, dtype=bool),
        class_prior=(0.3 * seen * rng.random((images, tags))).astype(np.float32),
        caption_prior=(0.85 * caption).astype(np.float32),
        terms=tuple(tuple(f"word{tag}" for tag in np.flatnonzero(row)) for row in caption),
        has_caption=np.ones(images, dtype=bool),
    )
    return with_truth(inputs, truth)


def with_truth(inputs: HeadInputs, truth: NDArray[np.int8]) -> TrainingSet:
    images, tags = truth.shape
    return TrainingSet(
        inputs=inputs,
        truth=truth.astype(np.int8),
        weights=np.ones(images, dtype=np.float32),
        tag_ids=tuple(range(10, 10 + tags)),
        image_ids=tuple(range(1000, 1000 + images)),
    )


def rows_of(training: TrainingSet, rows: NDArray[np.intp]) -> TrainingSet:
    return TrainingSet(
        inputs=training.inputs.rows(rows),
        truth=training.truth[rows],
        weights=training.weights[rows],
        tag_ids=training.tag_ids,
        image_ids=tuple(training.image_ids[row] for row in rows),
    )
