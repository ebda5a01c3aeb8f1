"""Parts of speech by rule: closed word classes, WordNet's sense counts, the words around.

Written for captions (present tense, many noun phrases). No spaCy here: lists of words in, lists out.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from mlmodels.core.language import wordnet

CLOSED_CLASSES: dict[str, str] = {
    "DET": "a an the this that these those some any each every no another both all either neither half such",
    "PRON": "i you he she it we they me him us them himself herself itself themselves one someone somebody "
    "something anyone anybody anything nobody nothing everyone everything who which what others other none",
    "POSS": "my your his her its our their whose",
    "ADP": "of in on at by for with from into onto over under near beside besides behind between through "
    "during against along across around above below beneath underneath among without within toward towards "
    "upon off past up down out inside outside about like as atop amid amidst despite beyond aboard amongst "
    "per via than alongside before after until since except",
    "CCONJ": "and or but nor yet &",
    "SCONJ": "while when where because although though if whereas that unless whether",
    "AUX": "is are was were be been being am 's 're has have had having do does did can could will would may "
    "might must shall should ca wo cannot",
    "PART": "to not n't n’t 's ’s '",
    "ADV": "there here very just also too so then together away back only nearby outdoors indoors never "
    "almost still how why again ahead forward",
}
CLOSED: dict[str, str] = {}
for _pos, _words in CLOSED_CLASSES.items():
    for _word in _words.split():
        CLOSED.setdefault(_word, _pos)

NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve dozen hundred thousand several many "
    "few multiple various"
)
NUMBERS = frozenset(NUMBER_WORDS.split())
OPEN_POS = {"n": "NOUN", "v": "VERB", "a": "ADJ", "r": "ADV"}
BEFORE_A_NOUN = frozenset({"DET", "POSS", "ADJ", "NUM"})
VERB_CONTEXT = frozenset({"AUX", "PRON", "NOUN", "PROPN"})


class Follower(NamedTuple):
    """What the next token tells: its closed class, whether it is a break (or no token at all), a possible noun."""

    closed_part: str
    is_break: bool
    may_be_noun: bool


NOTHING_FOLLOWS = Follower("", True, False)


@lru_cache(maxsize=32768)
def evidence(word: str) -> dict[str, float]:
    """Log count of each open part of speech that WordNet knows for a word in lower case.

    Example:
        >>> scores = evidence("dogs")
        >>> max(scores, key=scores.get)
        'n'
    """
    scores: dict[str, float] = {}
    for pos in OPEN_POS:
        bases = {base for base in (wordnet.morphy(word, pos),) if base}
        if word.endswith("s") and not word.endswith("ss"):
            bases |= {base for base in (wordnet.singular(word, pos),) if base}
        total = sum(wordnet.count(base, pos) for base in bases)
        if total:
            scores[pos] = math.log1p(total)
    return scores or guess(word)


def guess(word: str) -> dict[str, float]:
    """Scores for a word that WordNet lacks, from its ending."""
    if word.endswith("ly"):
        return {"r": 2.0, "n": 0.5}
    if word.endswith(("ing", "ed")):
        return {"v": 2.0, "n": 1.0, "a": 1.0}
    return {"n": 1.0}


def tag_words(words: Sequence[str]) -> list[str]:
    """Universal part of speech of each token of a text.

    Args:
        words: the tokens as written.

    Returns:
        One of DET, PRON, ADP, CCONJ, SCONJ, AUX, PART, ADV, ADJ, NOUN, PROPN, VERB, NUM, PUNCT, SYM a token.

    Example:
        >>> tag_words(["A", "dog", "runs", "on", "wet", "sand"])
        ['DET', 'NOUN', 'VERB', 'ADP', 'ADJ', 'NOUN']
    """
    lowered = [word.lower() for word in words]
    ahead = [*map(follower, lowered[1:]), NOTHING_FOLLOWS]
    tagged: list[str] = []
    previous = ""
    for written, word, follows in zip(words, lowered, ahead, strict=False):  # no words, yet nothing follows
        previous = tag_word(word, written[0].isupper(), previous, follows)
        tagged.append(previous)
    return ["DET" if pos == "POSS" else pos for pos in tagged]


@lru_cache(maxsize=32768)
def follower(word: str) -> Follower:
    """What a token in lower case tells about the one before it."""
    is_word = word.isalnum()
    ahead = CLOSED.get(word, "")
    return Follower(ahead, not is_word, is_word and not ahead and "n" in evidence(word))


@lru_cache(maxsize=65536)
def tag_word(word: str, is_capital: bool, previous: str, follows: Follower) -> str:
    """Part of speech of one token in lower case; `previous` is the part of the token to its left."""
    if not any(map(str.isalnum, word)):
        return closed_or_symbol(word)
    if word[0].isdigit() or word in NUMBERS:
        return "NUM"
    if word in CLOSED:
        return closed(word, previous)
    if is_capital and previous and previous != "PUNCT" and not evidence_known(word):
        return "PROPN"
    scores = {pos: score + context(pos, word, previous, follows) for pos, score in evidence(word).items()}
    return OPEN_POS[max(scores, key=lambda pos: scores[pos])]


def closed_or_symbol(word: str) -> str:
    if word in CLOSED:
        return CLOSED[word]
    return "PUNCT" if word.isascii() or word.isspace() else "SYM"


def closed(word: str, previous: str) -> str:
    """Part of a closed-class word; "'s" after a noun is taken as the possessive."""
    if word in {"'s", "’s"} and previous in {"NOUN", "PROPN"}:
        return "POSS"
    return CLOSED[word]


@lru_cache(maxsize=32768)
def evidence_known(word: str) -> bool:
    return any(wordnet.morphy(word, pos) for pos in OPEN_POS)


def context(pos: str, word: str, previous: str, follows: Follower) -> float:
    """What the neighbours add to the log count of a part of speech; figures set by hand, not fitted."""
    participle = word.endswith(("ing", "ed"))
    if pos == "v":
        return verb_context(word, previous, follows, participle)
    if pos == "n":
        return noun_context(previous, follows)
    if pos == "a":
        return adjective_context(previous, follows, participle)
    return -1.0


def verb_context(word: str, previous: str, follows: Follower, participle: bool) -> float:
    bonus = 0.0
    if previous in {"DET", "POSS", "NUM"}:
        bonus -= 4.0 if not participle else 2.0
    if previous == "ADJ" or previous == "ADP":
        bonus -= 2.5 if not participle else 0.0
    if previous == "PART":
        bonus += 3.0
    if previous in VERB_CONTEXT and participle:
        bonus += 3.0
    elif previous in {"NOUN", "PROPN", "PRON"} and word.endswith("s"):
        bonus += 2.0
    elif previous in {"NOUN", "PROPN", "PRON", "ADV"}:
        bonus += 0.8
    if follows.closed_part in {"DET", "POSS", "PRON"} or (
        follows.closed_part == "ADP" and previous in VERB_CONTEXT
    ):
        bonus += 1.5
    if not previous and not participle:
        bonus -= 1.5
    return bonus


def noun_context(previous: str, follows: Follower) -> float:
    bonus = 0.5
    if previous in BEFORE_A_NOUN:
        bonus += 1.5
    if previous == "ADP":
        bonus += 1.0
    if follows.closed_part or follows.is_break:
        bonus += 1.0
    return bonus


def adjective_context(previous: str, follows: Follower, participle: bool) -> float:
    bonus = 1.0 if follows.may_be_noun else -1.5
    if previous in {"DET", "POSS", "NUM"} and follows.may_be_noun:
        bonus += 1.5
    if previous == "AUX":
        bonus += 1.0 if not participle else -1.0
    return bonus
