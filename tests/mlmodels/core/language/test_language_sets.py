"""The hand-labelled sets that judge the caption reader are well-formed and kept apart. Judges no rule."""

from collections import Counter
from itertools import pairwise

import pytest

from benchmarks import gold

SIZES = {  # what each part holds at least
    "development": {"captions": 50, "lemmas": 50, "entities": 20, "negations": 20, "phrases": 33},
    "held_back": {"captions": 150, "lemmas": 150, "entities": 60, "negations": 60, "phrases": 100},
}


def parts_of(texts: list[tuple[str, str]]) -> dict[str, set[str]]:
    """The parts in which each text stands, whatever its case and punctuation."""
    found: dict[str, set[str]] = {}
    for part, text in texts:
        bare = "".join(sign for sign in text.casefold() if sign.isalnum())
        found.setdefault(bare, set()).add(part)
    return found


def test_offsets_point_at_the_words_they_name() -> None:
    for caption in gold.captions():
        for label in (*caption.heads, *caption.lemmas, *caption.entities):
            assert caption.text[label.start : label.end] == label.text, caption.text
            assert not caption.text[label.start - 1 : label.start].isalnum(), caption.text
            assert not caption.text[label.end : label.end + 1].isalnum(), caption.text


def test_labels_stand_in_order_without_overlap() -> None:
    for caption in gold.captions():
        for labels in (caption.heads, caption.lemmas, caption.entities):
            assert all(first.end <= second.start for first, second in pairwise(labels)), caption.text


def test_base_forms_differ_from_the_words_and_entities_have_known_kinds() -> None:
    for caption in gold.captions():
        assert all(label.value == label.value.lower() != label.text.lower() for label in caption.lemmas)
        assert all(label.value in gold.KINDS for label in caption.entities)


@pytest.mark.parametrize("part", gold.PARTS)
def test_each_part_is_large_enough(part: str) -> None:
    captions = [caption for caption in gold.captions() if caption.part == part]
    sizes = {
        "captions": len(captions),
        "lemmas": sum(len(caption.lemmas) for caption in captions),
        "entities": sum(len(caption.entities) for caption in captions),
        "negations": sum(negation.part == part for negation in gold.negations()),
        "phrases": sum(phrase.part == part for phrase in gold.phrases()),
    }
    assert {name: sizes[name] for name, least in SIZES[part].items() if sizes[name] < least} == {}


def test_no_caption_stands_twice() -> None:
    times = Counter(caption.text.casefold() for caption in gold.captions())
    assert [text for text, count in times.items() if count > 1] == []


def test_nothing_of_the_development_part_is_held_back() -> None:
    texts = [(caption.part, caption.text) for caption in gold.captions()]
    texts += [(negation.part, negation.sentence) for negation in gold.negations()]
    texts += [(phrase.part, phrase.phrase) for phrase in gold.phrases()]
    assert {part for part, _text in texts} == set(gold.PARTS)
    assert [text for text, parts in parts_of(texts).items() if len(parts) > 1] == []


def test_negated_words_stand_once_in_their_sentences_and_both_answers_occur() -> None:
    for negation in gold.negations():
        words = "".join(sign if sign.isalnum() else " " for sign in negation.sentence.casefold()).split()
        assert words.count(negation.word) == 1, negation
    for part in gold.PARTS:
        answers = [negation.negated for negation in gold.negations() if negation.part == part]
        assert 0.45 <= sum(answers) / len(answers) <= 0.65


def test_expected_tags_are_in_the_vocabulary_but_not_in_their_phrases() -> None:
    vocabulary = gold.tags()
    assert len(vocabulary) == len(set(vocabulary))
    for phrase in gold.phrases():
        assert {phrase.tag, *phrase.also_right} <= set(vocabulary), phrase
        assert phrase.tag not in phrase.also_right
        assert phrase.tag not in phrase.phrase.casefold().split()
