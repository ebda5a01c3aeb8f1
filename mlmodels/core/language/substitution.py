"""Words that stand in for a tag's own word, as people's answers show: it is absent, and the answer is yes all the same.

A caption and the verdicts on its image are all that is looked at; what a word means is not asked here.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlmodels.core.types import CaptionReading

OWN_WORDS = frozenset({"exact", "alias", "lemma"})
FEWEST_ANSWERS = 5
LEAST_PRECISION = 0.5
# Somebody writes a synonym instead of the tag's word, and "leash" beside it: with people's yes the word has to be so
# many times as frequent where the tag's own word is absent as where it is there.
LEAST_SUBSTITUTION = 2.0
Z_95 = 1.96


@dataclass(frozen=True)
class Answered:
    """What people said of one captioned image, as ids of tags, and what was read in its caption.

    `own` are the tags whose own words stand in the caption, `terms` its base forms.
    """

    yes: frozenset[int]
    asked: frozenset[int]
    own: frozenset[int]
    terms: frozenset[str]

    @classmethod
    def of(cls, yes: Iterable[int], no: Iterable[int], reading: CaptionReading) -> "Answered":
        """From the verdicts on an image and the reading of its caption; a negated word is a word, too."""
        own = frozenset(match.tag_id for match in reading.matches if match.evidence.rule in OWN_WORDS)
        said = frozenset(yes)
        return cls(said, said | frozenset(no), own, frozenset(reading.terms))


@dataclass(frozen=True)
class Statistics:
    """Of the answered captions with a word and without the tag's own: how many, and how many a yes."""

    support: int
    yes: int

    @property
    def lower(self) -> float:
        return wilson_lower(self.yes, self.support)


def substitutes(answered: Sequence[Answered], words: frozenset[str]) -> dict[tuple[str, int], Statistics]:
    """Words that stand where a tag's own word is absent and people said yes, by (word, tag id).

    Args:
        answered: images with captions that people have answered.
        words: base forms that may be proposed.

    Returns:
        Only pairs with at least 5 yes, a precision of which the 95 % bound is at least 0.5, and a word that is at
        least twice as frequent without the tag's own word as beside it.
    """
    yes_without: Counter[tuple[str, int]] = Counter()
    yes_beside: Counter[tuple[str, int]] = Counter()
    asked_without: Counter[tuple[str, int]] = Counter()
    without: Counter[int] = Counter()
    beside: Counter[int] = Counter()
    for one in answered:
        without.update(one.yes - one.own)
        beside.update(one.yes & one.own)
        for word in one.terms & words:
            yes_without.update((word, tag_id) for tag_id in one.yes - one.own)
            yes_beside.update((word, tag_id) for tag_id in one.yes & one.own)
            asked_without.update((word, tag_id) for tag_id in one.asked - one.own)
    found = {}
    for (word, tag_id), yes in yes_without.items():
        statistics = Statistics(support=asked_without[word, tag_id], yes=yes)
        rate_without = yes / without[tag_id]
        rate_beside = (yes_beside[word, tag_id] + 1) / (beside[tag_id] + 1)
        replaces = beside[tag_id] > 0 and rate_without >= LEAST_SUBSTITUTION * rate_beside
        if yes >= FEWEST_ANSWERS and statistics.lower >= LEAST_PRECISION and replaces:
            found[word, tag_id] = statistics
    return found


def wilson_lower(successes: int, trials: int) -> float:
    """Lower end of the 95 % score interval of a share (Wilson 1927).

    Example:
        >>> round(wilson_lower(9, 10), 3), wilson_lower(0, 0)
        (0.596, 0.0)
    """
    if trials == 0:
        return 0.0
    share, z2 = successes / trials, Z_95**2
    spread = Z_95 * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    return max(0.0, (share + z2 / (2 * trials) - spread) / (1 + z2 / trials))
