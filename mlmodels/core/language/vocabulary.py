"""Words, and the project's tags as words: how a term or a caption's token turns into keys that can meet.

Which tags a caption mentions is decided in `matching.py`.
"""

import unicodedata
from functools import lru_cache
from typing import NamedTuple

from spacy.tokens import Doc

from mlmodels.core.language import parts, wordnet

HYPHENS = frozenset("-‐‑–")
EXACT, LEMMA, OTHER_PART = 0, 1, 2  # how freely two words were made to meet; larger is freer
LETTERS = {"NOUN": "n", "PROPN": "n", "VERB": "v", "AUX": "v", "ADJ": "a"}


class Word(NamedTuple):
    """One token of a caption: its folded form, part of speech, base form and character offsets."""

    form: str
    pos: str
    lemma: str
    start: int
    end: int


@lru_cache(maxsize=32768)
def fold(text: str) -> str:
    """Form under which words are compared: NFC, case-folded.

    Example:
        >>> fold("Cafe\u0301")
        'café'
    """
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


def words_of(doc: Doc) -> list[Word]:
    """The tokens of a read caption, hyphens and white space left out, so that "T-shirt" is "t", "shirt"."""
    return [
        Word(
            form=fold(token.text),
            pos=token.pos_,
            lemma=fold(token.lemma_ or token.text),
            start=token.idx,
            end=token.idx + len(token),
        )
        for token in doc
        if token.text not in HYPHENS and not token.is_space
    ]


@lru_cache(maxsize=32768)
def caption_keys(form: str, pos: str, lemma: str) -> tuple[tuple[str, int], ...]:
    """(key, freedom) pairs under which a caption's word is looked up, the strictest reading of each key."""
    keys = {form: EXACT}
    own = LETTERS.get(pos, "")
    if own:
        keys[f"{own}:{lemma}"] = LEMMA
    if own in {"n", "v"}:
        for letter in "nv":
            for base in (wordnet.morphy(form, letter), wordnet.singular(form, letter)):
                if base:
                    keys.setdefault(f"{letter}:{base}", OTHER_PART)
    return tuple(keys.items())


@lru_cache(maxsize=32768)
def term_part(form: str) -> str:
    """Whether a tag's word is meant as a noun or a verb: "n" or "v".

    Example:
        >>> term_part("running"), term_part("dress"), term_part("selfie")
        ('v', 'n', 'n')
    """
    if form.endswith("ing") and (base := wordnet.morphy(form, "v")) and base != form:
        return "v" if wordnet.count(base, "v") >= wordnet.count(form, "n") else "n"
    return "n" if wordnet.morphy(form, "n") or not wordnet.morphy(form, "v") else "v"


@lru_cache(maxsize=32768)
def term_lemma(form: str, letter: str) -> str:
    """Base form of a tag's word as noun ("n") or verb ("v").

    Example:
        >>> term_lemma("dogs", "n"), term_lemma("sitting", "v")
        ('dog', 'sit')
    """
    return parts.lemma_of(form, "NOUN" if letter == "n" else "VERB")


def term_paths(forms: tuple[str, ...]) -> dict[tuple[str, ...], int]:
    """Key sequences under which a term is stored, each with its freedom.

    Example:
        >>> term_paths(("dog",))
        {('dog',): 0, ('n:dog',): 1, ('v:dog',): 2}
    """
    paths = {forms: EXACT}
    if len(forms) == 1:
        own = term_part(forms[0])
        paths[f"{own}:{term_lemma(forms[0], own)}",] = LEMMA
        other = "v" if own == "n" else "n"
        base = wordnet.morphy(forms[0], other)
        if base and (own == "v" or base == forms[0]):  # "glasses" is no form of the verb "to glass"
            paths.setdefault((f"{other}:{base}",), OTHER_PART)
        return paths
    nouns = tuple(f"n:{term_lemma(form, 'n')}" for form in forms)
    first_verb = (f"v:{term_lemma(forms[0], 'v')}",)
    for path in (forms[:-1] + nouns[-1:], nouns, first_verb + nouns[1:], first_verb + forms[1:]):
        paths.setdefault(path, LEMMA)
    return paths
