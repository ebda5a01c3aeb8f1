"""Tags that a word is merely near to: another kind of the same thing, or joined by a definition in WordNet.

Weak on purpose, far below what the head takes for a mention. Kinds themselves are in `meaning.py`. Together these
rules raised macro AP from 0.459 to 0.492 on 2,084 captions, on which their scores were set in rough steps.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from mlmodels.core.language import wordnet
from mlmodels.core.language.vocabulary import term_lemma, term_part

# By steps up to what word and tag are both kinds of, at the tag one step at most: a canyon is near a valley.
BESIDE_SCORES = (0.1, 0.06, 0.03)
DEFINED_SCORE = 0.12  # the tag helps to define the word: a steeple is on a church
DEFINES_SCORE = 0.1  # the word helps to define the tag: a hospital is for patients
SHARED_SCORE = 0.04  # one word helps to define both: calf and cow are cattle
NEAREST = max(*BESIDE_SCORES, DEFINED_SCORE, DEFINES_SCORE, SHARED_SCORE)
DEFINES, SHARES = 400, 200  # a word that helps to define more synsets tells nothing, alone or shared
DOING = 100  # a verb that helps to define so many synsets ("run") speaks half as loud

Weights = dict[str, dict[int, float]]
Near = tuple[int, float]
"""A tag's id and its score."""


class NearMeaning:
    """The words and synsets around a vocabulary."""

    def __init__(self) -> None:
        self._by_word: Weights = defaultdict(dict)
        self._defined_by: Weights = defaultdict(dict)
        self._under: Weights = defaultdict(dict)

    def add(self, tag_id: int, forms: Sequence[str], synsets: Sequence[tuple[str, float]]) -> None:
        """Adds a name or alias of a tag, as words, with its weighted synsets."""
        if len(forms) == 1:
            is_doing = term_part(forms[0]) == "v"
            for word in {term_lemma(forms[0], letter) for letter in "nv"}:
                weight = 1 / (1 + wordnet.defined_by(word) / DOING) if is_doing else 1.0
                keep_best(self._by_word[word], tag_id, weight)
        for synset, weight in synsets:
            for parent in wordnet.parents(synset):
                keep_best(self._under[parent], tag_id, weight)
            for word in wordnet.defining(synset):
                keep_best(self._defined_by[word], tag_id, weight)

    def by_word(self, lemma: str) -> Iterator[Near]:
        """Tags that a base form helps to define."""
        if wordnet.defined_by(lemma) <= DEFINES:
            for tag_id, weight in self._defined_by.get(lemma, {}).items():
                yield tag_id, DEFINES_SCORE * weight

    def by_synset(self, synset: str) -> Iterator[Near]:
        """Tags near to one meaning of a word."""
        for ancestor, steps in wordnet.ancestors(synset).items():
            if steps < len(BESIDE_SCORES):
                for tag_id, weight in self._under.get(ancestor, {}).items():
                    yield tag_id, BESIDE_SCORES[steps] * weight
        roots = (synset, *wordnet.derived(synset))
        for word in dict.fromkeys(word for root in roots for word in wordnet.defining(root)):
            for tag_id, weight in self._by_word.get(word, {}).items():
                yield tag_id, DEFINED_SCORE * weight
            if wordnet.defined_by(word) <= SHARES:
                for tag_id, weight in self._defined_by.get(word, {}).items():
                    yield tag_id, SHARED_SCORE * weight


def keep_best(weights: dict[int, float], tag_id: int, weight: float) -> None:
    weights[tag_id] = max(weights.get(tag_id, 0.0), weight)
