"""Caption lemmas as numbers: TF-IDF over the words of the training captions. Lemmas come from the reader."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

MOST_TERMS = 1500
"""Rarer words than the first 1,500 are seen too seldom to teach anything, and cost time in every fit."""


@dataclass(frozen=True)
class TermWeights:
    """The words that a head knows, with their inverse document frequency, float32 [V]."""

    words: tuple[str, ...]
    inverse_frequency: NDArray[np.float32]

    def encode(self, captions: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """TF-IDF rows of unit length, float32 [N, V]; zeros where no word is known.

        A word counts once a caption: captions are short, and repeats carry no weight of their own.

        >>> count_terms([("dog", "ball"), ("dog",)]).encode([("dog", "dog"), ("cat",)]).tolist()
        [[0.0, 1.0], [0.0, 0.0]]
        """
        place = {word: column for column, word in enumerate(self.words)}
        found = [dict.fromkeys([place[word] for word in caption if word in place]) for caption in captions]
        rows = np.repeat(np.arange(len(found)), [len(columns) for columns in found])
        columns = np.fromiter(chain.from_iterable(found), dtype=np.intp, count=len(rows))
        weights = self.inverse_frequency[columns]
        lengths = np.sqrt(np.bincount(rows, weights * weights, minlength=len(found)))
        result = np.zeros((len(captions), len(self.words)), dtype=np.float32)
        result[rows, columns] = weights / lengths[rows]
        return result


def count_terms(captions: Sequence[Sequence[str]], most: int = MOST_TERMS) -> TermWeights:
    """Choose the words of a head: the most frequent, ties by alphabet; smoothed IDF as scikit-learn's.

    Args:
        captions: content lemmas of each training caption.
        most: words to keep.

    >>> count_terms([("dog", "ball"), ("dog",)]).words
    ('ball', 'dog')
    """
    frequency = Counter(word for caption in captions for word in set(caption))
    kept = sorted(sorted(frequency, key=lambda word: (-frequency[word], word))[:most])
    counts = np.array([frequency[word] for word in kept], dtype=np.float64)
    inverse = np.log((1 + len(captions)) / (1 + counts)) + 1
    return TermWeights(tuple(kept), inverse.astype(np.float32))
