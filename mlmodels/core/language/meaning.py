"""Tags that a word implies through WordNet: a puppy is a dog, jogging is running.

Senses are not disambiguated: the first two count, the second one less.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mlmodels.core.language import wordnet
from mlmodels.core.language.matching import Mention
from mlmodels.core.language.vocabulary import Word, fold, term_lemma, term_part
from mlmodels.core.types import TagTerm

NOUN_SCORE, VERB_SCORE = 0.8, 0.5
STEP = 0.9
SENSE_WEIGHTS = (1.0, 0.4)
LONGEST_COMPOUND = 3


class Implied(NamedTuple):
    tag_id: int
    score: float


class HypernymIndex:
    """The synsets of a vocabulary; what a lemma implies is looked up once and kept."""

    def __init__(self, tags: Sequence[TagTerm], tokenize: Callable[[str], Sequence[str]]) -> None:
        self._tags_of: dict[str, dict[int, float]] = defaultdict(dict)
        self._implied: dict[tuple[str, str], tuple[Implied, ...]] = {}
        for tag in tags:
            for text in (tag.name, *tag.aliases):
                for synset, weight in term_synsets(tuple(fold(form) for form in tokenize(text))):
                    own = self._tags_of[synset]
                    own[tag.id] = max(own.get(tag.id, 0.0), weight)

    def implied(self, lemma: str, pos: str) -> tuple[Implied, ...]:
        """Tags that a base form ("n" or "v") implies, with scores; at most 65,536 answers are kept."""
        key = (lemma, pos)
        if key not in self._implied:
            if len(self._implied) >= 65536:
                self._implied.clear()
            self._implied[key] = self._look_up(lemma, pos)
        return self._implied[key]

    def _look_up(self, lemma: str, pos: str) -> tuple[Implied, ...]:
        scores: dict[int, float] = {}
        base = NOUN_SCORE if pos == "n" else VERB_SCORE
        for synset, weight in zip(wordnet.synsets(lemma, pos), SENSE_WEIGHTS, strict=False):
            for ancestor, steps in wordnet.ancestors(synset).items():
                for tag_id, tag_weight in self._tags_of.get(ancestor, {}).items():
                    score = base * weight * tag_weight * STEP**steps
                    scores[tag_id] = max(scores.get(tag_id, 0.0), score)
        return tuple(Implied(tag_id, score) for tag_id, score in scores.items())

    def find(self, words: Sequence[Word]) -> list[Mention]:
        """Mentions by hypernym; a compound in WordNet ("dirt bike") speaks instead of its last word."""
        mentions: list[Mention] = []
        for position, word in enumerate(words):
            if word.pos == "VERB":
                first, lemma, pos = position, word.lemma, "v"
            elif word.pos in {"NOUN", "PROPN"}:
                first, lemma = compound(words, position)
                pos = "n"
            else:
                continue
            mentions.extend(
                Mention(tag_id, first, position + 1, "hypernym", score)
                for tag_id, score in self.implied(lemma, pos)
            )
        return mentions


def compound(words: Sequence[Word], position: int) -> tuple[int, str]:
    """Where the longest noun that ends at a word and stands in WordNet begins, and its base form."""
    lemma = words[position].lemma
    for length in range(LONGEST_COMPOUND, 1, -1):
        first = position + 1 - length
        if first >= 0:
            joined = "_".join([word.form for word in words[first:position]] + [lemma])
            if wordnet.senses(joined, "n"):
                return first, joined
    return position, lemma


def term_synsets(forms: tuple[str, ...]) -> list[tuple[str, float]]:
    """Synsets of a tag's name or alias with weights: its noun senses, and verb senses where it is a verb."""
    if not forms:
        return []
    noun = "_".join((*forms[:-1], term_lemma(forms[-1], "n")))
    found = list(zip(wordnet.synsets(noun, "n"), SENSE_WEIGHTS, strict=False))
    if len(forms) == 1 and term_part(forms[0]) == "v":
        found += zip(wordnet.synsets(term_lemma(forms[0], "v"), "v"), SENSE_WEIGHTS, strict=False)
    return found
