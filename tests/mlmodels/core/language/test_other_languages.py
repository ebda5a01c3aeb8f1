"""Captions in other languages than English: tags as they are written, and no English rule."""

import pkgutil

import pytest
import spacy
import spacy.lang

from annotations import caption_languages
from mlmodels.core.errors import LanguageDataError
from mlmodels.core.language.pipeline import build_pipeline, with_vocabulary
from mlmodels.core.language.reader import CaptionReader
from mlmodels.core.types import CaptionReading, TagTerm


def read(language: str, caption: str, *tags: str) -> CaptionReading:
    terms = [TagTerm(number, name) for number, name in enumerate(tags)]
    (reading,) = CaptionReader(terms, pipeline=build_pipeline(language)).read([caption])
    return reading


@pytest.mark.parametrize(
    ("language", "caption", "tag"),
    [
        ("de", "Ein großer HUND läuft am Strand", "Hund"),
        ("it", "Un bambino mangia una mela", "mela"),
        ("es", "Un perro caliente en la mesa", "perro caliente"),
        ("zh", "一只狗在跑", "狗"),
        ("ja", "犬が走っている", "犬"),
        ("th", "หมาวิ่ง", "หมา"),
        ("ar", "كلب على الشاطئ", "كلب"),
        ("xx", "Ein Hund und un perro", "perro"),
        ("pt-BR", "Um cachorro na praia", "cachorro"),
    ],
)
def test_a_tag_is_found_as_it_is_written(language: str, caption: str, tag: str) -> None:
    (match,) = read(language, caption, tag).matches
    assert (match.evidence.rule, match.evidence.negated) == ("exact", False)
    assert match.evidence.text.casefold() == tag.casefold()


def test_english_rules_stay_away() -> None:
    """In German “Gift” is poison; plurals, hypernyms and negation are English."""
    assert read("de", "Gift und Hunde", "present", "hund").matches == ()
    (match,) = read("it", "no mela", "mela").matches
    assert not match.evidence.negated
    doc = build_pipeline("de")("Der Hund von Anna Schmidt läuft")
    assert not doc.ents and not any(token.pos for token in doc)
    assert len(doc.spans["noun_phrases"]) == 0


def test_terms_are_the_words_without_the_language_s_little_words() -> None:
    assert read("de", "Ein Hund und eine Katze, 2024!").terms == ("hund", "katze")


def test_base_forms_of_a_trained_pipeline_are_used() -> None:
    nlp = spacy.blank("de")
    ruler = nlp.add_pipe("attribute_ruler")
    ruler.add([[{"LOWER": "hunde"}]], {"LEMMA": "Hund", "POS": "NOUN"})
    doc = with_vocabulary(nlp, [TagTerm(1, "Hund")])("Zwei Hunde")
    assert [(match.tag_id, match.evidence.rule) for match in doc._.tag_matches] == [(1, "lemma")]


@pytest.mark.parametrize("code", ["english", "xy", "", "e n", "../en"])
def test_an_unknown_language_is_named(code: str) -> None:
    with pytest.raises(LanguageDataError, match="expected a language that spaCy knows") as raised:
        build_pipeline(code)
    assert repr(code) in str(raised.value)


def test_every_language_that_a_project_may_choose_can_be_read() -> None:
    known = {module.name for module in pkgutil.iter_modules(spacy.lang.__path__) if module.ispkg}
    assert known == caption_languages.CODES


@pytest.mark.parametrize("code", ["ja", "ko", "th", "vi", "zh", "kmr", "yo"])
def test_a_language_whose_word_cutter_is_not_installed_is_read_all_the_same(code: str) -> None:
    assert len(build_pipeline(code)("a b")) >= 2
