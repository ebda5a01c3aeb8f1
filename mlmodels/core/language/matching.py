"""Which tags the words of a caption mention: a trie over terms, longest match first.

Only the words themselves are compared here; hypernyms are in `meaning.py`, negation in `negation.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mlmodels.core.language.vocabulary import ENGLISH, EXACT, KEPT_WORDS, OTHER_PART, Grammar, Word, fold
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


OpenNodes = tuple[tuple[Node, int], ...]
Ends = tuple[tuple[int, str, float], ...]


class Start(NamedTuple):
    """Where a word leads from the root: the tags it names alone, and the nodes from which longer terms go on."""

    ends: Ends
    continues: OpenNodes
    follows: frozenset[str]  # keys of which the next word must have one for that


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
        self._starts: dict[tuple[str, ...], Start | None] = {}  # by form, part and base form; None: no term
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
            One mention for each tag at each place, with its rule and score.
        """
        mentions: list[Mention] = []
        starts = self._starts
        free_from = 0
        make = tuple.__new__  # a NamedTuple's own constructor takes twice as long
        for first, word in enumerate(words):
            key = word[:3]
            try:
                start = starts[key]
            except KeyError:
                start = self._start(key)
            if start is None or first < free_from:
                continue
            last, ends = first + 1, start.ends
            if start.follows and last < len(words) and self._goes_on(start, words[last]):
                last, ends = self._longest(words, first, start)
            for tag_id, rule, score in ends:
                mentions.append(make(Mention, (tag_id, first, last, rule, score)))
            free_from = last
        return mentions

    def _start(self, key: tuple[str, ...]) -> Start | None:
        """What begins with a word, worked out once and kept."""
        if len(self._starts) >= KEPT_WORDS:
            self._starts.clear()
        nodes = self._step(((self._root, EXACT),), key)
        continues = tuple((node, freedom) for node, freedom in nodes if node.children)
        follows = frozenset(child for node, _freedom in continues for child in node.children)
        self._starts[key] = Start(strictest(nodes), continues, follows) if nodes else None
        return self._starts[key]

    def _goes_on(self, start: Start, word: Word) -> bool:
        """Whether any longer term may go on with this word."""
        follows = start.follows
        return any(
            key in follows for key, _free in self._grammar.caption_keys(word.form, word.pos, word.lemma)
        )

    def _step(self, nodes: OpenNodes, key: tuple[str, ...]) -> OpenNodes:
        form, pos, lemma = key
        return tuple(
            (child, max(freedom, free))
            for node, freedom in nodes
            for key, free in self._grammar.caption_keys(form, pos, lemma)
            if (child := node.children.get(key)) is not None
        )

    def _longest(self, words: Sequence[Word], first: int, start: Start) -> tuple[int, Ends]:
        """End of the longest term that starts at `first`, and what it names."""
        longest = (first + 1, start.ends)
        open_nodes = start.continues
        for position in range(first + 1, len(words)):
            open_nodes = self._step(open_nodes, words[position][:3])
            if not open_nodes:
                break
            if ends := strictest(open_nodes):
                longest = (position + 1, ends)
        return longest


def strictest(nodes: OpenNodes) -> Ends:
    """For each tag that ends at these nodes, rule and score of its least free reading; a name before an alias."""
    ends: dict[int, tuple[int, bool]] = {}
    for node, freedom in nodes:
        for tag_id, alias, stored in node.ends:
            reading = (max(freedom, stored), alias)
            ends[tag_id] = min(ends.get(tag_id, reading), reading)
    return tuple((tag_id, *rule_and_score(alias, freedom)) for tag_id, (freedom, alias) in ends.items())


def rule_and_score(alias: bool, freedom: int) -> tuple[str, float]:
    if freedom == EXACT:
        rule = "alias" if alias else "exact"
        return rule, SCORES[rule]
    return "lemma", OTHER_PART_SCORE if freedom == OTHER_PART else SCORES["lemma"]
