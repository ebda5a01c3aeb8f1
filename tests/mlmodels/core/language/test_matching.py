"""The trie beside a search that tries every term at every place, and the memory that it keeps."""

import random
from collections.abc import Iterator

import pytest

from mlmodels.core.language import words as caption_words
from mlmodels.core.language.matching import Mention, TermTrie, rule_and_score
from mlmodels.core.language.pipeline import build_pipeline
from mlmodels.core.language.vocabulary import ENGLISH, PLAIN, Grammar
from mlmodels.core.language.words import Kept, Word, words_of
from mlmodels.core.types import TagTerm

PIECES = [
    "dog",
    "dogs",
    "hot",
    "runs",
    "running",
    "run",
    "glasses",
    "glass",
    "fire",
    "truck",
    "trucks",
    "red",
]

Flat = tuple[int, int, int, str, float]


def tried(tags: list[TagTerm], words: list[Word], grammar: Grammar) -> list[Flat]:
    """Every term at every place: the one that starts first and is longest stands."""
    found: list[Flat] = []
    first = 0
    while first < len(words):
        readings: dict[int, dict[int, tuple[int, bool]]] = {}
        for tag_id, alias, stored, path in paths_of(tags, grammar):
            freedom = freedom_of(path, words[first : first + len(path)], grammar)
            if freedom is not None:
                at_end = readings.setdefault(first + len(path), {})
                reading = max(stored, freedom), alias
                at_end[tag_id] = min(at_end.get(tag_id, reading), reading)
        last = max(readings, default=first + 1)
        for tag_id, (freedom, alias) in readings.get(last, {}).items():
            found.append((first, last, tag_id, *rule_and_score(alias, freedom)))
        first = last
    return found


def paths_of(tags: list[TagTerm], grammar: Grammar) -> Iterator[tuple[int, bool, int, tuple[str, ...]]]:
    for tag in tags:
        for number, text in enumerate((tag.name, *tag.aliases)):
            for path, freedom in grammar.term_paths(tuple(text.split())).items():
                yield tag.id, number > 0, freedom, path


def freedom_of(path: tuple[str, ...], words: list[Word], grammar: Grammar) -> int | None:
    """How freely these words make the keys of a path; None where they do not."""
    freedoms = [
        dict(grammar.caption_keys(word.form, word.pos, word.lemma)).get(key)
        for key, word in zip(path, words, strict=False)
    ]
    told = [freedom for freedom in freedoms if freedom is not None]
    return max(told) if len(told) == len(path) else None


def flat(mentions: list[Mention]) -> list[Flat]:
    return [(first, last, *named) for first, last, tags in mentions for named in tags]


@pytest.mark.parametrize("grammar", [ENGLISH, PLAIN])
@pytest.mark.parametrize("seed", range(5))
def test_the_trie_finds_what_trying_every_term_finds(grammar: Grammar, seed: int) -> None:
    chance = random.Random(seed)
    terms = [" ".join(chance.choices(PIECES, k=chance.randint(1, 4))) for _ in range(60)]
    tags = [TagTerm(number, terms[number], (terms[-1 - number],)) for number in range(30)]
    trie = TermTrie(tags, str.split, grammar)
    for doc in build_pipeline().pipe(" ".join(chance.choices(PIECES, k=12)) for _ in range(40)):
        words = words_of(doc).words
        assert sorted(flat(trie.find(words))) == sorted(tried(tags, words, grammar))


def test_words_stand_where_they_are_written() -> None:
    text = "Two  T-shirts - one\nred"
    said = words_of(build_pipeline()(text))
    places = [text[start : said.end(position)] for position, start in enumerate(said.starts)]
    assert places == ["Two", "T", "shirts", "one", "red"]
    assert [word.form for word in said.words] == ["two", "t", "shirts", "one", "red"]
    assert list(said.tokens) == [0, 2, 4, 6, 8]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caption_words, "KEPT_WORDS", 3)
    kept = Kept(str.upper)
    assert [kept[letter] for letter in "abcdefga"] == list("ABCDEFGA")
    assert len(kept) <= 3


def test_a_bounded_memory_changes_no_mention(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = [TagTerm(1, "red fire truck light"), TagTerm(2, "fire"), TagTerm(3, "truck")]
    words = words_of(build_pipeline()("a red fire truck light and a fire and a red fire truck")).words
    expected = TermTrie(tags, str.split).find(words)
    monkeypatch.setattr(caption_words, "KEPT_WORDS", 2)
    assert TermTrie(tags, str.split).find(words) == expected
    assert [(first, last) for first, last, _tags in expected] == [(1, 5), (7, 8), (11, 12), (12, 13)]
