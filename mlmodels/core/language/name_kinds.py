"""What kind of name some words are: by the lists of well-known names, by WordNet, or by the words around them.

Where a name begins and ends is found in `entities.py`.
"""

from collections.abc import Sequence
from functools import lru_cache

from mlmodels.core.language import wordnet
from mlmodels.core.language.lemmas import lemma_of
from mlmodels.core.language.names import names
from mlmodels.core.language.parts import CLOSED

# WordNet's broad kinds of nouns (lexnames(5WN)); animals, food, plants and substances name kinds, not one.
KINDS = {4: "EVENT", 10: "WORK", 11: "EVENT", 14: "ORGANISATION", 15: "PLACE", 17: "PLACE", 18: "PERSON"}
KINDS_OF_ONE = frozenset({14, 15})  # a group or place is one thing, even where WordNet calls it a kind
ARTIFACT = 6
POSSESSIVES = frozenset(["'s", "’s", "'", "’"])
_PLACE_CUES = "in at near from to through across around outside inside above over ,"
PLACE_CUES = frozenset(_PLACE_CUES.split())
AUTHOR_CUES = frozenset(["by"])
PORTRAITS = frozenset(
    ["statue", "portrait", "bust", "photo", "picture", "painting", "image", "poster", "mural", "fan"]
)


@lru_cache(maxsize=8192)
def label_of(text: str, in_place: bool = False) -> str:
    """Kind of a well-known name in lower case, "" for anything else; `in_place` where a place is expected."""
    lists = names()
    if text in lists.none:
        return ""
    if text in lists.known:
        return lists.known[text]
    senses = wordnet.proper_senses(text.replace(" ", "_"))
    labels = [label for label in map(label_of_synset, senses) if label]
    if labels and " " in text and (label := lists.last_words.get(text.rpartition(" ")[2], "")):
        return label  # WordNet takes a university for its buildings
    if in_place and "PLACE" in labels:
        return "PLACE"
    if text in lists.given:
        return "PERSON"
    return labels[0] if labels else ""


@lru_cache(maxsize=8192)
def label_of_synset(synset: str) -> str:
    """Kind of a named thing in WordNet; "" for what is written with a capital but is no one thing (an American)."""
    kind = wordnet.lexfile(synset)
    if wordnet.is_instance(synset):
        return "PLACE" if kind == ARTIFACT else KINDS.get(kind, "OTHER")
    return KINDS[kind] if kind in KINDS_OF_ONE else ""


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
    return bool(ordinary) or others


def guess_label(words: Sequence[str], pos: Sequence[str], start: int, end: int) -> str:
    """Kind of a name from its first and last words and the words around it; "" for no name at all."""
    lists = names()
    first, last = words[start].lower(), words[end - 1].lower()
    before = words[start - 1].lower() if start else ""
    single = end - start == 1
    if single and (first in lists.none or (is_common(first) and not is_acronym(words[start]))):
        return ""
    if not single and (label := label_by_parts(first, last)):
        return label
    if before in lists.titles or first in lists.titles or before in AUTHOR_CUES:
        return "PERSON"
    if before == "of" and start > 1:
        return label_after_of(words[start - 2].lower())
    if before in PLACE_CUES and not is_acronym(words[start]) and (before != "," or closes(words, end)):
        return "PLACE"
    if single and is_acronym(words[start]):
        return "ORGANISATION"
    if start and pos[start - 1] == "NOUN":
        return label_after_noun(before)
    is_owner = end < len(words) and words[end] in POSSESSIVES
    acts = end < len(words) and pos[end] in {"VERB", "AUX"}
    return "PERSON" if acts or is_owner else "OTHER"


def closes(words: Sequence[str], end: int) -> bool:
    """Whether a name stands after the text's only comma, as the place of what is told before."""
    return len(words) - end < 2 and list(words).count(",") == 1 and not any(map(str.isalnum, words[end:]))


def label_by_parts(first: str, last: str) -> str:
    """Kind of a name of several words by its last or first word, "" where these tell nothing."""
    lists = names()
    if last in lists.last_words or first in lists.last_words:  # "Modern Art Museum", "Museum of Modern Art"
        return lists.last_words.get(last) or lists.last_words[first]
    if first in lists.place_starts:
        return "PLACE"
    if first in lists.given or first in lists.before_surname or first in lists.titles:
        return "PERSON"
    return label_of_head(last)


def label_after_of(noun: str) -> str:
    """Kind of an unknown name by what is "of" it: the harbour of a place, a statue of somebody."""
    if noun in PORTRAITS:
        return "PERSON"
    kind = kind_of(noun)
    return "ORGANISATION" if kind in {14, 18} else "PLACE"


def label_after_noun(noun: str) -> str:
    """Kind of an unknown name by the noun before it: the singer, the town, the ship."""
    return {18: "PERSON", 15: "PLACE", 14: "ORGANISATION"}.get(kind_of(noun), "OTHER")


def kind_of(noun: str) -> int:
    """WordNet's broad kind of a noun's first sense; -1 for an unknown one."""
    senses = wordnet.synsets(lemma_of(noun, "NOUN"), "n")
    return wordnet.lexfile(senses[0]) if senses else -1


def label_of_head(word: str) -> str:
    """Kind of a name whose last word is a common noun of places, groups or events, "" for others."""
    label = KINDS.get(kind_of(word), "")
    return label if label in {"PLACE", "ORGANISATION", "EVENT"} else ""


def is_acronym(word: str) -> bool:
    return 1 < len(word) < 6 and word.isupper()
