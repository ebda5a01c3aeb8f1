"""What captions mean by the shipped word vectors: worked out from their readings each time, and never stored.

The vectors are of English words. Captions of another language say nothing here.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from mlmodels.services.languages import Language
from mlmodels.services.mentions import Said, denials

if TYPE_CHECKING:
    from mlmodels.core.language.word_vectors import TagWords
    from mlmodels.core.learning.dataset import CaptionText
    from mlmodels.core.types import TagTerm


def key() -> str:
    """Names the vectors, as the key of a text encoder names its weights."""
    from mlmodels.core.language import word_vectors

    return word_vectors.load().key


def text(language: Language, readings: Sequence[Said]) -> "CaptionText":
    """What a head reads of captions by their words; all zeros in a language without vectors."""
    from mlmodels.core.learning.dataset import CaptionText

    tags = _tag_words(language.terms)
    terms = [said.terms if language.is_english else () for said in readings]
    vectors, meaning = tags.read(terms, denials(readings, language.tag_ids))
    return CaptionText(tags.words.key, vectors, meaning)


def warm_up(language: Language) -> None:
    """Read the file and look up the tags' words now."""
    _tag_words(language.terms)


@lru_cache(maxsize=4)
def _tag_words(terms: "tuple[TagTerm, ...]") -> "TagWords":
    from mlmodels.core.language import word_vectors

    return word_vectors.tag_words(terms, word_vectors.load())
