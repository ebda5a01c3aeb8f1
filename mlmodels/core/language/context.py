"""What the neighbours of a word add to each part of speech that it may be: figures set by hand, in log counts.

They were set on captions of the development part of `benchmarks/language_sets/`, and are not fitted.
"""

from functools import lru_cache
from typing import NamedTuple

from mlmodels.core.language import wordnet

ANIMATE_KINDS = frozenset({5, 14, 18})  # WordNet's animals, groups and people (lexnames(5WN))
ACTS = 4
COLOUR = "n04956594"
PLURALS = frozenset(["people", "police", "cattle", "folk", "folks", "sheep", "deer", "fish"])
SINGULAR_PRONOUNS = frozenset(
    ["he", "she", "it", "this", "that", "someone", "somebody", "everyone", "nobody", "one"]
)
NOUNS = frozenset({"NOUN", "PROPN"})
SUBJECTS = frozenset({"NOUN", "PROPN", "PRON"})
DETERMINERS = frozenset({"DET", "POSS", "NUM"})
BEFORE_A_NOUN = DETERMINERS | {"ADJ"}
PARTICIPLES = ("ing", "ed")


class Follower(NamedTuple):
    """What the next token tells of the one before it."""

    closed_part: str  # its closed class, "" for an open one
    is_break: bool  # no word, or no token at all
    may_be_noun: bool
    may_describe: bool  # an adjective or participle
    is_of: bool = False


class Before(NamedTuple):
    """What the token to the left tells."""

    part: str = ""  # "" at the start
    is_plural: bool = False
    is_animate: bool = False
    is_bare: bool = True  # its noun phrase has no determiner so far
    is_joined: bool = False  # "and" stands between it and a noun before


NOTHING_FOLLOWS = Follower("", True, False, False)
NO_WORD = Before()


@lru_cache(maxsize=16384)
def is_plural(word: str) -> bool:
    """Whether a noun or pronoun in lower case takes the verb's base form ("dogs", "men", "they")."""
    if word in PLURALS:
        return True
    base = wordnet.morphy(word, "n")
    return bool(base and base != word) or (word.endswith("s") and not word.endswith(("ss", "us", "is")))


@lru_cache(maxsize=16384)
def is_animate(word: str) -> bool:
    """Whether a noun in lower case means somebody first of all: a person, an animal, a group."""
    senses = wordnet.synsets(wordnet.morphy(word, "n") or word, "n")
    return not senses or wordnet.lexfile(senses[0]) in ANIMATE_KINDS


@lru_cache(maxsize=16384)
def is_colour(word: str) -> bool:
    """Whether a noun's first meaning is a colour."""
    senses = wordnet.synsets(word, "n")
    return bool(senses) and COLOUR in wordnet.ancestors(senses[0])


@lru_cache(maxsize=16384)
def names_action(word: str) -> bool:
    """Whether a word in "ing", as a noun, names what somebody does ("camping") rather than a thing ("building")."""
    senses = wordnet.synsets(word, "n")
    return not senses or wordnet.lexfile(senses[0]) == ACTS


@lru_cache(maxsize=32768)
def verb_form(word: str) -> str:
    """Which form of a verb a word in lower case would be: "participle", "s", "base" or "past".

    Example:
        >>> [verb_form(word) for word in ("running", "runs", "run", "ran")]
        ['participle', 's', 'base', 'past']
    """
    if word.endswith(PARTICIPLES):
        return "participle"
    base = wordnet.morphy(word, "v")
    if base == word or (base is None and not word.endswith("s")):
        return "base"
    return "s" if word.endswith("s") else "past"


def bonus(pos: str, word: str, before: Before, follows: Follower) -> float:
    """What the neighbours add to the log count of noun "n", verb "v", adjective "a" or adverb "r"."""
    if pos == "v":
        return verb_bonus(word, before, follows)
    if pos == "n":
        return noun_bonus(before, follows)
    if pos == "a":
        return adjective_bonus(word, before, follows)
    return -1.0


def verb_bonus(word: str, before: Before, follows: Follower) -> float:
    form = verb_form(word)
    participle = form == "participle"
    total = 0.0
    if before.part in DETERMINERS:
        total -= 2.0 if participle else 4.0
    elif before.part in {"ADJ", "ADP"}:
        total -= 0.0 if participle else 2.5
    elif before.part == "PART":
        total += 3.0
    elif before.part == "VERB":
        total -= 0.0 if participle else 2.0
    elif before.part in SUBJECTS:
        total += after_subject(form, before)
    elif before.part in {"AUX", "ADV"}:
        total += 3.0 if participle and before.part == "AUX" else 0.8
    elif not participle and before.part in {"", "PUNCT"}:
        total -= 1.5 if form == "base" or not before.part else 0.0
    if follows.closed_part in {"DET", "POSS", "PRON"}:
        total += 1.5
    elif follows.closed_part == "ADP" and not follows.is_of:
        if before.part in SUBJECTS | {"AUX"}:
            total += 1.5
        elif participle and not before.part and names_action(word):
            total += 2.0  # "Camping in the rain", but "Buildings in the rain"
    return total


def after_subject(form: str, before: Before) -> float:
    """A verb agrees with the noun before it; a bare thing ("fence posts") is rather part of a compound."""
    if form == "participle":
        return 3.0
    if form == "s":
        if before.is_plural:
            return 0.0
        return 2.0 if before.is_animate or not before.is_bare else 0.0
    if form == "base":
        return 1.0 if before.is_plural else -2.0
    return 0.8


def noun_bonus(before: Before, follows: Follower) -> float:
    total = 0.5
    if before.part in BEFORE_A_NOUN:
        total += 1.5
    elif before.part in {"ADP", "VERB"}:
        total += 1.0
    if follows.closed_part or follows.is_break:
        total += 1.0
    return total


def adjective_bonus(word: str, before: Before, follows: Follower) -> float:
    opens = follows.may_be_noun or follows.may_describe
    total = 1.0 if opens else -1.5
    if before.part in DETERMINERS and opens:
        total += 1.5
    if follows.closed_part == "CCONJ" and before.part in BEFORE_A_NOUN and is_colour(word):
        total += 4.0  # "a brown and white dog"
    if before.part == "AUX":
        total += -1.0 if word.endswith(PARTICIPLES) else 1.0
    elif before.part in NOUNS and not opens:
        total += 1.0  # "a frame thick with honey"
    elif before.part == "ADV":
        total += 1.0
    if before.part in {"AUX", "VERB"} and word.endswith(("er", "est")):
        total += 2.0
    return total
