"""The embedded pipeline and one that the caller names."""

from pathlib import Path

import pytest
import spacy
from spacy.training import Example

from mlmodels.core.errors import LanguageDataError
from mlmodels.core.language.pipeline import build_pipeline
from mlmodels.core.language.reader import CaptionReader
from mlmodels.core.types import TagTerm


@pytest.fixture
def saved_pipeline(tmp_path: Path) -> str:
    """A tiny trained tagger and a lookup of base forms, which know two made-up words."""
    nlp = spacy.blank("en")
    nlp.add_pipe("morphologizer")
    ruler = nlp.add_pipe("attribute_ruler", last=True)
    doc = nlp.make_doc("Two wugs blick")
    reference = {"pos": ["NUM", "NOUN", "VERB"], "morphs": ["", "", ""]}
    nlp.initialize(lambda: [Example.from_dict(doc, reference)])
    ruler.add([[{"LOWER": "wugs"}]], {"LEMMA": "wug", "POS": "NOUN"})
    nlp.to_disk(tmp_path / "pipeline")
    return str(tmp_path / "pipeline")


@pytest.mark.parametrize(
    ("word", "pos", "lemma"),
    [("women", "NOUN", "woman"), ("sits", "VERB", "sit"), ("running", "VERB", "run"), ("red", "ADJ", "red")],
)
def test_embedded_pipeline_tags_and_lemmatizes(word: str, pos: str, lemma: str) -> None:
    doc = build_pipeline()("Two women in red shirts: one sits while a red dog is running.")
    token = next(token for token in doc if token.text == word and token.i != 3)
    assert (token.pos_, token.lemma_) == (pos, lemma)


def test_named_pipeline_keeps_its_own_components(saved_pipeline: str) -> None:
    nlp = build_pipeline(name=saved_pipeline)
    assert "morphologizer" in nlp.pipe_names
    assert "tagger_parts" not in nlp.pipe_names
    doc = nlp("Two wugs blick")
    assert doc[1].lemma_ == "wug"


def test_captions_are_read_with_a_named_pipeline(saved_pipeline: str) -> None:
    reader = CaptionReader([TagTerm(1, "wug")], pipeline=build_pipeline(name=saved_pipeline))
    (reading,) = reader.read(["Two wugs blick"])
    assert [match.tag_id for match in reading.matches] == [1]


def test_unknown_pipeline_is_named_in_the_error() -> None:
    with pytest.raises(LanguageDataError, match="no_such_pipeline"):
        build_pipeline(name="no_such_pipeline")
