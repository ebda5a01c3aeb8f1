"""Captions per second and core: the whole pipeline, and a vocabulary of 10,000 tags beside spaCy's PhraseMatcher.

CPU seconds of this process are counted, so that other work on the machine matters little. Right and wrong are not
judged here (`language.py`).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from mlmodels.core.language import wordnet
from mlmodels.core.language.matching import TermTrie
from mlmodels.core.language.pipeline import build_pipeline
from mlmodels.core.language.reader import CaptionReader
from mlmodels.core.language.words import HYPHENS, words_of
from mlmodels.core.types import TagTerm

TAGS = 10_000
EVERY = 4  # of WordNet's nouns one in four is looked at, from which the most frequent are taken
CAPTIONS = 5_000  # a pass reads at least so many
PASSES = 5
PHRASE_MATCHER = "PhraseMatcher over base forms"


@dataclass(frozen=True)
class Speed:
    """Median captions per CPU second, its ratio to PhraseMatcher's where both do the same, and the aim."""

    measure: str
    captions_per_s: float
    of_phrase_matcher: float | None
    to_beat: str


def wordnet_tags() -> list[TagTerm]:
    """10,000 tags out of WordNet's nouns: the first word of a synset, and its other words as aliases."""
    table = wordnet.tables()["n"]
    synsets = [table.name(rank) for rank in range(0, len(table.lexfiles), EVERY)]
    words = {synset: [lemma.replace("_", " ") for lemma in wordnet.lemmas(synset)] for synset in synsets}
    by_frequency = sorted(
        synsets, key=lambda synset: -max(wordnet.count(word, "n") for word in words[synset])
    )
    return [
        TagTerm(number, words[synset][0], tuple(words[synset][1:]))
        for number, synset in enumerate(by_frequency[:TAGS])
    ]


def captions_per_s(work: Callable[[], object], captions: int) -> float:
    """The median of several passes, after one that fills the caches."""
    work()
    seconds = []
    for _ in range(PASSES):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return captions / median(seconds)


def first_pass(texts: Sequence[str], name: str | None) -> float:
    """Captions per second of a new pipeline that meets each word for the first time."""
    nlp = build_pipeline(name=name)
    next(nlp.pipe(["warm"]))
    started = time.process_time()
    drain(nlp, texts)
    return len(texts) / (time.process_time() - started)


def drain(nlp: Language, texts: Sequence[str]) -> None:
    for _doc in nlp.pipe(texts):
        pass


def phrase_matcher(nlp: Language, tags: Sequence[TagTerm]) -> PhraseMatcher:
    matcher = PhraseMatcher(nlp.vocab, attr="LEMMA")
    for tag in tags:
        matcher.add(str(tag.id), list(nlp.pipe((tag.name, *tag.aliases))))
    return matcher


def term_trie(nlp: Language, tags: Sequence[TagTerm]) -> TermTrie:
    return TermTrie(
        tags, lambda text: [token.text for token in nlp.tokenizer(text) if token.text not in HYPHENS]
    )


def measure(texts: Sequence[str], name: str | None) -> list[Speed]:
    """Time the texts, repeated until there are 5,000; the vocabulary has 10,000 tags."""
    new = first_pass(texts, name)
    texts = list(texts) * -(-CAPTIONS // len(texts))
    nlp, tags = build_pipeline(name=name), wordnet_tags()
    docs: list[Doc] = list(nlp.pipe(texts))
    words = [words_of(doc).words for doc in docs]
    matcher, trie = phrase_matcher(nlp, tags), term_trie(nlp, tags)
    reader = CaptionReader(tags, pipeline=nlp)

    def speed(work: Callable[[], object]) -> float:
        return captions_per_s(work, len(texts))

    matched = speed(lambda: [matcher(doc) for doc in docs])
    searched = speed(lambda: [trie.find(caption) for caption in words])
    converted = speed(lambda: [trie.find(words_of(doc).words) for doc in docs])
    return [
        Speed("whole pipeline, each word new", new, None, ""),
        Speed("whole pipeline", speed(lambda: drain(nlp, texts)), None, "5,000"),
        Speed(PHRASE_MATCHER, matched, 1.0, ""),
        Speed("trie, words ready", searched, searched / matched, "387,000, ratio 0.91"),
        Speed("trie, from spaCy's Doc", converted, converted / matched, ""),
        Speed("whole reader: pipeline, trie, meaning, negation", speed(lambda: reader.read(texts)), None, ""),
    ]


def print_table(speeds: Sequence[Speed]) -> None:
    print(f"| at {TAGS:,} tags | captions per CPU second | of PhraseMatcher | to beat |")
    print("| --- | --- | --- | --- |")
    for speed in speeds:
        ratio = "" if speed.of_phrase_matcher is None else f"{speed.of_phrase_matcher:.2f}"
        print(f"| {speed.measure} | {speed.captions_per_s:,.0f} | {ratio} | {speed.to_beat} |")
