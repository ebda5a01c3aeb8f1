"""Weights of tuned backbones: when they may go, and what cannot be chosen once they are gone."""

import shutil
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.utils import timezone

from annotations.models import Membership, Project
from annotations.models.job import JobState
from annotations.services import projects
from mlmodels.core import artifacts
from mlmodels.errors import ArtifactNotReadable
from mlmodels.models import Extractor, ImageFeature, ProjectExtractor, TrainingRun
from mlmodels.services import extractors, runs, tuned_backbones, versions
from tests.mlmodels.conftest import DIMENSIONS, version_after


@pytest.fixture
def tuned(planted, settings, tmp_path) -> Extractor:
    """A backbone that a run of the project has made, with its weights."""
    settings.MODELS_ROOT = str(tmp_path)
    return Extractor.objects.create(key="tuned", name=tune(planted), dimensions=DIMENSIONS)


def tune(planted) -> str:
    """The name of what a run makes; its weights lie where they belong."""
    run = runs.request_finetune(planted.project.pk)
    TrainingRun.objects.filter(pk=run.pk).update(state=JobState.DONE, extractor=planted.extractor)
    folder = tuned_backbones.folder_of_run(run.pk)
    folder.mkdir(parents=True)
    for name in (artifacts.BACKBONE, artifacts.BACKBONE_MANIFEST):
        (folder / name).write_bytes(b"weights")
    return tuned_backbones.name_for(planted.extractor.name, run.pk)


def clean(command: str = "clean_backbones") -> str:
    output = StringIO()
    call_command(command, stdout=output)
    return output.getvalue()


def weights_of(row: Extractor):
    return tuned_backbones.folder_of_run(tuned_backbones.run_of(row.name))


def test_weights_that_nobody_needs_go(tuned):
    assert weights_of(tuned).name in clean()
    assert not weights_of(tuned).exists()


def test_a_backbone_that_was_just_adopted_stays_before_a_worker_has_followed(planted, tuned):
    assert projects.take_extractor(planted.project.pk, name=tuned.name, instead_of=planted.extractor.name)
    assert not ProjectExtractor.objects.exists()
    assert clean() == "Nothing to remove.\n"
    Project.objects.filter(pk=planted.project.pk).update(deleted_at=timezone.now())
    assert clean() == "Nothing to remove.\n", "the project may come back from the trash"
    assert weights_of(tuned).exists()


def test_a_backbone_that_serves_before_any_version_stays(planted, tuned):
    ProjectExtractor.objects.create(
        project=planted.project, name=planted.extractor.name, asked_at=timezone.now(), serving=tuned
    )
    assert clean() == "Nothing to remove.\n"


def test_weights_that_come_out_the_same_again_are_found_where_they_lie(planted, tuned, monkeypatch):
    same = SimpleNamespace(key=tuned.key, dimensions=DIMENSIONS)
    monkeypatch.setattr(extractors, "load", lambda name: same)
    first, second = tuned.name, tune(planted)
    assert extractors.loaded_row(second).name == first, "they lie under both names"

    clean()
    third = tune(planted)
    assert (extractors.loaded_row(third).pk, extractors.loaded_row(third).name) == (tuned.pk, third)
    assert Extractor.objects.filter(key=tuned.key).count() == 1


def test_a_version_whose_weights_were_removed_is_not_put_live(planted, tuned):
    planted.images(40)
    version = version_after(planted, reviews=30)
    Extractor.objects.filter(pk=tuned.pk).delete()
    Extractor.objects.filter(pk=version.extractor_id).update(name=tuned.name)
    versions.activate(planted.project.pk, version.pk, actor_id=None)

    shutil.rmtree(weights_of(tuned))
    with pytest.raises(
        ArtifactNotReadable, match="removed by clean_backbones: tune again, or choose another"
    ):
        versions.activate(planted.project.pk, version.pk, actor_id=None)


def test_a_backbone_whose_weights_were_removed_is_not_chosen_in_the_settings(planted, tuned):
    admin = Membership.objects.get(project=planted.project, user=planted.cast.admin)
    clean()
    with pytest.raises(ArtifactNotReadable, match=f"The weights of {tuned.name} were removed"):
        projects.update(admin, {"extractor": tuned.name})
    admin.project.refresh_from_db()
    assert admin.project.extractor == planted.extractor.name

    again = tune(planted)
    Extractor.objects.filter(pk=tuned.pk).update(name=again)
    assert projects.update(admin, {"extractor": again}).extractor == again


class TestFeatures:
    """Of two images, whose suggestions read another backbone than the tuned one."""

    @pytest.fixture(autouse=True)
    def seen(self, planted, tuned):
        images = planted.images(2)
        extractors.follow(planted.project.pk)
        planted.extractor = tuned
        planted.plant(images)

    def test_what_a_run_reads_and_makes_stays_until_it_ends(self, planted, tuned):
        run = runs.request_finetune(planted.project.pk)
        assert "removed" not in clean("clean_features") + clean()
        TrainingRun.objects.filter(pk=run.pk).update(state=JobState.FAILED)
        assert f"2 features of {tuned.key} removed" in clean("clean_features")
        assert f"{weights_of(tuned).name}: 0.0 MB removed" in clean()

    def test_what_was_just_adopted_stays_before_a_worker_has_followed(self, planted, tuned):
        ask = {"name": tuned.name, "instead_of": planted.project.extractor}
        assert projects.take_extractor(planted.project.pk, **ask)
        assert clean("clean_features") == "Every feature is needed.\n"
        assert ImageFeature.objects.filter(extractor=tuned).count() == 2
