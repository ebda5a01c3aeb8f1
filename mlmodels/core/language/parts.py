"""Parts of speech by rule: closed word classes, WordNet's sense counts, the words around.

Written for captions (present tense, many noun phrases). No spaCy here: lists of words in, lists out. The figures that
weigh one reading against another are in `context.py`.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

from mlmodels.core.language import wordnet
from mlmodels.core.language.context import (
    DETERMINERS,
    NO_WORD,
    NOTHING_FOLLOWS,
    NOUNS,
    SINGULAR_PRONOUNS,
    Before,
    Follower,
    bonus,
    is_animate,
    is_plural,
)

CLOSED_CLASSES: dict[str, str] = {
    "DET": "a an the this that these those some any each every no another both all either neither half such",
    "PRON": "i you he she it we they me him us them himself herself itself themselves one someone somebody "
    "something anyone anybody anything nobody nothing everyone everybody everything who which what others other none "
    "myself yourself ourselves mine yours hers ours theirs",
    "POSS": "my your his her its our their whose",
    "ADP": "of in on at by for with from into onto over under near beside besides behind between through "
    "during against along across around above below beneath underneath among without within toward towards "
    "upon off past up down out inside outside about like as atop amid amidst despite beyond aboard amongst "
    "per via than alongside before after until since except throughout",
    "CCONJ": "and or but nor yet &",
    "SCONJ": "while when where because although though if whereas that unless whether",
    "AUX": "is are was were be been being am 's 're has have had having do does did can could will would may "
    "might must shall should ca wo cannot",
    "PART": "to not n't n’t 's ’s '",
    "ADV": "there here very just also too so then together away back only nearby outdoors indoors never "
    "almost still how why again ahead forward backstage upstairs downstairs overhead uphill downhill "
    "offshore ashore everywhere somewhere anywhere nowhere apart aside backwards forwards backward sideways upwards "
    "downwards meanwhile perhaps maybe quite rather really mostly often always already soon twice ever even not "
    "tonight today yesterday tomorrow else mid-air midair",
}
CLOSED: dict[str, str] = {}
for _pos, _words in CLOSED_CLASSES.items():
    for _word in _words.split():
        CLOSED.setdefault(_word, _pos)

NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen twenty "
    "thirty forty fifty sixty seventy eighty ninety hundred thousand dozen several many few multiple various"
)
NUMBERS = frozenset(NUMBER_WORDS.split())
OPEN_POS = {"n": "NOUN", "v": "VERB", "a": "ADJ", "r": "ADV"}
# Nouns that are prepositions together with their neighbours ("in front of"), and adverbs before a preposition.
PHRASAL = frozenset([("in", "front", "of"), ("on", "top", "of")])
DIRECTIONS = frozenset(["north", "south", "east", "west"])
INTENSIFIERS = frozenset(
    ["right", "straight", "high", "low", "far", "deep", "close", "halfway", "next", "due", "well"]
)
LEADS_TO_A_NOUN = DETERMINERS | {"ADP", "ADJ"}
HEADLINE = 0.8  # share of capitals among longer words from which a capital tells nothing


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
    return {"n": 1.0, "v": 0.3} if word.endswith("s") else {"n": 1.0}


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
    capitals = [word[0].isupper() for word in words]
    if sum(capitals) > 1 and is_headline(words, capitals):
        capitals = [False] * len(words)
    tagged: list[str] = []
    before = NO_WORD
    for word, capital, follows in zip(
        lowered, capitals, ahead, strict=False
    ):  # no words, yet nothing follows
        before = tag_word(word, capital, before, follows)
        tagged.append(before.part)
    for phrase in PHRASAL:
        if phrase[1] in lowered:
            tag_phrasal(phrase, lowered, tagged)
    return ["DET" if pos == "POSS" else pos for pos in tagged]


def is_headline(words: Sequence[str], capitals: Sequence[bool]) -> bool:
    """Whether nearly every longer word after the first has a capital."""
    longer = [capital for word, capital in zip(words[1:], capitals[1:], strict=True) if len(word) > 3]
    return len(longer) > 1 and sum(longer) >= HEADLINE * len(longer)


def tag_phrasal(phrase: tuple[str, str, str], lowered: Sequence[str], tagged: list[str]) -> None:
    """The noun of a phrasal preposition heads no phrase."""
    for position in range(1, len(lowered) - 1):
        if tuple(lowered[position - 1 : position + 2]) == phrase:
            tagged[position] = "ADP"


@lru_cache(maxsize=32768)
def follower(word: str) -> Follower:
    """What a token in lower case tells about the one before it."""
    is_word = word.isalnum()
    ahead = CLOSED.get(word, "")
    if not is_word or ahead:
        return Follower(ahead, not is_word, False, False, word == "of")
    known = evidence(word)
    describes = "a" in known and known["a"] >= max(known.values()) - 0.5
    return Follower("", False, "n" in known, describes or word.endswith("ed"))


@lru_cache(maxsize=65536)
def tag_word(word: str, is_capital: bool, before: Before, follows: Follower) -> Before:
    """The token in lower case as the one after it sees it: its part of speech, and what else is needed of it."""
    part = part_of(word, is_capital, before, follows)
    if part in {"NOUN", "PROPN", "PRON"}:
        plural = word not in SINGULAR_PRONOUNS if part == "PRON" else is_plural(word) or before.is_joined
        animate = part != "NOUN" or is_animate(word)
        return Before(
            part, plural, animate, before.is_bare and before.part not in DETERMINERS, before.is_joined
        )
    if part == "CCONJ":
        return Before(part, is_joined=word in {"and", "&"} and before.part in NOUNS)
    if part in DETERMINERS or part == "ADJ":
        return Before(part, is_bare=part == "ADJ" and before.is_bare, is_joined=before.is_joined)
    return Before(part)


def part_of(word: str, is_capital: bool, before: Before, follows: Follower) -> str:
    if not any(map(str.isalnum, word)):
        return closed_or_symbol(word)
    if word[0].isdigit() or word in NUMBERS:
        return "NUM"
    if word in CLOSED:
        return closed(word, before.part)
    if word in INTENSIFIERS and follows.closed_part in {"ADP", "PART"} and before.part not in LEADS_TO_A_NOUN:
        return "ADV"
    if word in DIRECTIONS and follows.is_of and before.part not in LEADS_TO_A_NOUN:
        return "ADV"
    is_name = is_capital and before.part not in {"", "PUNCT"}
    if is_name and not evidence_known(word):
        return "PROPN"
    scores = {pos: score + bonus(pos, word, before, follows) for pos, score in evidence(word).items()}
    if is_name and "n" in scores:
        scores.pop("v", None)
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
