"""WordNet's facts as packed, and the map from ImageNet's classes to tags."""

from pathlib import Path

import numpy as np
import pytest

from mlmodels.core.errors import LanguageDataError
from mlmodels.core.language import wordnet
from mlmodels.core.language.imagenet import class_synsets, map_imagenet
from mlmodels.core.types import TagTerm


@pytest.mark.parametrize(
    ("form", "pos", "base"),
    [
        ("glasses", "n", "glasses"),
        ("stairs", "n", "stairs"),
        ("men", "n", "man"),
        ("buses", "n", "bus"),
        ("knives", "n", "knife"),
        ("lying", "v", "lie"),
        ("hopping", "v", "hop"),
        ("biggest", "a", "big"),
        ("dress", "n", "dress"),
        ("qwxyz", "n", None),
        ("日本", "n", None),
    ],
)
def test_base_forms(form: str, pos: str, base: str | None) -> None:
    assert wordnet.morphy(form, pos) == base


def test_every_lemma_of_a_synset_leads_back_to_it() -> None:
    for synset in ("n02084071", "n02958343", wordnet.synsets("run", "v")[0]):
        assert wordnet.lemmas(synset)
        assert all(synset in wordnet.synsets(lemma, synset[0]) for lemma in wordnet.lemmas(synset))


def test_first_and_last_lemma_are_found() -> None:
    table = wordnet.tables()["r"]
    assert table.senses("a_bit") and table.senses("zealously") and not table.senses("zzz")


def test_distance_counts_steps_and_knows_no_way_down() -> None:
    dog, (retriever,) = wordnet.synsets("dog", "n")[0], wordnet.synsets("golden_retriever", "n")
    assert wordnet.hypernym_distance(retriever, dog) == 4
    assert wordnet.hypernym_distance(dog, retriever) is None


def test_unknown_synset_is_named_in_the_error() -> None:
    with pytest.raises(KeyError, match="n00000001"):
        wordnet.ancestors("n00000001")


def test_damaged_pack_says_what_to_do(tmp_path: Path) -> None:
    damaged = tmp_path / "wordnet.gz"
    damaged.write_bytes(wordnet.PACK_PATH.read_bytes()[:1000])
    with pytest.raises(LanguageDataError, match="build_pack"):
        wordnet.read_arrays(damaged)


def test_imagenet_classes_are_all_in_the_pack() -> None:
    assert len({wordnet.lemmas(synset) for synset in class_synsets()}) > 990


def test_imagenet_maps_through_hypernyms_and_aliases() -> None:
    tags = [
        TagTerm(1, "dogs"),
        TagTerm(2, "animal"),
        TagTerm(3, "thing to drive", ("cars",)),
        TagTerm(4, "joy"),
    ]
    matrix = map_imagenet(tags)
    assert matrix.shape == (1000, 4) and matrix.dtype == np.float32
    assert matrix[:, 0].sum() == 118 and np.flatnonzero(matrix[:, 0]).min() == 151  # ImageNet's dogs
    assert np.all(matrix[:, 1] >= matrix[:, 0])
    assert matrix[817, 2] == 1 and matrix[:, 3].sum() == 0  # 817 is the sports car


def test_imagenet_with_no_tags_is_empty() -> None:
    assert map_imagenet([]).shape == (1000, 0)
