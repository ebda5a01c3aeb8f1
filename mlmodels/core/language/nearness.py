"""How near captions come to tags by the vectors of a text encoder, without any review, and which word says so.

Which encoder makes the vectors is the caller's; what words a caption mentions is in `reader`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.language import parts
from mlmodels.core.types import CaptionMatch, CaptionReading, Evidence, TagTerm

Floats = NDArray[np.float32]

SENTENCE = "There is a {} in the picture."
"""A tag as a caption would say it. On 2,484 captions the best of ten by macro AP, and 0.01 above the bare word."""

PHRASE_WORDS = 4
"""A caption of so few words is a phrase, and read in the tags' sentence: alone it tells an encoder of sentences little.
Of 58 phrases 51 instead of 49 come nearest to their tag. Longer captions gain nothing by it."""

BACKGROUND = (
    *("person", "animal", "plant", "building", "vehicle", "food", "water", "sky", "road", "tree", "table"),
    *("clothes", "tool", "toy", "ball", "game", "house", "room", "street", "machine"),
)
"""What any caption is a little near to: their mean is taken from every tag. Worth 0.01 macro AP."""

NEUTRAL = 0.06
"""The cosine that speaks neither for nor against a tag; a caption that is not near at all counts as 0."""

NEAR_CAPTION, NEAR_WORD = 0.15, 0.3
"""From here on a word that no rule knows is evidence: true for 0.19 to 0.4 of such tags, by 2,084 captions."""

MOST_SCORE = 0.4
ARTICLE = re.compile(r"^(a|an|the)\s+", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]{3,}")
Encode = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True, eq=False)
class TagVectors:
    """Unit vectors of every word of K tags: float32 [M, T], those of tag k from `starts[k]` on."""

    vectors: Floats
    starts: NDArray[np.intp]  # [K]

    def meaning(self, captions: Floats, denied: NDArray[np.bool_] | None = None) -> Floats:
        """How near captions come to tags, float32 [N, K]: the cosine of the nearest word of each tag above NEUTRAL.

        Args:
            captions: float32 [N, T], unit length; a row of zeros has no caption, and 0 for every tag.
            denied: bool [N, K], where the caption says that there is none: as if it were not near at all.

        >>> tags = TagVectors(np.eye(2, dtype=np.float32), np.array([0, 1]))
        >>> tags.meaning(np.array([[1, 0], [0, 0]], dtype=np.float32)).astype(float).round(2).tolist()
        [[0.94, -0.06], [0.0, 0.0]]
        """
        if not len(self.starts):
            return np.zeros((len(captions), 0), dtype=np.float32)
        cosines = np.maximum.reduceat(captions @ self.vectors.T, self.starts, axis=1)
        meaning = np.maximum(cosines, 0) - np.float32(NEUTRAL)
        meaning[~captions.any(axis=1)] = 0
        if denied is not None:
            meaning[denied] = -NEUTRAL
        return np.asarray(meaning, dtype=np.float32)

    def to_tag(self, words: Floats, tag: int) -> Floats:
        """Cosines [N] of N words, float32 [N, T], to the nearest word of the tag in that column."""
        end = self.starts[tag + 1] if tag + 1 < len(self.starts) else len(self.vectors)
        return np.asarray((words @ self.vectors[self.starts[tag] : end].T).max(axis=1), dtype=np.float32)


def as_sentence(caption: str) -> str:
    """What an encoder reads of a caption: a short one stands in the sentence that tags stand in.

    >>> as_sentence("A sleepy puppy."), as_sentence("Two puppies sleep on a red rug")
    ('There is a sleepy puppy in the picture.', 'Two puppies sleep on a red rug')
    """
    phrase = ARTICLE.sub("", caption.strip().rstrip("."))
    if not phrase or len(phrase.split()) > PHRASE_WORDS:
        return caption
    return SENTENCE.format(phrase[:1].lower() + phrase[1:])


def caption_vectors(captions: Sequence[str], encode: Encode) -> Floats:
    """Vectors of N captions as they are compared with tags, float32 [N, T]; zeros for a blank one."""
    found = encode([as_sentence(caption) for caption in captions])
    found[[not caption.strip() for caption in captions]] = 0
    return found


def tag_vectors(tags: Sequence[TagTerm], encode: Encode) -> TagVectors:
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


def explain(
    reading: CaptionReading,
    caption: str,
    meaning: Floats,
    tag_ids: Sequence[int],
    tags: TagVectors,
    encode: Encode,
) -> CaptionReading:
    """The reading with a match of rule "meaning" for each tag that only the whole caption is near to.

    The match is the content word nearest to the tag; where none is near, the reading stays as it is. Its score is about
    the share of such matches that were true, and enters no head: heads read `meaning` itself.

    Args:
        reading: what the rules found in the caption.
        caption: the text.
        meaning: float32 [K], of this caption.
        tag_ids: K ids in the order of `tags`.
        tags: of the vocabulary.
        encode: unit vectors of words.
    """
    best = {match.tag_id: match for match in reading.matches}
    settled = {match.tag_id for match in reading.matches if not is_weak(match)}
    near = [int(k) for k in np.flatnonzero(meaning >= NEAR_CAPTION) if tag_ids[int(k)] not in settled]
    places = content_words(caption) if near else []
    if not places:
        return reading
    vectors = encode([caption[start:end].lower() for start, end in places])
    for k in near:
        cosines = tags.to_tag(vectors, k)
        nearest = int(cosines.argmax())
        start, end = places[nearest]
        evidence = Evidence(start, end, caption[start:end], "meaning")
        match = CaptionMatch(tag_ids[k], min(MOST_SCORE, float(cosines[nearest]) - 0.1), evidence)
        known = best.get(match.tag_id)
        if cosines[nearest] >= NEAR_WORD and (known is None or known.score < match.score):
            best[match.tag_id] = match
    matches = sorted(best.values(), key=lambda match: (-match.score, match.tag_id))
    return CaptionReading(tuple(matches), reading.terms)


def is_weak(match: CaptionMatch) -> bool:
    """Whether a rule only guesses the tag from a relative of a word: a word that is nearer may replace it."""
    return match.evidence.rule == "meaning" and not match.evidence.negated


def content_words(caption: str) -> list[tuple[int, int]]:
    """Characters [start, end) of the words that may mean something by themselves.

    >>> [("A dog near the 2 boats")[start:end] for start, end in content_words("A dog near the 2 boats")]
    ['dog', 'boats']
    """
    found = [(match.group().lower(), match.span()) for match in WORD.finditer(caption)]
    return [place for word, place in found if word not in parts.CLOSED and word not in parts.NUMBERS]
