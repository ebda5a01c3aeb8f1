"""Words as vectors from the shipped file, and by them how near captions come to tags: no encoder, no review.

`build_word_vectors` wrote the file from single words alone. A caption is the sum of its content words; that a
sentence may say more than its words do is left to a text encoder (`encoder`, `nearness`).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.language import pack, parts, wordnet
from mlmodels.core.language.nearness import BACKGROUND
from mlmodels.core.types import TagTerm

Floats = NDArray[np.float32]

WORDS_PATH = pack.PACK_PATH.with_name("word_vectors.gz")

GAIN, NEUTRAL = 0.36, 0.12
"""Nearness as the shipped coefficients expect it: spread as that of a text encoder, 0 where it says nothing."""

CAPTIONS_AT_ONCE = 2000
"""Bounds memory: each of their words is compared with each tag."""

WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, eq=False)
class WordVectors:
    """V words by lemma; `key` names the file, so that heads know which vectors they were trained with.

    `place` is the row of each word that means something by itself.
    """

    key: str
    place: Mapping[str, int]
    steps: NDArray[np.int8]  # [V, T]
    scale: Floats  # [V]

    @property
    def dimensions(self) -> int:
        """Length T of the vectors."""
        return self.steps.shape[1]

    def rows(self, words: Sequence[str]) -> list[int]:
        """Rows of the words that are known, each once."""
        return [self.place[word] for word in dict.fromkeys(words) if word in self.place]

    def of(self, rows: Sequence[int] | NDArray[np.intp]) -> Floats:
        """The vectors at `rows`, float32 [N, T]; longer for words that say more."""
        return np.asarray(self.steps[rows] * self.scale[rows, None], dtype=np.float32)

    def phrase(self, text: str) -> Floats:
        """The mean of a phrase's words, float32 [T]; zeros where none is known.

        >>> words = load()
        >>> dogs, puppy, tax = words.phrase("dogs"), words.phrase("a puppy"), words.phrase("tax")
        >>> bool(dogs @ puppy > 4 * abs(dogs @ tax))
        True
        """
        rows = self.rows([self._lemma(word) for word in WORD.findall(text.lower())])
        return self.of(rows).mean(axis=0) if rows else np.zeros(self.dimensions, dtype=np.float32)

    def _lemma(self, word: str) -> str:
        """The word if it is known, else its first known base form."""
        bases = (wordnet.morphy(word, pos) for pos in "nva") if word not in self.place else ()
        return next((base for base in bases if base and base in self.place), word)


@dataclass(frozen=True, eq=False)
class TagWords:
    """Names and aliases of K tags as unit vectors, float32 [M, T]; those of tag k stand from `starts[k]` on.

    Attributes:
        plain: to compare with single words.
        apart: less what any caption is a little near to, to compare with whole captions.
        known: bool [K], whether any of its words has a vector.
    """

    words: WordVectors
    plain: Floats
    apart: Floats
    starts: NDArray[np.intp]
    known: NDArray[np.bool_]

    def read(self, terms: Sequence[Sequence[str]], denied: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Unit vectors of N captions, float32 [N, T], and how near they come to the tags, float32 [N, K].

        Nearness is the cosine of the nearest word and that of the whole caption, together: 0 for a caption without a
        known word and for a tag without one.

        Args:
            terms: content lemmas of each caption.
            denied: bool [N, K], where the caption says that there is none: as if it were not near at all.
        """
        vectors = np.zeros((len(terms), self.words.dimensions), dtype=np.float32)
        meaning = np.zeros((len(terms), len(self.starts)), dtype=np.float32)
        for some, rows, lengths in self._parts(terms):
            words, places = np.unique(rows, return_inverse=True)
            found = self.words.of(words)
            vectors[some] = _unit(_folded(np.add, found, places, lengths))
            single = _folded(np.maximum, self._nearest(_unit(found), self.plain), places, lengths)
            meaning[some] = GAIN * (single + self._nearest(vectors[some], self.apart)) - NEUTRAL
        meaning[denied] = -NEUTRAL
        meaning[~vectors.any(axis=1)] = 0
        meaning[:, ~self.known] = 0
        return vectors, meaning

    def _nearest(self, vectors: Floats, tags: Floats) -> Floats:
        """Cosines [N, K] to the nearest word of each tag."""
        cosines = np.asarray(vectors @ tags.T, dtype=np.float32)
        if len(tags) == len(self.starts):  # one word each
            return cosines
        return np.asarray(np.maximum.reduceat(cosines, self.starts, axis=1), dtype=np.float32)

    def _parts(
        self, terms: Sequence[Sequence[str]]
    ) -> Iterator[tuple[NDArray[np.intp], list[int], NDArray[np.intp]]]:
        """Captions with a known word, longest first: their places, all their words in turn, and how many each has."""
        for start in range(0, len(terms), CAPTIONS_AT_ONCE):
            rows = [self.words.rows(words) for words in terms[start : start + CAPTIONS_AT_ONCE]]
            lengths = np.array([len(some) for some in rows], dtype=np.intp)
            order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(lengths)]
            if len(order):
                yield start + order, list(chain.from_iterable(rows[n] for n in order)), lengths[order]


def _folded(join: np.ufunc, values: Floats, places: NDArray[np.intp], lengths: NDArray[np.intp]) -> Floats:
    """What `join` makes of the values [W, K] at all places of each caption, float32 [N, K].

    `lengths` [N] fall; word by word over all captions, which is several times faster than NumPy's `reduceat`.
    """
    firsts = np.cumsum(lengths) - lengths
    result = values[places[firsts]]
    for word in range(1, int(lengths[0])):
        longer = int(np.searchsorted(-lengths, -word))
        join(result[:longer], values[places[firsts[:longer] + word]], out=result[:longer])
    return result


@cache
def load() -> WordVectors:
    """The shipped vectors; read once.

    Raises:
        LanguageDataError: the file is missing or cut.
    """
    return read(WORDS_PATH)


def read(path: Path) -> WordVectors:
    """The vectors of a file of `build_word_vectors`; raises LanguageDataError."""
    arrays = pack.read_arrays(path)
    words = arrays["words"].tobytes().decode().split("\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return WordVectors(
        key=f"words-{digest[:16]}",
        place={
            word: row
            for row, word in enumerate(words)
            if word not in parts.CLOSED and word not in parts.NUMBERS
        },
        steps=arrays["vectors"].reshape(len(words), -1),
        scale=arrays["scale"].astype(np.float32),
    )


def tag_words(tags: Sequence[TagTerm], words: WordVectors) -> TagWords:
    """Look up the names and aliases of K tags; those of one tag do not depend on the others.

    >>> tags = tag_words([TagTerm(1, "dog"), TagTerm(2, "boat")], load())
    >>> _, meaning = tags.read([("puppy", "run"), ()], np.zeros((2, 2), dtype=bool))
    >>> bool(meaning[0, 0] > 0.1 > meaning[0, 1]), meaning[1].tolist()
    (True, [0.0, 0.0])
    """
    named = [(tag.name, *tag.aliases) for tag in tags]
    found = np.array([words.phrase(name) for names in named for name in names], dtype=np.float32)
    found = found.reshape(-1, words.dimensions)
    plain = _unit(found)
    background = np.mean([words.phrase(word) for word in BACKGROUND], axis=0)
    has_vector = np.asarray(found.any(axis=1))
    starts = np.cumsum([0, *map(len, named)], dtype=np.intp)[:-1]
    return TagWords(
        words=words,
        plain=plain,
        apart=_unit(np.where(has_vector[:, None], plain - background, 0)),
        starts=starts,
        known=np.logical_or.reduceat(has_vector, starts) if len(starts) else np.zeros(0, dtype=bool),
    )


def _unit(vectors: NDArray[np.floating]) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)
