"""Which normal forms a vocabulary has already, and what its tags mean: the test of every proposal."""

import re
from collections.abc import Sequence

from mlmodels.core.language import wordnet
from mlmodels.core.language.census import Form
from mlmodels.core.language.matching import TermTrie
from mlmodels.core.language.meaning import term_synsets, weighted_senses
from mlmodels.core.language.occurrences import ACTION
from mlmodels.core.language.words import Word, fold
from mlmodels.core.types import TagTerm

BETWEEN_WORDS = re.compile(r"[\s\-‐‑–]+")


class KnownWords:
    """The names and aliases of a vocabulary.

    Example:
        >>> known = KnownWords([TagTerm(1, "dog", ("puppy",)), TagTerm(2, "running")])
        >>> known.covers(Form(3, "phrase", "puppy", ("puppy",), [])), known.covers(Form(3, "action", "x", ("run",), []))
        (True, True)
        >>> known.covers(Form(3, "phrase", "dog house", ("dog", "house"), []))
        False
    """

    def __init__(self, tags: Sequence[TagTerm]) -> None:
        self._trie = TermTrie(tags, split)

    def covers(self, form: Form) -> bool:
        """Whether the whole form is a name or alias, in any inflection or part of speech."""
        pos = "VERB" if form.kind == ACTION else "NOUN"
        words = [Word(part, pos, part, len(part)) for text in form.parts for part in split(text)]
        spoken = [Word(part, "", part, len(part)) for part in split(fold(form.text))]
        return any(
            first == 0 and last == len(said)
            for said in (words, spoken)
            for first, last, _tags in self._trie.find(said)
        )


def split(text: str) -> list[str]:
    """The words of a term; hyphens part words as spaces do."""
    return [part for part in BETWEEN_WORDS.split(text) if part]


def senses_of_tag(tag: TagTerm) -> dict[str, float]:
    """Synsets of a tag's name and aliases, each with its weight in (0, 1]."""
    best: dict[str, float] = {}
    for text in (tag.name, *tag.aliases):
        for synset, weight in term_synsets(tuple(fold(part) for part in split(text))):
            best[synset] = max(best.get(synset, 0.0), weight)
    return best


def senses_of_form(form: Form) -> list[tuple[str, float]]:
    """Synsets of a normal form with weights; names have none, since WordNet's people and places are others."""
    if form.kind == ACTION:
        return weighted_senses(form.parts[-1], "v")
    joined = "_".join(form.parts)
    return weighted_senses(joined, "n") if wordnet.senses(joined, "n") else []
