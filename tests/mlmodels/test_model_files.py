"""Model files that are cut, changed or of another kind: what served before serves on, and the page says so.

And folders that nobody names any more: only those go.
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from django.core.cache import cache
from django.test import Client

from annotations.models import LiveModel, SuggestionSet
from annotations.selectors import audit
from mlmodels import tasks
from mlmodels.core import artifacts
from mlmodels.models import ModelVersion, TrainingRun
from mlmodels.services import heads, languages, model_files, prediction, runs, scoring, training, versions


@pytest.fixture(autouse=True)
def no_lingering(monkeypatch):
    monkeypatch.setattr(training, "LINGER_S", 0.0)


@pytest.fixture
def two(planted):
    """Two versions that went live one after the other."""
    planted.images(70)
    made = []
    for count in (30, 20):
        planted.review(count)
        run = training.execute(runs.request(planted.project.pk).pk)
        assert run.state == "done", run.reason
        made.append(ModelVersion.objects.get(run=run))
    heads.forget()
    return made


def cut(version):
    path = heads.artifact_folder(version) / artifacts.TENSORS
    path.write_bytes(path.read_bytes()[:-100])


def tamper(version):
    path = heads.artifact_folder(version) / artifacts.MANIFEST
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))


def remove(version):
    (heads.artifact_folder(version) / artifacts.TENSORS).unlink()


def swap(version):
    """The whole and valid file of another version in its place."""
    other = ModelVersion.objects.exclude(pk=version.pk).first()
    for name in (artifacts.TENSORS, artifacts.MANIFEST):
        data = (heads.artifact_folder(other) / name).read_bytes()
        (heads.artifact_folder(version) / name).write_bytes(data)


def saved_with(version, change):
    """A valid file whose tensors were changed before it was written."""
    tensors, manifest = artifacts.load(heads.artifact_folder(version), version.artifact_sha256)
    digest = artifacts.save(heads.artifact_folder(version), change(dict(tensors)), manifest)
    ModelVersion.objects.filter(pk=version.pk).update(artifact_sha256=digest)


def of_another_extractor(version):
    saved_with(
        version,
        lambda tensors: (
            tensors
            | {
                "vision": np.zeros((64, 3), dtype=np.float32),
                "mean": np.zeros(64, dtype=np.float32),
                "deviation": np.ones(64, dtype=np.float32),
            }
        ),
    )


def of_another_architecture(version):
    saved_with(version, lambda _: {"fc.weight": np.zeros((3, 32), dtype=np.float32)})


def of_other_tags(version):
    saved_with(version, lambda tensors: tensors | {"bias": np.zeros(2, dtype=np.float32)})


def not_a_number(version):
    saved_with(version, lambda tensors: tensors | {"bias": np.full(3, np.nan, dtype=np.float32)})


DAMAGES = (
    cut,
    tamper,
    remove,
    swap,
    of_another_extractor,
    of_another_architecture,
    of_other_tags,
    not_a_number,
)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_the_previous_version_serves_on_and_the_page_says_why(planted, two, damage):
    first, second = two
    damage(second)
    waiting = list(
        SuggestionSet.objects.filter(project=planted.project).values_list("image_id", flat=True)[:5]
    )

    scoring.refresh(planted.project.pk, waiting)

    live = LiveModel.objects.get(project=planted.project)
    assert (live.version_id, live.number) == (first.pk, first.number)
    stored = SuggestionSet.objects.filter(image_id__in=waiting)
    assert set(stored.values_list("model_number", flat=True)) == {first.number}
    client = Client()
    client.force_login(planted.cast.manager)
    for address in ("", "models/"):
        page = client.get(f"/projects/{planted.project.pk}/{address}").content.decode()
        assert f"The file of version {second.number} cannot be used" in page
        assert f"version {first.number} serves instead" in page
        assert "retrain" in page
        assert str(heads.artifact_folder(second).parent) not in page, "a page shows no path of the machine"


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_person_cannot_put_it_live_and_is_told_why(planted, two, damage):
    first, second = two
    damage(first)
    client = Client()
    client.force_login(planted.cast.admin)

    answer = client.post(f"/projects/{planted.project.pk}/models/{first.pk}/activate/", follow=True)

    assert LiveModel.objects.get(project=planted.project).version_id == second.pk
    assert "Activate another version" in answer.content.decode()


def test_predictions_come_from_what_serves_instead(planted, two):
    first, second = two
    cut(second)
    found = prediction.predict(planted.project.pk, picture_key=None, caption="a dog", limit=3)
    assert found.model_number == first.number
    assert len(found.suggestions) == 3


def test_without_any_readable_file_the_prior_serves(planted, two):
    for version in two:
        remove(version)
    scorer = heads.scorer_for(planted.project.pk, languages.of_project(planted.project.pk))
    assert scorer.number == 0
    assert "before any review" in scorer.problem
    assert versions.check_file(planted.project.pk)
    assert LiveModel.objects.get(project=planted.project).number == 0


def test_the_next_run_trains_from_scratch_and_is_compared_with_what_serves(planted, two):
    first, second = two
    cut(second)
    planted.images(20, first=500)
    planted.review(15)
    run = training.execute(runs.request(planted.project.pk).pk)
    third = ModelVersion.objects.get(run=run)
    assert third.details["incumbents"][0] == first.number
    assert run.state in ("done", "refused")


def test_what_is_lost_can_be_trained_again_although_nothing_new_was_said(planted, two):
    _, second = two
    cut(second)
    heads.forget()
    assert versions.check_file(planted.project.pk)

    run = training.execute(runs.request(planted.project.pk).pk)

    assert "skipped" not in run.result
    assert run.result["version"]["number"] == second.number + 1
    assert run.state == "done", run.reason
    assert training.execute(runs.request(planted.project.pk).pk).result["skipped"] is True


def test_rolling_back_to_the_lost_version_is_not_offered(planted, two):
    first, second = two
    client = Client()
    client.force_login(planted.cast.admin)
    address = f"/projects/{planted.project.pk}/models/"
    assert f"Roll back to v{first.number}" in client.get(address).content.decode()
    cut(second)
    assert versions.check_file(planted.project.pk)
    assert "Roll back" not in client.get(address).content.decode()


def test_the_sweep_finds_a_damaged_file_that_workers_still_have_in_memory(planted, two, monkeypatch):
    first, second = two
    heads.load_head(second)
    cut(second)
    sent = []
    monkeypatch.setattr(
        tasks.version_activated, "apply_async", lambda **options: sent.append(options["args"])
    )
    cache.clear()

    tasks.sweep()

    assert LiveModel.objects.get(project=planted.project).version_id == first.pk
    assert sent == [[planted.project.pk]]
    (fallen,) = audit.told(
        planted.project, list(audit.listing(planted.project, actions=["models.fall_back"]))
    )
    assert fallen.sentence.startswith(f"put model v{first.number} live again") and fallen.actor is None


def test_falling_back_never_replaces_what_went_live_meanwhile(planted, two):
    first, second = two
    cut(second)
    found = heads.serving(planted.project.pk)
    assert found.version == first
    LiveModel.objects.filter(project=planted.project).update(version_id=999, number=9)

    assert not versions.fall_back(planted.project.pk, found)

    assert LiveModel.objects.get(project=planted.project).number == 9


class TestOrphans:
    @pytest.fixture
    def old(self, settings):
        """Makes a folder as a run leaves it, two hours ago."""

        def make(name):
            folder = Path(settings.MODELS_ROOT) / name
            folder.mkdir(parents=True)
            (folder / artifacts.TENSORS).write_bytes(b"left by a killed run")
            before = time.time() - 7200
            os.utime(folder, (before, before))
            return folder

        return make

    def test_what_killed_runs_and_deleted_projects_left_goes(self, planted, old):
        killed = runs.request(planted.project.pk)
        TrainingRun.objects.filter(pk=killed.pk).update(state="failed")
        left = old(f"{planted.project.pk}/run-{killed.pk}-0123abcd")
        of_nobody = old("98765/run-1-0123abcd")
        assert set(model_files.remove_orphans()) >= {f"{planted.project.pk}/run-{killed.pk}-0123abcd"}
        assert not left.exists() and not of_nobody.exists()

    def test_what_a_row_names_stays_however_old(self, planted, two):
        for version in two:
            before = time.time() - 10_000_000
            os.utime(heads.artifact_folder(version), (before, before))
        model_files.remove_orphans()
        assert all(heads.artifact_folder(version).is_dir() for version in two)

    def test_what_may_yet_be_named_and_what_is_not_ours_stays(self, planted, old):
        running = runs.request(planted.project.pk)
        project = planted.project.pk
        kept = [
            old(f"{project}/run-{running.pk}-0123abcd"),
            old(f"{project}/notes"),
            old(f"notes/run-{running.pk + 1}-0123abcd"),
        ]
        fresh = old(f"{project}/run-{running.pk + 2}-0123abcd")
        os.utime(fresh)
        model_files.remove_orphans()
        assert all(folder.is_dir() for folder in [*kept, fresh])

    def test_the_sweep_looks_now_and_then(self, planted, old):
        left = old("98766/run-1-0123abcd")
        cache.clear()
        tasks.sweep()
        assert not left.exists()
        left = old("98766/run-2-0123abcd")
        tasks.sweep()
        assert left.exists()
