"""Named people, places, organisations, works and events: runs of capitals, told apart from mere capitals.

A weak reading: no statistics stand behind it. What kind of name it is, is decided in `name_kinds.py`.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mlmodels.core.language.name_kinds import PLACE_CUES, POSSESSIVES, guess_label, is_common, label_of
from mlmodels.core.language.names import names

SENTENCE_ENDS = frozenset('.!?:;"“”()–—•…|')
HYPHEN = "-"
LONGEST_NAME = 7
FEWEST_WORDS = 3  # below, capitals everywhere are no headline
OPEN_PARTS = frozenset({"NOUN", "PROPN", "VERB", "ADJ"})


class Entity(NamedTuple):
    """Tokens [start, end) of a text and what kind of name they are."""

    start: int
    end: int
    label: str


def find_entities(words: Sequence[str], pos: Sequence[str]) -> list[Entity]:
    """Finds names, in words among which there `may_name` be one.

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


def may_name(words: Sequence[str]) -> bool:
    """Whether a name may be among the words: not in most captions, where a common word alone has a capital.

    Example:
        >>> may_name(["A", "dog"]), may_name(["A", "dog", "in", "Rome"])
        (False, True)
    """
    capitals = [word for word in words if word[:1].isupper()]
    return bool(capitals) and not (capitals == [*words[:1]] and is_common(words[0].lower()))


def is_headline(words: Sequence[str], pos: Sequence[str], capital: Sequence[bool]) -> bool:
    """Whether common words have capitals too: little words after the first one, or all the others."""
    inner = range(1, len(words))
    little = [
        index
        for index in inner
        if pos[index] in {"DET", "ADP", "CCONJ", "PRON", "PART"} and words[index].isalpha()
    ]
    if sum(capital[index] for index in little) * 2 > len(little):
        return True
    others = [index for index in inner if pos[index] in OPEN_PARTS and len(words[index]) > 1]
    common = sum(capital[index] and is_common(words[index].lower()) for index in others)
    return len(others) >= FEWEST_WORDS and common >= 2 and all(capital[index] for index in others)


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
        known = longest_known(words, start, end, headline) or by_last_word(words, pos, start, end, headline)
        if known:
            yield from unknown_name(words, pos, first, start, headline)
            yield known
            first = start = known.end
        else:
            start += 1
    yield from unknown_name(words, pos, first, end, headline)


def longest_known(words: Sequence[str], start: int, end: int, headline: bool) -> Entity | None:
    """The longest name that the lists or WordNet know and that begins here."""
    before = words[start - 1].lower() if start else ""
    for stop in range(min(end, start + LONGEST_NAME), start, -1):
        text = joined(words[start:stop])
        if before == "the" and (label := names().known.get(f"the {text}", "")):
            return Entity(start - 1, stop, label)
        label = label_of(text, before in PLACE_CUES)
        if not label or (stop - start == 1 and not stands_alone(words, start, end, headline)):
            continue
        if stop < end and words[stop][:1].isupper() and words[end - 1].lower() in names().last_words:
            return None  # "Green Bay Packers" is judged as a whole
        return Entity(start, stop, label)
    return None


def by_last_word(
    words: Sequence[str], pos: Sequence[str], start: int, end: int, headline: bool
) -> Entity | None:
    """A name of two words or more that begins here and ends in a word such as "Museum" or "Marathon"."""
    stop = start
    while stop < min(end, start + LONGEST_NAME) and words[stop][:1].isupper():
        stop += 1
    while stop - start > 1 and words[stop - 1].lower() not in names().last_words:
        stop -= 1
    if stop - start < 2 or headline or not begins_name(words, pos, start, stop, headline):
        return None
    return Entity(start, stop, names().last_words[words[stop - 1].lower()])


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
    long = end - start > 2 and pos[start] != "VERB"
    return not is_common(word) or (more and (is_name_start(word) or long))


def is_name_start(word: str) -> bool:
    lists = names()
    return any(word in own for own in (lists.given, lists.before_surname, lists.titles, lists.place_starts))
