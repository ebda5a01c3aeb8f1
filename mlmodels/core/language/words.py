"""The words of a read caption, each with all that is asked of it wherever it stands, and where it stands."""

import struct
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple, TypeVar

from spacy.attrs import IDX, LEMMA, ORTH, POS
from spacy.tokens import Doc
from spacy.vocab import Vocab

HYPHENS = frozenset("-‐‑–")
UNKNOWN_PART = "X"  # a word of a language whose parts of speech nobody told
KEPT_WORDS = 65536
SPELLING = "V24"  # three numbers of spaCy as one

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Kept(dict[Question, Answer]):
    """Answers that are worked out when first asked for, and kept, 65,536 at most.

    Example:
        >>> lengths = Kept(len)
        >>> lengths["dog"], lengths
        (3, {'dog': 3})
    """

    def __init__(self, answer: Callable[[Question], Answer]) -> None:
        super().__init__()
        self._answer = answer

    def __missing__(self, question: Question) -> Answer:
        answer = self._answer(question)
        if len(self) >= KEPT_WORDS:
            self.clear()
        self[question] = answer
        return answer


class Word(NamedTuple):
    """What a token says wherever it stands: folded form, part of speech, base form, characters as written.

    Equal words of captions are one object; tables are asked by it.
    """

    form: str
    pos: str
    lemma: str
    length: int


NO_WORD = Word("", "", "", 0)  # a hyphen or white space


class Words(NamedTuple):
    """The words of one caption in order; for each, its first character and the index of its token."""

    words: list[Word]
    starts: list[int]
    tokens: Sequence[int]

    def end(self, position: int) -> int:
        """The character after a word."""
        return self.starts[position] + self.words[position].length


@lru_cache(maxsize=32768)
def fold(text: str) -> str:
    """Form under which words are compared: NFC, case-folded.

    Example:
        >>> fold("Cafe\u0301")
        'café'
    """
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


def words_of(doc: Doc) -> Words:
    """The tokens of a read caption, hyphens and white space left out, so that "T-shirt" is "t", "shirt"."""
    numbers = doc.to_array([ORTH, POS, LEMMA, IDX])
    # Bytes are cheaper to look up than three numbers.
    spellings = numbers[:, :3].view(SPELLING)[:, 0].tolist()
    known = _known_words(doc.vocab.lang)
    try:
        words = list(map(known.__getitem__, spellings))
    except KeyError:
        words = [known.get(spelling) or _learn(known, doc.vocab, spelling) for spelling in spellings]
    starts = numbers[:, 3].tolist()
    if NO_WORD not in words:
        return Words(words, starts, range(len(words)))
    tokens = [token for token, word in enumerate(words) if word is not NO_WORD]
    return Words([words[token] for token in tokens], [starts[token] for token in tokens], tokens)


@cache
def _known_words(language: str) -> dict[bytes, Word]:
    """What was worked out for tokens met before, by spaCy's numbers of their text, part and base form."""
    return {}


def _learn(known: dict[bytes, Word], vocab: Vocab, spelling: bytes) -> Word:
    """Works out a token and keeps it."""
    if len(known) >= KEPT_WORDS:
        known.clear()
    word = known[spelling] = _word(vocab, *struct.unpack("=3Q", spelling))
    return word


def _word(vocab: Vocab, orth: int, pos: int, lemma: int) -> Word:
    lexeme = vocab[orth]
    text = lexeme.text
    if text in HYPHENS or lexeme.is_space:
        return NO_WORD
    part = vocab.strings[pos] if pos else UNKNOWN_PART if lexeme.is_alpha and not lexeme.is_stop else ""
    base = vocab.strings[lemma] if lemma else text
    return Word(fold(text), part, fold(base), len(text))
