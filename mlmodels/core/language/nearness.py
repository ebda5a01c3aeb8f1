"""How near captions come to tags: cosines between their vectors from a text encoder, without any review.

Which encoder makes the vectors is the caller's; what words a caption mentions is in `reader`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.types import TagTerm

Floats = NDArray[np.float32]

SENTENCE = "There is a {} in the picture."
"""A tag as a caption would say it. On 2,484 captions the best of ten by macro AP, and 0.01 above the bare word."""

BACKGROUND = (
    *("person", "animal", "plant", "building", "vehicle", "food", "water", "sky", "road", "tree", "table"),
    *("clothes", "tool", "toy", "ball", "game", "house", "room", "street", "machine"),
)
"""What any caption is a little near to: their mean is taken from every tag. Worth 0.01 macro AP."""

NEUTRAL = 0.06
"""The cosine that speaks neither for nor against a tag; a caption that is not near at all counts as 0."""


@dataclass(frozen=True, eq=False)
class TagVectors:
    """Unit vectors of every word of K tags: float32 [M, T], those of tag k from `starts[k]` on."""

    vectors: Floats
    starts: NDArray[np.intp]  # [K]

    def meaning(self, captions: Floats) -> Floats:
        """How near captions come to tags, float32 [N, K]: the cosine of the nearest word of each tag above NEUTRAL.

        Args:
            captions: float32 [N, T], unit length; a row of zeros has no caption, and 0 for every tag.

        >>> tags = TagVectors(np.eye(2, dtype=np.float32), np.array([0, 1]))
        >>> tags.meaning(np.array([[1, 0], [0, 0]], dtype=np.float32)).astype(float).round(2).tolist()
        [[0.94, -0.06], [0.0, 0.0]]
        """
        if not len(self.starts):
            return np.zeros((len(captions), 0), dtype=np.float32)
        cosines = np.maximum.reduceat(captions @ self.vectors.T, self.starts, axis=1)
        meaning = np.maximum(cosines, 0) - np.float32(NEUTRAL)
        meaning[~captions.any(axis=1)] = 0
        return np.asarray(meaning, dtype=np.float32)


def tag_vectors(tags: Sequence[TagTerm], encode: Callable[[Sequence[str]], Floats]) -> TagVectors:
    """Read the names and aliases of K tags.

    Args:
        tags: of a vocabulary; a tag's vectors do not depend on the others.
        encode: unit vectors float32 [N, T] of N sentences.
    """
    words = [(tag.name, *tag.aliases) for tag in tags]
    sentences = [SENTENCE.format(word) for tag in words for word in tag]
    encoded = encode([*map(SENTENCE.format, BACKGROUND), *sentences])
    vectors = encoded[len(BACKGROUND) :] - encoded[: len(BACKGROUND)].mean(axis=0)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    starts = np.cumsum([0, *(len(tag) for tag in words)])[:-1]
    return TagVectors(np.asarray(vectors, dtype=np.float32), np.asarray(starts, dtype=np.intp))
