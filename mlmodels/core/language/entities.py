"""Named people, places, organisations, works and events: runs of capitals, typed by common names and WordNet.

A weak reading: no statistics stand behind it, and a name that neither the lists nor the words around explain is OTHER.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from mlmodels.core.language import wordnet
from mlmodels.core.language.lemmas import lemma_of
from mlmodels.core.language.names import names
from mlmodels.core.language.parts import CLOSED

# WordNet's broad kinds of nouns (lexnames(5WN)); animals, food, plants and substances name kinds, not one.
KINDS = {4: "EVENT", 10: "WORK", 11: "EVENT", 14: "ORGANISATION", 15: "PLACE", 17: "PLACE", 18: "PERSON"}
ARTIFACT = 6
SENTENCE_ENDS = frozenset('.!?:;"“”()–—•…|')
POSSESSIVES = frozenset(["'s", "’s", "'", "’"])
HYPHEN = "-"
LONGEST_NAME = 7
FEWEST_WORDS = 3  # below, capitals everywhere are no headline
HEADLINE = 0.75  # from this share of capitals among the open words on, they tell nothing
PLACE_CUES = frozenset(
    [
        "in",
        "at",
        "near",
        "from",
        "to",
        "through",
        "across",
        "over",
        "around",
        "outside",
        "inside",
        "above",
        "toward",
        "towards",
    ]
)
AUTHOR_CUES = frozenset(["by"])


class Entity(NamedTuple):
    """Tokens [start, end) of a text and what kind of name they are."""

    start: int
    end: int
    label: str


def find_entities(words: Sequence[str], pos: Sequence[str]) -> list[Entity]:
    """Finds names.

    Args:
        words: the tokens as written.
        pos: their parts of speech.

    Returns:
        Entities in order, apart from each other; labels are those of `names.LABELS`.

    Example:
        >>> words = "A man in Paris admires the Mona Lisa".split()
        >>> find_entities(words, ["DET", "NOUN", "ADP", "NOUN", "VERB", "DET", "PROPN", "PROPN"])
        [Entity(start=3, end=4, label='PLACE'), Entity(start=5, end=8, label='WORK')]
    """
    capital = [word[:1].isupper() for word in words]
    count = sum(capital)
    if not count or (count == 1 and capital[0] and is_common(words[0].lower())):  # most captions
        return []
    headline = is_headline(words, pos, capital)
    found: list[Entity] = []
    position = 0
    while position < len(words):
        if not capital[position]:
            position += 1
            continue
        end = run_end(words, capital, position)
        found.extend(names_in(words, pos, position, end, headline))
        position = end
    return found


def is_headline(words: Sequence[str], pos: Sequence[str], capital: Sequence[bool]) -> bool:
    """Whether nearly every open word has a capital, common ones too."""
    open_words = [
        index
        for index, part in enumerate(pos)
        if part in {"NOUN", "PROPN", "VERB", "ADJ"} and len(words[index]) > 1
    ]
    if len(open_words) < FEWEST_WORDS or sum(capital[i] for i in open_words) < HEADLINE * len(open_words):
        return False
    return sum(capital[i] and is_common(words[i].lower()) for i in open_words) >= 2


def run_end(words: Sequence[str], capital: Sequence[bool], start: int) -> int:
    """End of a run of capitals; connectors, hyphens and possessives belong to it if a capital follows them."""
    end = start + 1
    while end < len(words):
        if capital[end] or (words[end].isdigit() and words[end - 1] != ","):
            end += 1
            continue
        after = end
        while after < len(words) and after - end < 2 and is_joint(words[after]):
            after += 1
        if after == end or after == len(words) or not capital[after]:
            break
        end = after + 1
    return end


def is_joint(word: str) -> bool:
    return word == HYPHEN or word in POSSESSIVES or word in names().connectors


def names_in(
    words: Sequence[str], pos: Sequence[str], start: int, end: int, headline: bool
) -> Iterator[Entity]:
    """Names of a run: what is well known first, the longest first; then what remains as one name."""
    first = start
    while start < end:
        known = longest_known(words, start, end, headline)
        if known:
            yield from unknown_name(words, pos, first, start, headline)
            yield known
            first = start = known.end
        else:
            start += 1
    yield from unknown_name(words, pos, first, end, headline)


def longest_known(words: Sequence[str], start: int, end: int, headline: bool) -> Entity | None:
    """The longest name that the lists or WordNet know and that begins here."""
    for stop in range(min(end, start + LONGEST_NAME), start, -1):
        text = joined(words[start:stop])
        label = label_of(text)
        if not label or (stop - start == 1 and not stands_alone(words, start, end, headline)):
            continue
        if start and words[start - 1].lower() == "the" and names().known.get(f"the {text}") == label:
            return Entity(start - 1, stop, label)
        return Entity(start, stop, label)
    return None


def joined(words: Sequence[str]) -> str:
    """Words as one text in lower case, the possessive at the word before it."""
    text = " ".join(words).lower()
    return text.replace(" '", "'").replace(" ’", "'").replace(" - ", "-")


def stands_alone(words: Sequence[str], start: int, end: int, headline: bool) -> bool:
    """Whether one capitalised word may be a name by itself: not part of a longer one, not a common word by chance."""
    if end - start > 1 and words[start + 1][:1].isupper():
        return False  # "Paris Hilton": judged as a whole
    if start and words[start - 1][:1].isupper() and not is_common(words[start - 1].lower()):
        return False
    return not ((headline or opens_sentence(words, start)) and is_common(words[start].lower()))


@lru_cache(maxsize=8192)
def label_of(text: str) -> str:
    """Kind of a well-known name in lower case, "" for anything else."""
    lists = names()
    if text in lists.none:
        return ""
    if text in lists.known:
        return lists.known[text]
    if text in lists.given:
        return "PERSON"
    senses = wordnet.proper_senses(text.replace(" ", "_"))
    return next(filter(None, map(label_of_synset, senses)), "")


@lru_cache(maxsize=8192)
def label_of_synset(synset: str) -> str:
    """Kind of one named thing in WordNet; "" for what is written with a capital but is a kind (an American)."""
    if not wordnet.is_instance(synset):
        return ""
    kind = wordnet.lexfile(synset)
    return "PLACE" if kind == ARTIFACT else KINDS.get(kind, "OTHER")


@lru_cache(maxsize=16384)
def is_common(word: str) -> bool:
    """Whether a word in lower case has an ordinary meaning that is not rarer than its being a name."""
    if word in CLOSED:
        return True
    proper = set(wordnet.proper_senses(word))
    nouns = wordnet.senses(wordnet.morphy(word, "n") or word, "n")
    ordinary = [count for synset, count in nouns if synset not in proper]
    others = any(wordnet.morphy(word, letter) for letter in "var")
    if word in names().given:
        return bool(ordinary and max(ordinary) > 4)
    if proper and nouns and nouns[0][0] in proper:
        return False
    return bool(ordinary) or others


def opens_sentence(words: Sequence[str], position: int) -> bool:
    return position == 0 or words[position - 1] in SENTENCE_ENDS


def unknown_name(
    words: Sequence[str], pos: Sequence[str], start: int, end: int, headline: bool
) -> Iterator[Entity]:
    """One name of words that are not known as a name together, without the words that surround it by chance."""
    while start < end and not begins_name(words, pos, start, end, headline):
        start += 1
    while end > start and not words[end - 1][:1].isupper() and not words[end - 1].isdigit():
        end -= 1
    if start < end and not (
        headline and end - start > 0 and all(is_common(w.lower()) for w in words[start:end])
    ):
        label = guess_label(words, pos, start, end)
        if label:
            yield Entity(start, end, label)


def begins_name(words: Sequence[str], pos: Sequence[str], start: int, end: int, headline: bool) -> bool:
    """Whether a name may begin with this word."""
    word = words[start].lower()
    if not words[start][:1].isupper() or word in names().none:
        return False
    if headline:
        return not is_common(word) and pos[start] not in {"DET", "ADP", "CCONJ", "PRON", "AUX", "PART"}
    if not opens_sentence(words, start):
        return True
    if pos[start] not in {"NOUN", "PROPN", "ADJ", "VERB", "NUM"}:
        return False
    more = start + 1 < end and words[start + 1][:1].isupper()
    return not is_common(word) or (more and is_name_start(word)) or (more and end - start > 2)


def is_name_start(word: str) -> bool:
    lists = names()
    return word in lists.given or word in lists.before_surname or word in lists.place_starts


def guess_label(words: Sequence[str], pos: Sequence[str], start: int, end: int) -> str:
    """Kind of a name from its first and last words and the words around it; "" for no name at all."""
    lists = names()
    first, last = words[start].lower(), words[end - 1].lower()
    single = end - start == 1
    before = words[start - 1].lower() if start else ""
    if single and (first in lists.none or (is_common(first) and not is_acronym(words[start]))):
        return ""
    if not single:
        if last in lists.last_words:
            return lists.last_words[last]
        if first in lists.place_starts:
            return "PLACE"
        if first in lists.given or first in lists.before_surname:
            return "PERSON"
        if label := label_of_head(last):
            return label
    if before in lists.titles or first in lists.titles:
        return "PERSON"
    if before in AUTHOR_CUES:
        return "PERSON"
    if before in PLACE_CUES and not is_acronym(words[start]):
        return "PLACE"
    if is_acronym(words[start]) and single:
        return "ORGANISATION"
    following = pos[end] if end < len(pos) else ""
    if following == "VERB" or (end < len(words) and words[end] in POSSESSIVES):
        return "PERSON"
    return "OTHER"


def label_of_head(word: str) -> str:
    """Kind of a name whose last word is a common noun of places, groups or events, "" for others."""
    senses = wordnet.synsets(lemma_of(word, "NOUN"), "n")
    label = KINDS.get(wordnet.lexfile(senses[0]), "") if senses else ""
    return label if label in {"PLACE", "ORGANISATION", "EVENT"} else ""


def is_acronym(word: str) -> bool:
    return 1 < len(word) < 6 and word.isupper()
