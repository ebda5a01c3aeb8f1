"""The active order of the queue: which images teach most, with the reason that people read."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from annotations.types import QueueRank

_GOLDEN = 0.6180339887498949


def at_random(image_ids: Sequence[int]) -> list[QueueRank]:
    """A stable order that has nothing to do with the order of import: before scores mean anything."""
    return [QueueRank(image_id, (image_id * _GOLDEN) % 1.0, "random") for image_id in image_ids]


def by_uncertainty(
    image_ids: Sequence[int], probability: NDArray[np.floating], names: Sequence[str]
) -> list[QueueRank]:
    """First the images on which the most corrections are expected: the sum over tags of min(p, 1 - p)."""
    doubt = np.minimum(probability, 1.0 - probability)  # [N, K]
    expected = doubt.sum(axis=1)
    most = doubt.argmax(axis=1)
    scores = probability[np.arange(len(most)), most]
    return [
        QueueRank(image_id, -corrections, f"uncertain: {names[k]} {score:.2f}")
        for image_id, corrections, k, score in zip(
            image_ids, expected.tolist(), most.tolist(), scores.tolist(), strict=True
        )
    ]
