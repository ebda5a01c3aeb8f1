"""Parts of speech and noun phrases by rule: closed word classes, WordNet's sense counts, the words around.

Written for captions (present tense, many noun phrases). No spaCy here: lists of words in, lists out.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

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
IN_A_PHRASE = frozenset({"ADJ", "NOUN", "PROPN", "NUM"})
VERB_CONTEXT = frozenset({"AUX", "PRON", "NOUN", "PROPN"})


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
    tagged: list[str] = []
    for position, word in enumerate(lowered):
        following = lowered[position + 1] if position + 1 < len(lowered) else ""
        tagged.append(tag_word(words[position], word, tagged[-2:], following))
    return ["DET" if pos == "POSS" else pos for pos in tagged]


def tag_word(written: str, word: str, before: Sequence[str], following: str) -> str:
    """Part of speech of one token; `before` holds the parts of the one or two tokens to its left."""
    if not any(map(str.isalnum, word)):
        return closed_or_symbol(word)
    if word[0].isdigit() or word in NUMBERS:
        return "NUM"
    previous = before[-1] if before else ""
    if word in CLOSED:
        return closed(word, previous)
    if written[0].isupper() and previous and previous != "PUNCT" and not evidence_known(word):
        return "PROPN"
    scores = {pos: score + context(pos, word, before, following) for pos, score in evidence(word).items()}
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


def context(pos: str, word: str, before: Sequence[str], following: str) -> float:
    """What the neighbours add to the log count of a part of speech; figures set by hand, not fitted."""
    previous = before[-1] if before else ""
    ahead = CLOSED.get(following, "")
    participle = word.endswith(("ing", "ed"))
    if pos == "v":
        return verb_context(word, previous, ahead, participle)
    if pos == "n":
        return noun_context(previous, following, ahead)
    if pos == "a":
        return adjective_context(previous, following, ahead, participle)
    return -1.0


def verb_context(word: str, previous: str, ahead: str, participle: bool) -> float:
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
    if ahead in {"DET", "POSS", "PRON"} or (ahead == "ADP" and previous in VERB_CONTEXT):
        bonus += 1.5
    if not previous and not participle:
        bonus -= 1.5
    return bonus


def noun_context(previous: str, following: str, ahead: str) -> float:
    bonus = 0.5
    if previous in BEFORE_A_NOUN:
        bonus += 1.5
    if previous == "ADP":
        bonus += 1.0
    if ahead or not following or not following.isalnum():
        bonus += 1.0
    return bonus


def adjective_context(previous: str, following: str, ahead: str, participle: bool) -> float:
    opens = bool(following) and following.isalnum() and not ahead and "n" in evidence(following)
    bonus = 1.0 if opens else -1.5
    if previous in {"DET", "POSS", "NUM"} and opens:
        bonus += 1.5
    if previous == "AUX":
        bonus += 1.0 if not participle else -1.0
    return bonus


def noun_phrases(pos: Sequence[str]) -> list[tuple[int, int]]:
    """Token spans (start, end exclusive) of base noun phrases; the last token of each is its head.

    Example:
        >>> noun_phrases(["DET", "ADJ", "NOUN", "VERB", "DET", "NOUN", "NOUN"])
        [(0, 3), (4, 7)]
    """
    spans: list[tuple[int, int]] = []
    end = len(pos)
    position = 0
    while position < end:
        if pos[position] not in IN_A_PHRASE and pos[position] != "DET":
            position += 1
            continue
        start = position
        while position < end and (
            pos[position] in IN_A_PHRASE or (pos[position] == "DET" and position == start)
        ):
            position += 1
        head = position
        while head > start and pos[head - 1] not in {"NOUN", "PROPN"}:
            head -= 1
        if head > start:
            spans.append((start, head))
    return spans


def lemma_of(word: str, pos: str) -> str:
    """Base form of a word in lower case as the given universal part of speech.

    WordNet's morphy first; for words it lacks, plain endings are taken off ("selfies" -> "selfie").

    Example:
        >>> lemma_of("women", "NOUN"), lemma_of("sits", "VERB"), lemma_of("selfies", "NOUN")
        ('woman', 'sit', 'selfie')
    """
    letter = {"NOUN": "n", "VERB": "v", "ADJ": "a", "ADV": "r"}.get(pos)
    if letter is None:
        return word
    return wordnet.morphy(word, letter) or fallback_lemma(word, pos)


def fallback_lemma(word: str, pos: str) -> str:
    """Base form of a word that WordNet lacks."""
    if pos == "NOUN" and len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-3] + "y" if word.endswith("ies") and len(word) > 6 and word[-4] in "tdn" else word[:-1]
    if pos == "VERB" and len(word) > 5 and word.endswith("ing"):
        stem = word[:-3]
        return wordnet.undoubled(stem) or stem
    if pos == "VERB" and len(word) > 4 and word.endswith("ed"):
        stem = word[:-2]
        return wordnet.undoubled(stem) or stem
    return word
