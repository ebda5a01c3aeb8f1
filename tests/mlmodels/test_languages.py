"""Which pipeline reads a project: its caption language and TAGGER_SPACY_MODEL decide; both are checked."""

from pathlib import Path

import pytest
import spacy
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from annotations.errors import BadInput
from annotations.services import projects
from mlmodels.core.errors import LanguageDataError
from mlmodels.services import languages
from tests.factories import Cast, make_cast, make_tags


@pytest.fixture
def cast(db) -> Cast:
    return make_cast()


@pytest.fixture
def wug_pipeline(tmp_path: Path) -> str:
    """A saved English pipeline that knows one made-up plural."""
    nlp = spacy.blank("en")
    nlp.add_pipe("attribute_ruler").add([[{"LOWER": "wuggen"}]], {"LEMMA": "wug", "POS": "NOUN"})
    nlp.to_disk(tmp_path / "wugs")
    return str(tmp_path / "wugs")


def rules_of(cast: Cast, caption: str) -> list[str]:
    (reading,) = languages.of_project(cast.project.pk).read([caption])
    return [match.evidence.rule for match in reading.matches]


def test_the_named_pipeline_reads_projects_of_its_language(cast: Cast, settings, wug_pipeline: str) -> None:
    make_tags(cast.project, "wug")
    assert rules_of(cast, "Two wuggen") == []
    settings.SPACY_MODEL = wug_pipeline
    assert rules_of(cast, "Two wuggen") == ["lemma"]


def test_a_project_in_another_language_is_not_read_by_it(cast: Cast, settings, wug_pipeline: str) -> None:
    settings.SPACY_MODEL = wug_pipeline
    make_tags(cast.project, "wug", "Hund")
    projects.update(cast.membership(cast.admin), {"caption_language": "de"})
    assert rules_of(cast, "Two wuggen") == []
    assert rules_of(cast, "Ein Hund") == ["exact"]


def test_a_changed_caption_language_is_used_at_once(cast: Cast) -> None:
    make_tags(cast.project, "dog")
    assert rules_of(cast, "Two puppies") == ["hypernym"]
    projects.update(cast.membership(cast.admin), {"caption_language": "de"})
    assert rules_of(cast, "Two puppies") == []


@pytest.mark.parametrize("code", ["english", "EN", "", "tlh", "../en"])
def test_an_unknown_caption_language_is_refused(cast: Cast, code: str) -> None:
    with pytest.raises(BadInput, match="caption_language") as refused:
        projects.update(cast.membership(cast.admin), {"caption_language": code})
    assert refused.value.code == "bad_caption_language"
    cast.project.refresh_from_db()
    assert cast.project.caption_language == "en"


def test_a_pipeline_that_does_not_load_is_named_by_the_check(settings) -> None:
    settings.SPACY_MODEL = "no_such_pipeline"
    (error,) = [message for message in run_checks() if message.id == "mlmodels.E002"]
    assert "TAGGER_SPACY_MODEL" in error.msg and "no_such_pipeline" in error.msg
    with pytest.raises(SystemCheckError, match="E002"):
        call_command("check")


def test_a_pipeline_that_loads_and_none_at_all_pass_the_check(settings, wug_pipeline: str) -> None:
    for name in ("", wug_pipeline):
        settings.SPACY_MODEL = name
        assert not [message for message in run_checks() if message.id == "mlmodels.E002"]


def test_captions_are_not_read_by_chance_without_the_named_pipeline(cast: Cast, settings) -> None:
    settings.SPACY_MODEL = "no_such_pipeline"
    with pytest.raises(LanguageDataError, match="no_such_pipeline"):
        languages.of_project(cast.project.pk)
