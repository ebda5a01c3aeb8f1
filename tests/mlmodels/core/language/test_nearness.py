"""Nearness of captions to tags: hand-computed cosines, and a tag's figure does not depend on the others."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.language import nearness
from mlmodels.core.language.nearness import BACKGROUND, NEUTRAL, SENTENCE, tag_vectors
from mlmodels.core.types import CaptionMatch, CaptionReading, Evidence, TagTerm

Floats = NDArray[np.float32]

PLANTED = {
    SENTENCE.format("dog"): (0.6, 0.8, 0.0),
    SENTENCE.format("hound"): (0.0, 0.6, 0.8),
    SENTENCE.format("boat"): (0.8, 0.0, 0.6),
} | {SENTENCE.format(word): (1.0, 0.0, 0.0) for word in BACKGROUND}
TAGS = [TagTerm(1, "dog", ("hound",)), TagTerm(2, "boat")]


def encode(sentences: Sequence[str]) -> Floats:
    return np.array([PLANTED[sentence] for sentence in sentences], dtype=np.float32)


def test_the_nearest_word_of_a_tag_counts_less_what_any_caption_is_near_to() -> None:
    captions = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=np.float32)

    meaning = tag_vectors(TAGS, encode).meaning(captions)

    # dog - background = (-0.4, 0.8, 0), hound - background = (-1, 0.6, 0.8), boat - background = (-0.2, 0, 0.6)
    dog, hound, boat = np.sqrt(0.8), np.sqrt(2.0), np.sqrt(0.4)
    expected = [[max(0.8 / dog, 0.6 / hound), 0.0], [0.8 / hound, 0.6 / boat], [0.0, 0.0]]
    np.testing.assert_allclose(meaning, np.array(expected) - NEUTRAL, atol=1e-6)


def test_an_image_without_a_vector_says_nothing_of_any_tag() -> None:
    meaning = tag_vectors(TAGS, encode).meaning(np.zeros((2, 3), dtype=np.float32))
    assert meaning.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_a_tag_reads_the_same_whatever_the_vocabulary() -> None:
    captions = np.array([[0.6, 0.0, 0.8]], dtype=np.float32)
    alone = tag_vectors(TAGS[1:], encode).meaning(captions)
    assert tag_vectors(TAGS, encode).meaning(captions)[:, 1:].tolist() == alone.tolist()


def test_no_tag_and_no_caption_are_empty_arrays() -> None:
    captions = np.ones((2, 3), dtype=np.float32)
    assert tag_vectors([], encode).meaning(captions).shape == (2, 0)
    assert tag_vectors(TAGS, encode).meaning(captions[:0]).shape == (0, 2)


def test_a_tag_that_is_itself_the_background_stays_a_number(monkeypatch) -> None:
    monkeypatch.setitem(PLANTED, SENTENCE.format("thing"), (1.0, 0.0, 0.0))
    meaning = tag_vectors([TagTerm(1, "thing")], encode).meaning(np.ones((1, 3), dtype=np.float32))
    np.testing.assert_allclose(meaning, [[-nearness.NEUTRAL]], atol=1e-6)


WORDS = {
    "fishing": (0.0, 0.6, 0.8),
    "ocean": (0.0, 0.0, 1.0),
    "man": (1.0, 0.0, 0.0),
}
CAPTION = "A man fishing in the Ocean."


def encode_words(words: Sequence[str]) -> Floats:
    return np.array([WORDS[word] for word in words], dtype=np.float32)


def explain(meaning: tuple[float, float], *matches: CaptionMatch) -> CaptionReading:
    reading = CaptionReading(matches, ("man", "fish", "ocean"))
    vectors = tag_vectors(TAGS, encode)
    return nearness.explain(
        reading, CAPTION, np.array(meaning, dtype=np.float32), [1, 2], vectors, encode_words
    )


def test_the_word_nearest_to_a_tag_is_its_evidence() -> None:
    reading = explain((0.3, 0.3))

    found = {match.tag_id: match for match in reading.matches}
    assert {tag: match.evidence.text for tag, match in found.items()} == {1: "fishing", 2: "Ocean"}
    for match in reading.matches:
        assert match.evidence.rule == "meaning"
        assert CAPTION[match.evidence.start : match.evidence.end] == match.evidence.text
        assert 0 < match.score <= nearness.MOST_SCORE
    assert reading.terms == ("man", "fish", "ocean")


def test_a_tag_that_a_rule_found_or_that_the_caption_is_not_near_to_gets_no_word() -> None:
    denied = CaptionMatch(1, 0.0, Evidence(2, 5, "man", "exact", negated=True, cue_start=0, cue_end=1))
    assert explain((0.3, 0.1), denied).matches == (denied,)


def test_a_nearer_word_replaces_a_weak_relative_and_no_stronger_one() -> None:
    weak, strong = (
        CaptionMatch(tag, score, Evidence(2, 5, "man", "meaning")) for tag, score in ((1, 0.05), (2, 0.45))
    )
    found = {match.tag_id: match.evidence.text for match in explain((0.3, 0.3), weak, strong).matches}
    assert found == {1: "fishing", 2: "man"}


def test_a_tag_that_no_word_is_near_to_gets_none(monkeypatch) -> None:
    monkeypatch.setattr(nearness, "NEAR_WORD", 0.95)
    assert [match.tag_id for match in explain((0.3, 0.3)).matches] == []


def test_what_a_caption_denies_counts_as_not_near_at_all() -> None:
    captions = np.array([[0, 1, 0], [0, 1, 0]], dtype=np.float32)
    denied = np.array([[True, False], [False, False]])

    meaning = tag_vectors(TAGS, encode).meaning(captions, denied)

    assert meaning[0].tolist() == [np.float32(-NEUTRAL), meaning[1, 1]]
    assert meaning[1, 0] > 0.5
