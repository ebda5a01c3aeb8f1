"""A trained pipeline takes over: its tagger, lemmatizer, parser and names; the rules add what it lacks."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from mlmodels.core.errors import LanguageDataError
from mlmodels.core.language.pipeline import build_pipeline
from mlmodels.core.language.reader import CaptionReader
from mlmodels.core.types import TagTerm

# Made-up words, so that only what was trained can know them. Words, tags, heads, dependencies, entities.
SENTENCES = [
    (
        "Two wugs blick in Zorp",
        "CD NNS VBP IN NNP",
        [1, 2, 2, 2, 3],
        "nummod nsubj ROOT prep pobj",
        [(18, 22, "GPE")],
    ),
    ("Vella blicks two daxes", "NNP VBZ CD NNS", [1, 1, 3, 1], "nsubj ROOT nummod dobj", [(0, 5, "PERSON")]),
    ("Two daxes blick", "CD NNS VBP", [1, 2, 2], "nummod nsubj ROOT", [(0, 3, "CARDINAL")]),
]
PACKAGE = "tagger_test_pipeline"


def examples(nlp: Language) -> list[Example]:
    return [
        Example.from_dict(
            nlp.make_doc(text),
            {"tags": tags.split(), "heads": heads, "deps": deps.split(), "entities": entities},
        )
        for text, tags, heads, deps, entities in SENTENCES
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tagger, a parser and a recogniser, trained until they know three sentences, saved."""
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    nlp.add_pipe("parser", config={"min_action_freq": 1})  # three sentences teach rare labels, too
    nlp.add_pipe("ner")
    known = examples(nlp)
    optimizer = nlp.initialize(lambda: known)
    for _ in range(40):
        nlp.update(known, sgd=optimizer)
    path = tmp_path_factory.mktemp("trained") / "pipeline"
    nlp.to_disk(path)
    return str(path)


@pytest.fixture
def package(folder: str, tmp_path: Path) -> Iterator[str]:
    """The same pipeline as an installed package: a module with `load` and its metadata."""
    home = tmp_path / PACKAGE
    home.mkdir()
    code = f"import spacy\ndef load(**overrides):\n    return spacy.load({folder!r}, **overrides)\n"
    (home / "__init__.py").write_text(code, encoding="utf-8")
    (home / "meta.json").write_text(json.dumps({"lang": "en", "name": "x", "version": "1"}), encoding="utf-8")
    information = tmp_path / f"{PACKAGE}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n", encoding="utf-8"
    )
    sys.path.insert(0, str(tmp_path))
    yield PACKAGE
    sys.path.remove(str(tmp_path))
    sys.modules.pop(PACKAGE, None)


def read(name: str, text: str) -> Doc:
    return build_pipeline(name=name)(text)


def test_a_folder_is_read_with_its_own_components(folder: str) -> None:
    nlp = build_pipeline(name=folder)
    assert [*nlp.pipe_names][:3] == ["tagger", "parser", "ner"]
    assert "tagger_entities" not in nlp.pipe_names
    assert {"tagger_lemmas", "tagger_phrases", "tagger_negation"} <= set(nlp.pipe_names)


def test_a_package_is_found_by_its_name(package: str) -> None:
    assert read(package, "Two wugs blick in Zorp").ents[0].text == "Zorp"


def test_its_tags_decide_the_parts_of_speech(folder: str) -> None:
    doc = read(folder, "Two wugs blick in Zorp")
    assert [token.pos_ for token in doc] == ["NUM", "NOUN", "VERB", "ADP", "PROPN"]
    assert [token.lemma_ for token in doc][1] == "wug"


def test_its_parser_decides_the_noun_phrases(folder: str) -> None:
    doc = read(folder, "Two wugs blick in Zorp")
    assert doc.has_annotation("DEP")
    found = [(phrase.text, phrase.root.head.text) for phrase in doc.spans["noun_phrases"]]
    assert found == [("Two wugs", "blick"), ("Zorp", "in")]


def test_its_names_get_our_kinds_and_its_numbers_are_no_names(folder: str) -> None:
    found = {(entity.text, entity.label_) for text, *_ in SENTENCES for entity in read(folder, text).ents}
    assert found == {("Zorp", "PLACE"), ("Vella", "PERSON")}


def test_the_rules_find_negation_and_tags_over_its_parts(folder: str) -> None:
    reader = CaptionReader([TagTerm(1, "wug"), TagTerm(2, "dog")], pipeline=build_pipeline(name=folder))
    plain, negated = reader.read(["Two wugs blick", "Two wugs without dogs"])
    assert [(match.tag_id, match.evidence.rule) for match in plain.matches] == [(1, "lemma")]
    assert {match.tag_id: match.evidence.negated for match in negated.matches} == {1: False, 2: True}


def test_kinds_that_nobody_foresaw_are_other() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "SPACESHIP", "pattern": "Vostok"}])
    path_free = build_pipeline_of(nlp)
    assert [(entity.text, entity.label_) for entity in path_free("Vostok lands").ents] == [
        ("Vostok", "OTHER")
    ]


def build_pipeline_of(nlp: Language) -> Language:
    """Adds what `build_pipeline` adds after a recogniser."""
    nlp.add_pipe("tagger_entity_labels")
    return nlp


@pytest.mark.parametrize("content", [None, "not json"])
def test_a_folder_that_holds_no_pipeline_is_named(tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / "config.cfg").write_text(content, encoding="utf-8")
        (tmp_path / "meta.json").write_text(content, encoding="utf-8")
    with pytest.raises(LanguageDataError, match="expected an installed spaCy pipeline") as raised:
        build_pipeline(name=str(tmp_path))
    assert str(tmp_path) in str(raised.value)


def test_a_vocabulary_leaves_the_pipeline_as_it_was(folder: str) -> None:
    nlp = build_pipeline(name=folder)
    before = list(nlp.pipe_names)
    CaptionReader([TagTerm(1, "wug")], pipeline=nlp)
    assert nlp.pipe_names == before
