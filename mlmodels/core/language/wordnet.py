"""WordNet's facts from the shipped pack: senses, how often each was counted, hypernyms, base forms.

A synset is named as ImageNet names it: part of speech and eight-digit offset in WordNet 3.0 ("n02084071").
Definitions are not here; how the pack is stored is in `pack.py`.
"""

from collections import deque
from functools import cache, lru_cache

import numpy as np

from mlmodels.core.language.pack import PACK_PATH, PosTable, read_arrays

OFTENER = 5  # times that a noun must be met for its plural not to be a word of its own
OWN_WORDS = frozenset({"glasses", "spectacles"})

# Endings and what replaces them: the detachment rules of WordNet's morphy(7WN).
DETACHMENTS: dict[str, tuple[tuple[str, str], ...]] = {
    "n": (
        ("ses", "s"),
        ("ves", "f"),
        ("xes", "x"),
        ("zes", "z"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("men", "man"),
        ("ies", "y"),
        ("s", ""),
    ),
    "v": (
        ("ies", "y"),
        ("s", ""),
        ("es", "e"),
        ("es", ""),
        ("ed", "e"),
        ("ed", ""),
        ("ing", "e"),
        ("ing", ""),
    ),
    "a": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
    "r": (),
}


@cache
def tables() -> dict[str, PosTable]:
    """The pack, read on first use and kept."""
    arrays = _arrays()
    return {pos: PosTable(pos, arrays) for pos in "nvar"}


@cache
def _arrays() -> dict[str, np.ndarray]:
    return read_arrays(PACK_PATH)


@cache
def _defining_words() -> tuple[str, ...]:
    return tuple(_arrays()["defining_words"].tobytes().decode().split("\n"))


@lru_cache(maxsize=32768)
def senses(lemma: str, pos: str) -> tuple[tuple[str, int], ...]:
    """Synsets of a base form with the number of times each was counted in WordNet's corpora.

    Args:
        lemma: base form in lower case; a phrase may use spaces or underscores.
        pos: "n", "v", "a" or "r".

    Returns:
        (synset, count) pairs, most frequent sense first; empty for an unknown lemma.

    Example:
        >>> senses("dog", "n")[0]
        ('n02084071', 42)
    """
    table = tables()[pos]
    return tuple((table.name(rank), count) for rank, count in table.senses(lemma.replace(" ", "_")))


def synsets(lemma: str, pos: str) -> tuple[str, ...]:
    """Synsets of a base form, most frequent sense first.

    Example:
        >>> synsets("golden retriever", "n")
        ('n02099601',)
    """
    return tuple(synset for synset, _count in senses(lemma, pos))


def lexfile(synset: str) -> int:
    """Number of the broad kind that a synset is filed under: 5 animals, 13 food, 18 people (lexnames(5WN)).

    Example:
        >>> lexfile("n02084071")
        5
    """
    table = tables()[synset[0]]
    return int(table.lexfiles[table.rank(synset)])


@lru_cache(maxsize=16384)
def proper_senses(lemma: str) -> tuple[str, ...]:
    """Noun synsets in which a lemma is a name, most frequent first: written with a capital, or an instance.

    Example:
        >>> proper_senses("turkey") == synsets("turkey", "n")[1:2], proper_senses("dog")
        (True, ())
    """
    table = tables()["n"]
    stored = lemma.replace(" ", "_")
    capitals = set(table.capitalised(stored))
    return tuple(
        table.name(rank) for rank, _count in table.senses(stored) if rank in capitals or table.instances[rank]
    )


@lru_cache(maxsize=16384)
def defining(synset: str) -> tuple[str, ...]:
    """Common nouns and verbs, as base forms, that define a noun or verb synset, or name what it is a part of.

    Example:
        >>> "church" in defining(synsets("steeple", "n")[0]), "wedding" in defining(synsets("bridesmaid", "n")[0])
        (True, True)
    """
    table = tables()[synset[0]]
    words = _defining_words()
    return tuple(words[number] for number in table.related("defining", table.rank(synset)))


@lru_cache(maxsize=16384)
def defined_by(word: str) -> int:
    """How many synsets a common word helps to define: the more, the less it tells.

    Example:
        >>> defined_by("wedding") < defined_by("run")
        True
    """
    return _definition_counts().get(word, 0)


@cache
def _definition_counts() -> dict[str, int]:
    arrays, words = _arrays(), _defining_words()
    counts = sum(np.bincount(arrays[f"{pos}.defining"], minlength=len(words)) for pos in "nv")
    return dict(zip(words, np.asarray(counts).tolist(), strict=True))


def is_instance(synset: str) -> bool:
    """Whether a noun synset is one place, person or thing (Paris) rather than a kind of them (capital).

    Example:
        >>> is_instance(synsets("paris", "n")[0]), is_instance(synsets("capital", "n")[0])
        (True, False)
    """
    table = tables()[synset[0]]
    return bool(table.instances[table.rank(synset)])


@lru_cache(maxsize=16384)
def lemmas(synset: str) -> tuple[str, ...]:
    """Words of a synset in alphabetical order, with underscores in phrases.

    Example:
        >>> lemmas("n02084071")
        ('canis_familiaris', 'dog', 'domestic_dog')
    """
    table = tables()[synset[0]]
    return tuple(table.words(table.rank(synset)))


def count(lemma: str, pos: str) -> int:
    """Times a base form was counted as this part of speech, plus one for each sense; 0 when unknown.

    Example:
        >>> count("dog", "n") > count("dog", "v") > count("dog", "a") == 0
        True
    """
    return sum(counted + 1 for _synset, counted in senses(lemma, pos))


@lru_cache(maxsize=16384)
def ancestors(synset: str) -> dict[str, int]:
    """Every hypernym (and, for places and people, class) of a synset with its distance in steps; itself is 0.

    The answer is cached: read it, never change it.

    Example:
        >>> up = ancestors("n02099601")  # golden retriever
        >>> up["n02084071"], up["n00015388"] > up["n02084071"]  # dog, animal
        (4, True)
    """
    table = tables()[synset[0]]
    start = table.rank(synset)
    distances = {start: 0}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for up in table.related("hypernyms", here):
            if up not in distances:
                distances[up] = distances[here] + 1
                waiting.append(up)
    return {table.name(rank): distance for rank, distance in distances.items()}


@lru_cache(maxsize=16384)
def parents(synset: str) -> tuple[str, ...]:
    """The direct hypernyms of a synset.

    Example:
        >>> [lemmas(parent)[0] for parent in parents(synsets("kitchen", "n")[0])]
        ['room']
    """
    table = tables()[synset[0]]
    return tuple(map(table.name, table.related("hypernyms", table.rank(synset))))


def hypernym_distance(synset: str, ancestor: str) -> int | None:
    """Steps up from `synset` to `ancestor`, 0 when they are the same, None when it is no hypernym.

    Example:
        >>> hypernym_distance("n02084071", "n02084071"), hypernym_distance("n02084071", "n02958343")
        (0, None)
    """
    return ancestors(synset).get(ancestor)


DERIVED = {"n": ("verbs", "v"), "a": ("nouns", "n")}


@lru_cache(maxsize=16384)
def derived(synset: str) -> tuple[str, ...]:
    """Synsets that share a root: a noun's verbs (swimmer -> swim), an adjective's nouns (snowy -> snow).

    Empty for verbs and adverbs.

    Example:
        >>> synsets("swim", "v")[0] in derived(synsets("swimmer", "n")[0])
        True
    """
    if synset[0] not in DERIVED:
        return ()
    edge, pos = DERIVED[synset[0]]
    own, other = tables()[synset[0]], tables()[pos]
    return tuple(other.name(rank) for rank in own.related(edge, own.rank(synset)))


@lru_cache(maxsize=32768)
def morphy(word: str, pos: str) -> str | None:
    """Base form of an inflected word that WordNet knows, None when it knows none.

    WordNet's own algorithm (morphy, 7WN), except that a form which is itself a base form stands
    ("glasses", "stairs"), unless its base was met in text far oftener ("fields" is somebody's name, too), and
    that doubled consonants are undone ("jogging" -> "jog").

    Example:
        >>> morphy("women", "n"), morphy("ran", "v"), morphy("jogging", "v"), morphy("zzz", "n")
        ('woman', 'run', 'jog', None)
        >>> morphy("glasses", "n"), morphy("fields", "n")
        ('glasses', 'field')
    """
    exceptions = tables()[pos].exceptions.get(word, [])
    if exceptions:
        return exceptions[0]
    base = singular(word, pos)
    if senses(word, pos) and not (base and _means_rather(base, word, pos)):
        return word
    return base


def _means_rather(base: str, word: str, pos: str) -> bool:
    """Whether an inflected form that is a word of its own ("hands") is far oftener the inflected form."""
    own, bases = _times_met(word, pos), _times_met(base, pos)
    if pos != "n" or not own:
        return bool(bases and not own)
    return bases >= OFTENER * own and word not in OWN_WORDS


def _times_met(lemma: str, pos: str) -> int:
    """How often WordNet's corpora hold any use of the lemma."""
    return sum(counted for _synset, counted in senses(lemma, pos))


@lru_cache(maxsize=32768)
def singular(word: str, pos: str) -> str | None:
    """Base form by detaching an ending, even where the word is a base form itself ("glasses" -> "glass").

    Example:
        >>> singular("glasses", "n"), singular("glass", "n")
        ('glass', None)
    """
    if pos == "n" and (len(word) < 3 or word.endswith("ss")):
        return None
    for ending, replacement in DETACHMENTS[pos]:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            base = word[: -len(ending)] + replacement
            for form in (base, undoubled(base) if not replacement else None):
                if form and senses(form, pos):
                    return form
    return None


def undoubled(base: str) -> str | None:
    """A stem without its doubled last consonant ("jogg" -> "jog"), None when it has none."""
    doubled = len(base) > 3 and base[-1] == base[-2] and base[-1] not in "aeiouls"
    return base[:-1] if doubled else None
