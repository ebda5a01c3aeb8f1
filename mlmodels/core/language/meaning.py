"""Tags that a word implies through WordNet: a puppy is a dog, a skateboarder has a skateboard, snowy means snow.

Kinds are one rule ("hypernym"); relatives of the word, and what is near to it (`near_meaning.py`), another ("meaning").
Senses are not disambiguated: the first four count, the later ones by how often they were counted beside the first.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from operator import itemgetter

from mlmodels.core.language import wordnet
from mlmodels.core.language.matching import Mention, Named
from mlmodels.core.language.near_meaning import NearMeaning, keep_best
from mlmodels.core.language.vocabulary import LETTERS, term_lemma, term_part
from mlmodels.core.language.words import Kept, Word, fold
from mlmodels.core.types import TagTerm

SCORES = {"n": 0.8, "v": 0.6}  # a hypernym of no steps, that is a synonym
STEP = 0.9
DERIVED_SCORE = 0.5
SYNONYM_HEAD_SCORE = 0.5
LEAST_SCORE = 0.02
MOST_NEAR = 12  # tags that a base form suggests by nearness alone; bounds the time for large vocabularies
SENSES = 4
SECOND_SENSE = (0.2, 0.7)  # least and most weight
LATER_SENSE = 0.5  # the third weighs half as much as the second would, the fourth half of that
LONGEST_COMPOUND = 3
COMPOUND_PARTS = frozenset({"NOUN", "PROPN", "ADJ", "VERB", "NUM"})


class MeaningIndex:
    """The synsets of a vocabulary; what a base form implies is looked up once and kept."""

    def __init__(self, tags: Sequence[TagTerm], tokenize: Callable[[str], Sequence[str]]) -> None:
        self._tags_of: dict[str, dict[int, float]] = defaultdict(dict)
        self._tags_by_root: dict[str, dict[int, float]] = defaultdict(dict)
        self._near = NearMeaning()
        self._implied = Kept(self._look_up)
        for tag in tags:
            for text in (tag.name, *tag.aliases):
                forms = tuple(fold(form) for form in tokenize(text))
                synsets = term_synsets(forms)
                self._near.add(tag.id, forms, synsets)
                for synset, weight in synsets:
                    keep_best(self._tags_of[synset], tag.id, weight)
                    for root in roots(synset):
                        keep_best(self._tags_by_root[root], tag.id, weight)

    def _look_up(self, lemma_and_letter: tuple[str, str]) -> tuple[Named, ...]:
        """Tags that a base form implies as noun "n", verb "v" or adjective "a", with score and rule."""
        lemma, letter = lemma_and_letter
        best: dict[int, Named] = {}
        near: dict[int, float] = dict(self._near.by_word(lemma))
        for synset, weight in weighted_senses(lemma, letter, SENSES):
            for implied in chain(
                self._above(synset, weight),
                self._of_one_root(synset, weight),
                self._by_synonym(synset, weight),
            ):
                known = best.get(implied.tag_id)
                if implied.score >= LEAST_SCORE and (known is None or implied.score > known.score):
                    best[implied.tag_id] = implied
            for tag_id, score in self._near.by_synset(synset):
                keep_best(near, tag_id, score * weight)
        nearest = heapq.nlargest(MOST_NEAR, near.items(), key=itemgetter(1))
        for tag_id, score in nearest:
            if score >= LEAST_SCORE and (tag_id not in best or score > best[tag_id].score):
                best[tag_id] = Named(tag_id, "meaning", score)
        return tuple(best.values())

    def _above(self, synset: str, weight: float) -> Iterator[Named]:
        score = SCORES.get(synset[0], 0.0) * weight
        for ancestor, steps in wordnet.ancestors(synset).items():
            for tag_id, tag_weight in self._tags_of.get(ancestor, {}).items():
                yield Named(tag_id, "hypernym", score * tag_weight * STEP**steps)

    def _of_one_root(self, synset: str, weight: float) -> Iterator[Named]:
        tags_of = self._tags_of if synset[0] == "a" else self._tags_by_root
        for root in roots(synset):
            for tag_id, tag_weight in tags_of.get(root, {}).items():
                yield Named(tag_id, "meaning", DERIVED_SCORE * weight * tag_weight)

    def _by_synonym(self, synset: str, weight: float) -> Iterator[Named]:
        for head in synonym_heads(synset):
            for tag_id, tag_weight in self._tags_of.get(head, {}).items():
                yield Named(tag_id, "meaning", SYNONYM_HEAD_SCORE * weight * tag_weight)

    def find(self, words: Sequence[Word]) -> list[Mention]:
        """Mentions by meaning; a compound in WordNet ("dirt bike") speaks instead of its last word."""
        mentions: list[Mention] = []
        for position, word in enumerate(words):
            letter = LETTERS.get(word.pos, "") if word.pos != "AUX" else ""
            if not letter:
                continue
            first, lemma = compound(words, position) if letter == "n" else (position, word.lemma)
            if implied := self._implied[lemma, letter]:
                mentions.append((first, position + 1, implied))
        return mentions


def roots(synset: str) -> tuple[str, ...]:
    """What a synset shares with its derivations: a noun's verbs, a verb itself, an adjective's nouns."""
    return (synset,) if synset[0] == "v" else wordnet.derived(synset)


def synonym_heads(synset: str) -> set[str]:
    """First sense of the last word of each compound that means the same ("male child", a boy, is a child).

    Only within one broad kind: a hot dog is food, and no dog.

    Example:
        >>> wordnet.synsets("child", "n")[0] in synonym_heads(wordnet.synsets("boy", "n")[0])
        True
    """
    if synset[0] != "n":
        return set()
    heads = (lemma.rpartition("_")[2] for lemma in wordnet.lemmas(synset) if "_" in lemma)
    first_senses = {senses[0] for head in heads if (senses := wordnet.synsets(head, "n"))}
    return {head for head in first_senses if wordnet.lexfile(head) == wordnet.lexfile(synset)}


def weighted_senses(lemma: str, letter: str, most: int = 2) -> list[tuple[str, float]]:
    """The first senses with weights: 1, then each one's share of the first's count, bounded, less for later ones.

    Example:
        >>> [(synset, round(weight, 2)) for synset, weight in weighted_senses("dog", "n")]
        [('n02084071', 1.0), ('n10114209', 0.2)]
    """
    found = wordnet.senses(lemma, letter)[:most]
    least, greatest = SECOND_SENSE
    weights = [min(greatest, max(least, (count + 1) / (found[0][1] + 1))) for _synset, count in found]
    return [
        (synset, weights[rank] * LATER_SENSE ** (rank - 1) if rank else 1.0)
        for rank, (synset, _count) in enumerate(found)
    ]


def compound(words: Sequence[Word], position: int) -> tuple[int, str]:
    """Where the longest noun that ends at a word and stands in WordNet begins, and its base form."""
    lemma = words[position].lemma
    for length in range(LONGEST_COMPOUND, 1, -1):
        first = position + 1 - length
        if first >= 0 and all(word.pos in COMPOUND_PARTS for word in words[first:position]):
            joined = "_".join([word.form for word in words[first:position]] + [lemma])
            if wordnet.senses(joined, "n"):
                return first, joined
    return position, lemma


def term_synsets(forms: tuple[str, ...]) -> list[tuple[str, float]]:
    """Synsets of a tag's name or alias with weights: its noun senses, and verb senses where it is a verb."""
    if not forms:
        return []
    noun = "_".join((*forms[:-1], term_lemma(forms[-1], "n")))
    found = weighted_senses(noun, "n")
    if len(forms) == 1 and term_part(forms[0]) == "v":
        found += weighted_senses(term_lemma(forms[0], "v"), "v")
    return found
