"""Names in captions: which capitals are names, where they end, and of what kind."""

from itertools import pairwise

import pytest
from spacy.language import Language

from mlmodels.core.language import wordnet
from mlmodels.core.language.entities import find_entities
from mlmodels.core.language.names import LABELS
from mlmodels.core.language.pipeline import build_pipeline
from mlmodels.core.language.reader import CaptionReader
from mlmodels.core.types import TagTerm


@pytest.fixture(scope="module")
def nlp() -> Language:
    return build_pipeline()


def names(nlp: Language, text: str) -> list[tuple[str, str]]:
    return [(entity.text, entity.label_) for entity in nlp(text).ents]


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("A tram crosses Lisbon at dusk", [("Lisbon", "PLACE")]),
        ("Lisbon at dusk", [("Lisbon", "PLACE")]),
        ("Sarah Lindqvist waves", [("Sarah Lindqvist", "PERSON")]),
        ("A statue of Abraham Lincoln", [("Abraham Lincoln", "PERSON")]),
        ("Nurses of the Red Cross", [("Red Cross", "ORGANISATION")]),
        ("Students of Harvard University", [("Harvard University", "ORGANISATION")]),
        ("Crowds at the Boston Marathon", [("Boston Marathon", "EVENT")]),
        ("Tourists in front of the Mona Lisa", [("the Mona Lisa", "WORK")]),
        ("A boat on Lake Quilbo", [("Lake Quilbo", "PLACE")]),
        ("The lanes of Old Quilbo Market", [("Old Quilbo Market", "PLACE")]),
        ("Captain Brindle on the bridge", [("Captain Brindle", "PERSON")]),
        ("A painting by Tavernel", [("Tavernel", "PERSON")]),
        ("The town of Tavernel", [("Tavernel", "PLACE")]),
        ("Paris and London at night", [("Paris", "PLACE"), ("London", "PLACE")]),
        ("The Museum of Modern Art opens", [("Museum of Modern Art", "PLACE")]),
    ],
)
def test_names_are_found_with_their_kind(
    nlp: Language, caption: str, expected: list[tuple[str, str]]
) -> None:
    assert names(nlp, caption) == expected


@pytest.mark.parametrize(
    "caption",
    [
        "A dog runs",
        "Turkey on a plate",
        "Three Friends Sharing A Bench In The Snow",
        "TWO DOGS RUN ON THE BEACH",
        "I think that I sit",
        "A market on Monday in June",
        "A man watches TV in a T-shirt",
        "Barber trimming a beard",
        "",
    ],
)
def test_other_capitals_are_no_names(nlp: Language, caption: str) -> None:
    assert names(nlp, caption) == []


def test_an_instance_speaks_for_the_tag_of_its_kind() -> None:
    reader = CaptionReader([TagTerm(1, "city"), TagTerm(2, "river")])
    (reading,) = reader.read(["A bridge in Paris over the Danube"])
    found = {match.tag_id: match for match in reading.matches}
    assert {tag: (found[tag].evidence.rule, found[tag].evidence.text) for tag in (1, 2)} == {
        1: ("hypernym", "Paris"),
        2: ("hypernym", "Danube"),
    }


def test_labels_are_those_that_are_promised(nlp: Language) -> None:
    text = "Anna and the Zorgs met Mr Bean, NASA and Frodo in Rome, at Christmas, over the Bible"
    found = {entity.label_ for entity in nlp(text).ents}
    assert len(found) > 2 and found <= set(LABELS)


def test_names_never_overlap_however_long_the_run() -> None:
    words = ["Paris", "of", "the", "New", "York", "-", "Tavernel", "'s", "City"] * 200
    found = find_entities(words, ["PROPN"] * len(words))
    assert found
    assert all(one.end <= other.start for one, other in pairwise(found))


def test_wordnet_knows_names_from_kinds() -> None:
    assert wordnet.is_instance(wordnet.synsets("paris", "n")[0])
    assert not wordnet.is_instance(wordnet.synsets("capital", "n")[0])
    assert wordnet.proper_senses("dog") == ()
