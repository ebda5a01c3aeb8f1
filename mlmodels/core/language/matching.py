"""Which tags the words of a caption mention: a trie over terms, longest match first.

Only the words themselves are compared here; hypernyms are in `meaning.py`, negation in `negation.py`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mlmodels.core.language.vocabulary import ENGLISH, EXACT, OTHER_PART, Grammar
from mlmodels.core.language.words import Kept, Word, fold
from mlmodels.core.types import TagTerm

# Set by hand to rank. On 2,084 captions the tag was true for 0.76 of exact, 0.77 of lemma and 0.39 of
# other-part mentions; aliases were not measured.
SCORES = {"exact": 0.85, "alias": 0.85, "lemma": 0.8}
OTHER_PART_SCORE = 0.5


class Named(NamedTuple):
    """A tag that some words lead to, by which rule and how surely."""

    tag_id: int
    rule: str
    score: float


Mention = tuple[int, int, tuple[Named, ...]]
"""Words [first, last) of a caption and the tags that they speak of."""


@dataclass(slots=True)
class Node:
    """One step of the trie; `ends` holds (tag id, named by an alias, freedom) of the terms that end here."""

    children: dict[str, "Node"] = field(default_factory=dict)
    ends: list[tuple[int, bool, int]] = field(default_factory=list)


OpenNodes = tuple[tuple[Node, int], ...]


class Start(NamedTuple):
    """Where words lead from the root: the tags they name, and the nodes from which longer terms go on."""

    names: tuple[Named, ...]
    continues: OpenNodes
    follows: frozenset[str]  # keys of which the next word must have one for that
    keys: frozenset[str]  # the last word's own, for a word before it


class TermTrie:
    """All names and aliases of a vocabulary; time to search depends on the caption, not on the vocabulary."""

    def __init__(
        self,
        tags: Sequence[TagTerm],
        tokenize: Callable[[str], Sequence[str]],
        grammar: Grammar = ENGLISH,
    ) -> None:
        self._root = Node()
        self._grammar = grammar
        self._starts = Kept(self._start_of_one)
        self._longer = Kept(self._start_of_more)  # by two words or more, all but the last of which lead on
        for tag in tags:
            for number, text in enumerate((tag.name, *tag.aliases)):
                forms = tuple(fold(form) for form in tokenize(text))
                for path, freedom in grammar.term_paths(forms).items() if forms else ():
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
            The places that name tags, each with the tags, their rules and scores.
        """
        starts = list(map(self._starts.__getitem__, words))
        mentions: list[Mention] = []
        free_from = last = 0
        for alone, _continues, follows, _keys in starts:
            first, last = last, last + 1
            if first < free_from:
                continue
            if follows and last < len(starts) and not follows.isdisjoint(starts[last].keys):
                free_from, names = self._longest(words, first, starts)
            else:
                free_from, names = last, alone
            if names:
                mentions.append((first, free_from, names))
        return mentions

    def _longest(
        self, words: Sequence[Word], first: int, starts: Sequence[Start]
    ) -> tuple[int, tuple[Named, ...]]:
        """End of the longest term that starts at `first`, and what it names."""
        start, last = starts[first], first + 1
        longest = last, start.names
        while last < len(words) and not start.follows.isdisjoint(starts[last].keys):
            last += 1
            start = self._longer[tuple(words[first:last])]
            if start.names:
                longest = last, start.names
        return longest

    def _start_of_one(self, word: Word) -> Start:
        return self._after(((self._root, EXACT),), word)

    def _start_of_more(self, words: tuple[Word, ...]) -> Start:
        *before, word = words
        start = self._longer[tuple(before)] if len(before) > 1 else self._starts[before[0]]
        return self._after(start.continues, word)

    def _after(self, nodes: OpenNodes, word: Word) -> Start:
        """Where a word leads from these nodes."""
        keys = self._grammar.caption_keys(word.form, word.pos, word.lemma)
        reached = [
            (child, max(freedom, free))
            for node, freedom in nodes
            for key, free in keys
            if (child := node.children.get(key)) is not None
        ]
        continues = tuple((node, freedom) for node, freedom in reached if node.children)
        follows = frozenset(child for node, _freedom in continues for child in node.children)
        return Start(strictest(reached), continues, follows, frozenset(key for key, _free in keys))


def strictest(nodes: Iterable[tuple[Node, int]]) -> tuple[Named, ...]:
    """For each tag that ends at these nodes, rule and score of its least free reading; a name before an alias."""
    ends: dict[int, tuple[int, bool]] = {}
    for node, freedom in nodes:
        for tag_id, alias, stored in node.ends:
            reading = (max(freedom, stored), alias)
            ends[tag_id] = min(ends.get(tag_id, reading), reading)
    return tuple(Named(tag_id, *rule_and_score(alias, freedom)) for tag_id, (freedom, alias) in ends.items())


def rule_and_score(alias: bool, freedom: int) -> tuple[str, float]:
    if freedom == EXACT:
        rule = "alias" if alias else "exact"
        return rule, SCORES[rule]
    return "lemma", OTHER_PART_SCORE if freedom == OTHER_PART else SCORES["lemma"]
