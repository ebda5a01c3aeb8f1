"""Word vectors bring captions near to the tags they mean, and say nothing where they know nothing."""

import numpy as np
import pytest

from mlmodels.core.errors import LanguageDataError
from mlmodels.core.language import build_word_vectors, word_vectors
from mlmodels.core.language.build_pack import write_pack
from mlmodels.core.types import TagTerm

WORDS = word_vectors.load()
NEAR = 0.3
TAGS = (TagTerm(1, "dog"), TagTerm(2, "boat", ("ship", "ferry")), TagTerm(3, "qwxzv"), TagTerm(4, "dogs"))


def read(*captions: tuple[str, ...], tags: tuple[TagTerm, ...] = TAGS, denied: np.ndarray | None = None):
    if denied is None:
        denied = np.zeros((len(captions), len(tags)), dtype=bool)
    return word_vectors.tag_words(tags, WORDS).read(captions, denied)


def test_a_kindred_word_is_nearer_than_a_strange_one():
    _, meaning = read(("puppy", "chase", "ball"), ("sailor", "harbor"), ("tax", "law"))

    assert meaning[:, 0].argmax() == 0
    assert meaning[:, 1].argmax() == 1
    assert (meaning[2, :2] < NEAR).all()


def test_a_tag_is_found_by_any_of_its_words_and_in_any_form():
    _, meaning = read(("ferry",), tags=(TagTerm(1, "boat"), TagTerm(2, "boat", ("ferry",))))
    _, forms = read(("puppy",), tags=(TagTerm(1, "dog"), TagTerm(2, "dogs")))

    assert meaning[0, 1] > meaning[0, 0]
    assert forms[0, 0] == forms[0, 1]


def test_unknown_words_and_unknown_tags_say_nothing():
    vectors, meaning = read((), ("qwxzv",), ("the", "two"), ("puppy",))

    assert not vectors[:3].any()
    assert not meaning[:3].any()
    assert meaning[3, 2] == 0
    assert np.linalg.norm(vectors[3]) == pytest.approx(1, abs=1e-5)


def test_a_denied_tag_is_not_near_at_all():
    denied = np.zeros((1, 4), dtype=bool)
    denied[0, 0] = True

    _, meaning = read(("dog",), denied=denied)

    assert meaning[0, 0] == pytest.approx(-word_vectors.NEUTRAL)
    assert meaning[0, 3] > NEAR


def test_captions_are_read_alone_or_among_thousands_alike(monkeypatch):
    monkeypatch.setattr(word_vectors, "CAPTIONS_AT_ONCE", 3)
    captions = [
        ("dog", "run", "beach"),
        (),
        ("boat",),
        ("dog", "dog"),
        ("zebra", "grass"),
        ("qwxzv", "ship"),
        ("dog",),
    ]

    vectors, meaning = read(*captions)

    for n, caption in enumerate(captions):
        alone = read(caption)
        np.testing.assert_allclose(vectors[n], alone[0][0], atol=1e-6)
        np.testing.assert_allclose(meaning[n], alone[1][0], atol=1e-6)


def test_no_tags_have_no_columns():
    vectors, meaning = read(("dog",), tags=())

    assert vectors.any()
    assert meaning.shape == (1, 0)


def test_what_is_packed_is_read_again_to_half_a_step(tmp_path):
    vectors = np.random.default_rng(0).standard_normal((40, 12)).astype(np.float32)
    words = [f"word{n}" for n in range(40)]
    shrunk = build_word_vectors.shrink(vectors, 6)
    path = tmp_path / "words.gz"
    write_pack(build_word_vectors.arrays_of(words, shrunk), path)

    again = word_vectors.read(path)

    assert (again.dimensions, list(again.place)) == (6, words)
    assert np.abs(again.of(range(40)) - shrunk).max() <= 0.51 * np.abs(shrunk).max() / 127
    assert again.key != WORDS.key


def test_shrinking_keeps_the_strongest_directions_and_spreads_them():
    random = np.random.default_rng(1)
    vectors = (random.standard_normal((500, 8)) * [9, 7, 5, 4, 0.01, 0.01, 0.01, 0.01]).astype(np.float32)

    shrunk = build_word_vectors.shrink(vectors, 4)

    centred = vectors - vectors.mean(axis=0)
    np.testing.assert_allclose(shrunk @ shrunk.T, centred @ centred.T, atol=0.1)
    assert shrunk.std(axis=0).max() < 2.5 * shrunk.std(axis=0).min()


def test_a_cut_file_is_named(tmp_path):
    path = tmp_path / "words.gz"
    path.write_bytes(word_vectors.WORDS_PATH.read_bytes()[:1000])

    with pytest.raises(LanguageDataError, match=r"words\.gz"):
        word_vectors.read(path)
