"""Which tags the words of a caption mention: a trie over terms, longest match first.

Only the words themselves are compared here; hypernyms are in `meaning.py`, negation in `negation.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mlmodels.core.language.vocabulary import EXACT, OTHER_PART, Word, caption_keys, fold, term_paths
from mlmodels.core.types import TagTerm

# Set by hand to rank. On 2,084 captions the tag was true for 0.76 of exact, 0.77 of lemma and 0.39 of
# other-part mentions; aliases were not measured.
SCORES = {"exact": 0.85, "alias": 0.85, "lemma": 0.8}
OTHER_PART_SCORE = 0.5


class Mention(NamedTuple):
    """A tag that words [first, last) of a caption speak of."""

    tag_id: int
    first: int
    last: int
    rule: str
    score: float


@dataclass(slots=True)
class Node:
    """One step of the trie; `ends` holds (tag id, named by an alias, freedom) of the terms that end here."""

    children: dict[str, "Node"] = field(default_factory=dict)
    ends: list[tuple[int, bool, int]] = field(default_factory=list)


class TermTrie:
    """All names and aliases of a vocabulary; time to search depends on the caption, not on the vocabulary."""

    def __init__(self, tags: Sequence[TagTerm], tokenize: Callable[[str], Sequence[str]]) -> None:
        self._root = Node()
        for tag in tags:
            for number, text in enumerate((tag.name, *tag.aliases)):
                forms = tuple(fold(form) for form in tokenize(text))
                for path, freedom in term_paths(forms).items() if forms else ():
                    self._insert(path, (tag.id, number > 0, freedom))

    def _insert(self, path: tuple[str, ...], end: tuple[int, bool, int]) -> None:
        node = self._root
        for key in path:
            node = node.children.setdefault(key, Node())
        node.ends.append(end)

    def find(self, words: Sequence[Word]) -> list[Mention]:
        """Mentions in order; where terms overlap, the one that starts first and is longest stands.

        Args:
            words: the caption's words.

        Returns:
            One mention for each tag at each place, with its rule and score.
        """
        keys = [caption_keys(word.form, word.pos, word.lemma) for word in words]
        mentions: list[Mention] = []
        first = 0
        while first < len(words):
            last, ends = self._longest(keys, first)
            mentions.extend(
                Mention(tag_id, first, last, *rule_and_score(alias, freedom))
                for tag_id, (freedom, alias) in ends.items()
            )
            first = max(last, first + 1)
        return mentions

    def _longest(
        self, keys: Sequence[tuple[tuple[str, int], ...]], first: int
    ) -> tuple[int, dict[int, tuple[int, bool]]]:
        """End of the longest term that starts at `first`, and its tags with (freedom, named by an alias)."""
        open_nodes = [(self._root, EXACT)]
        longest: tuple[int, dict[int, tuple[int, bool]]] = (first, {})
        for position in range(first, len(keys)):
            open_nodes = [
                (child, max(freedom, free))
                for node, freedom in open_nodes
                for key, free in keys[position]
                if (child := node.children.get(key)) is not None
            ]
            if not open_nodes:
                break
            ends = strictest(open_nodes)
            if ends:
                longest = (position + 1, ends)
        return longest


def strictest(nodes: Sequence[tuple[Node, int]]) -> dict[int, tuple[int, bool]]:
    """For each tag that ends at these nodes, its least free reading; a name goes before an alias."""
    ends: dict[int, tuple[int, bool]] = {}
    for node, freedom in nodes:
        for tag_id, alias, stored in node.ends:
            reading = (max(freedom, stored), alias)
            ends[tag_id] = min(ends.get(tag_id, reading), reading)
    return ends


def rule_and_score(alias: bool, freedom: int) -> tuple[str, float]:
    if freedom == EXACT:
        rule = "alias" if alias else "exact"
        return rule, SCORES[rule]
    return "lemma", OTHER_PART_SCORE if freedom == OTHER_PART else SCORES["lemma"]
