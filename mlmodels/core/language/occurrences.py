"""The things, names and actions that a caption speaks of, in normal form with offsets: what proposals are counted over.

A noun phrase gives its nouns and the compounds that end in its head, so that "a big fire truck" names fire, truck and
fire truck; determiners, numbers and free adjectives fall away.
"""

import re
from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from spacy.tokens import Doc, Token

from mlmodels.core.language import wordnet
from mlmodels.core.language.components import PHRASES
from mlmodels.core.language.meaning import COMPOUND_PARTS, LONGEST_COMPOUND
from mlmodels.core.language.negation import negated_by
from mlmodels.core.language.words import HYPHENS, Word, Words, fold, words_of

NOUNS = frozenset({"NOUN", "PROPN"})
LONGEST_NAME = 5  # words; a longer run of capitals is a heading, not a name
LONGEST_TEXT = 60  # characters
# Entities that measure or date something are no things to tag.
MEASURES = frozenset({"DATE", "TIME", "PERCENT", "MONEY", "QUANTITY", "ORDINAL", "CARDINAL"})
PHRASE, ENTITY, ACTION = "phrase", "entity", "action"
SHORT_SYLLABLE = re.compile("[^aeiou]+[aeiou][^aeiouwxy]")  # its last letter is doubled: hug, hugging


class Occurrence(NamedTuple):
    """A normal form at one place of a caption; `parts` are the base forms that it is made of."""

    key: str
    kind: str
    text: str
    parts: tuple[str, ...]
    start: int
    end: int


def occurrences(doc: Doc) -> list[Occurrence]:
    """What a caption speaks of, each normal form where it first stands; negated mentions are left out.

    Args:
        doc: a caption that `build_pipeline` has read.

    Returns:
        Things in reading order, then names, then actions.

    Example:
        >>> from mlmodels.core.language.pipeline import build_pipeline
        >>> doc = build_pipeline()("Two red fire trucks race on the wet street, no dogs")
        >>> [(found.key, found.kind, found.start) for found in occurrences(doc)][:3]
        [('truck', 'phrase', 13), ('fire', 'phrase', 8), ('fire truck', 'phrase', 8)]
        >>> [found.key for found in occurrences(doc)][3:]
        ['street', 'v:race']
    """
    said = words_of(doc)
    negated = negated_by(said.words)
    denied = {said.starts[position] for position in negated}
    names = [name for name in _names(doc) if name.start not in denied]
    named = {place for name in names for place in range(name.start, name.end)}
    found: dict[str, Occurrence] = {}
    for position in _heads(doc, said):
        if position not in negated and said.starts[position] not in named:
            for thing in _things(said, position, doc.text):
                found.setdefault(thing.key, thing)
    for one in (*names, *_actions(said, negated)):
        found.setdefault(one.key, one)
    return list(found.values())


def _heads(doc: Doc, said: Words) -> Iterator[int]:
    """Positions among the words of the heads of the noun phrases."""
    at = {start: position for position, start in enumerate(said.starts)}
    is_parsed = doc.has_annotation("DEP")
    for span in doc.spans.get(PHRASES, ()):
        head: Token = span.root if is_parsed else span[-1]
        if head.pos_ in NOUNS and head.idx in at and any(map(str.isalpha, head.text)):
            yield at[head.idx]


def _things(said: Words, head: int, caption: str) -> Iterator[Occurrence]:
    """The head alone, every compound of up to three words that ends in it, and the nouns before it."""
    words, starts = said.words, said.starts
    last, end = words[head], said.end(head)
    for length in range(1, min(LONGEST_COMPOUND, head + 1) + 1):
        first = head + 1 - length
        before = words[first:head]
        if before and not (
            _is_joined(caption[said.end(first) : starts[first + 1]]) and _is_compound(before, last.lemma)
        ):
            break
        if before and before[0].pos in NOUNS:
            noun = before[0]
            yield Occurrence(noun.lemma, PHRASE, noun.lemma, (noun.lemma,), starts[first], said.end(first))
        parts = (*(word.form for word in before), last.lemma)
        start = starts[first]
        text = " ".join((fold(caption[start : starts[head]]) + last.lemma).split())
        if end - start <= LONGEST_TEXT:
            yield Occurrence(" ".join(parts), PHRASE, text, parts, start, end)


def _is_joined(between: str) -> bool:
    """Whether what stands between two words makes them one: spaces, or a hyphen without any."""
    return not between.strip() or between in HYPHENS


def _is_compound(before: Sequence[Word], lemma: str) -> bool:
    """Nouns before a noun, or anything that WordNet has as one noun ("hot dog", "swimming pool")."""
    if all(word.pos in NOUNS for word in before):
        return True
    may_be = all(word.pos in COMPOUND_PARTS for word in before)
    return may_be and bool(wordnet.senses("_".join([*(word.form for word in before), lemma]), "n"))


def _names(doc: Doc) -> Iterator[Occurrence]:
    """Entities of the pipeline that could be tags, without a leading article."""
    for entity in doc.ents:
        tokens = [token for token in entity if not token.is_space]
        while tokens and tokens[0].pos_ in {"DET", "PRON"}:
            tokens = tokens[1:]
        if not tokens or entity.label_ in MEASURES or len(tokens) > LONGEST_NAME:
            continue
        start, end = tokens[0].idx, tokens[-1].idx + len(tokens[-1])
        text = " ".join(doc.text[start:end].split())
        if len(text) <= LONGEST_TEXT and any(map(str.isalpha, text)):
            yield Occurrence(fold(text), ENTITY, text, tuple(fold(text).split()), start, end)


def _actions(said: Words, negated: Container[int]) -> Iterator[Occurrence]:
    """The verbs that WordNet knows and nothing denies, each under the form in which it would be a tag."""
    for position, (word, start) in enumerate(zip(said.words, said.starts, strict=True)):
        if word.pos == "VERB" and position not in negated and wordnet.senses(word.lemma, "v"):
            end = said.end(position)
            yield Occurrence(f"v:{word.lemma}", ACTION, gerund(word.lemma), (word.lemma,), start, end)


def gerund(lemma: str) -> str:
    """The form under which an action is a tag: a form that WordNet has as a noun before one made by rule.

    Example:
        >>> [gerund(lemma) for lemma in ("run", "ride", "play", "lie", "see", "begin", "travel", "tackle")]
        ['running', 'riding', 'playing', 'lying', 'seeing', 'beginning', 'traveling', 'tackling']
    """
    if lemma.endswith("ie"):
        return lemma[:-2] + "ying"
    if lemma.endswith("e") and not lemma.endswith(("ee", "oe", "ye")):
        return lemma[:-1] + "ing"
    doubled, plain = lemma + lemma[-1] + "ing", lemma + "ing"
    for form in (plain, doubled):
        if wordnet.senses(form, "n"):
            return form
    return doubled if SHORT_SYLLABLE.fullmatch(lemma) else plain
