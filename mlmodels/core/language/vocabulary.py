"""How a project's terms and the words of captions turn into keys that can meet.

Which tags a caption mentions is decided in `matching.py`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from mlmodels.core.language import wordnet
from mlmodels.core.language.lemmas import lemma_of

EXACT, BASE_FORM, OTHER_PART = 0, 1, 2  # how freely two words were made to meet; larger is freer
LETTERS = {"NOUN": "n", "PROPN": "n", "VERB": "v", "AUX": "v", "ADJ": "a"}

Keys = tuple[tuple[str, int], ...]
Paths = dict[tuple[str, ...], int]


class Grammar(NamedTuple):
    """How captions and terms of one language turn into keys; `knows_english` opens WordNet and the rules."""

    caption_keys: Callable[[str, str, str], Keys]
    term_paths: Callable[[tuple[str, ...]], Paths]
    knows_english: bool


@lru_cache(maxsize=32768)
def caption_keys(form: str, pos: str, lemma: str) -> Keys:
    """(key, freedom) pairs under which a caption's word is looked up, the strictest reading of each key."""
    keys = {form: EXACT}
    own = LETTERS.get(pos, "")
    if own:
        keys[f"{own}:{lemma}"] = BASE_FORM
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
    return lemma_of(form, "NOUN" if letter == "n" else "VERB")


def term_paths(forms: tuple[str, ...]) -> Paths:
    """Key sequences under which a term is stored, each with its freedom.

    Example:
        >>> term_paths(("dog",))
        {('dog',): 0, ('n:dog',): 1, ('v:dog',): 2}
    """
    paths = {forms: EXACT}
    if len(forms) == 1:
        own = term_part(forms[0])
        paths[f"{own}:{term_lemma(forms[0], own)}",] = BASE_FORM
        other = "v" if own == "n" else "n"
        base = wordnet.morphy(forms[0], other)
        if base and (own == "v" or base == forms[0]):  # "glasses" is no form of the verb "to glass"
            paths.setdefault((f"{other}:{base}",), OTHER_PART)
        return paths
    nouns = tuple(f"n:{term_lemma(form, 'n')}" for form in forms)
    first_verb = (f"v:{term_lemma(forms[0], 'v')}",)
    for path in (forms[:-1] + nouns[-1:], nouns, first_verb + nouns[1:], first_verb + forms[1:]):
        paths.setdefault(path, BASE_FORM)
    return paths


def plain_keys(form: str, pos: str, lemma: str) -> Keys:
    """Keys of a word in a language without rules here: its form, and the base form that a trained pipeline gave."""
    return (form, EXACT), (f"base:{lemma}", BASE_FORM)


def plain_paths(forms: tuple[str, ...]) -> Paths:
    """A term as written, which is taken for its own base form.

    Example:
        >>> plain_paths(("hund",))
        {('hund',): 0, ('base:hund',): 1}
    """
    return {forms: EXACT, tuple(f"base:{form}" for form in forms): BASE_FORM}


ENGLISH = Grammar(caption_keys, term_paths, knows_english=True)
PLAIN = Grammar(plain_keys, plain_paths, knows_english=False)


def grammar_of(language: str) -> Grammar:
    """The grammar of a language by spaCy's code."""
    return ENGLISH if language == "en" else PLAIN
