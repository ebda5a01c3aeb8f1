"""A fine-tuning run from a click to a judged version: what it learns from, what stops it, what it leaves as it was."""

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from annotations.errors import Conflict
from annotations.models import Image, LiveModel, Project
from annotations.models.job import JobState
from annotations.pictures import open_upright
from annotations.services import jobs, storage
from mlmodels import selectors, tasks
from mlmodels.core.evaluation import gate
from mlmodels.models import (
    Extractor,
    ImageFeature,
    ModelVersion,
    ProjectExtractor,
    TrainingPolicy,
    TrainingRun,
)
from mlmodels.services import (
    finetune_estimates,
    finetune_pictures,
    finetune_progress,
    finetuning,
    judging,
    runs,
    training,
    tuned_backbones,
)
from mlmodels.services.finetune_plan import Plan
from mlmodels.services.finetune_settings import FinetuneSettings
from mlmodels.views import shown
from tests.factories import make_images
from tests.mlmodels.conftest import HOLDOUT, TRAINING, UNSEEN, scene, with_file
from tests.mlmodels.test_extractor_change import Queue

KILLED = finetune_progress.KILLED.format(by="")

QUICK = FinetuneSettings(stages=1, epochs=10, batch=16, loss="binary")

pytestmark = pytest.mark.usefixtures("one_thread")


def asked(planted, **changes):
    return runs.request_finetune(
        planted.project.pk, actor_id=planted.cast.admin.pk, settings=QUICK, **changes
    )


def live_number(planted):
    return LiveModel.objects.get(project=planted.project).number


def test_a_better_backbone_passes_the_gate_and_goes_live_when_it_has_looked_at_every_image(
    tuned_project, monkeypatch
):
    queue = Queue()
    monkeypatch.setattr(tasks, "nudge", queue.nudge)
    TrainingPolicy.objects.create(
        project=tuned_project.project, at_most_every_seconds=0.0, after_quiet_seconds=0.0
    )
    before = live_number(tuned_project)

    tasks.train(asked(tuned_project).pk)

    run = TrainingRun.objects.get(kind="finetune")
    assert run.state == JobState.DONE, run.reason
    version = ModelVersion.objects.get(run=run)
    assert version.metrics["judged_on"] == "holdout"
    assert version.details["frozen_average_precision_point"] > 0
    assert judging.again(version).reasons == tuple(version.reasons)
    assert version.extractor.name == f"test_efficientnet@run-{run.pk}"
    assert live_number(tuned_project) == before, "the one before serves until all images are looked at"
    curve = run.tuning["curve"]
    assert max(point["average_precision"] for point in curve) > curve[0]["average_precision"]
    assert not tuned_backbones.work_folder(run.pk).exists()

    queue.drain()
    tasks.nudge_policy(tuned_project.project.pk)
    queue.drain()

    live = selectors.live_version(tuned_project.project.pk)
    assert live.extractor.name == version.extractor.name
    assert ImageFeature.objects.filter(extractor=live.extractor).count() == TRAINING + HOLDOUT + UNSEEN


def test_a_picture_that_is_missing_or_broken_is_grey_and_told_of(tuned_project, caplog):
    missing, broken, *_ = Image.objects.filter(project=tuned_project.project, is_holdout=False).order_by("pk")
    storage.delete(missing.storage_key)
    storage.put(broken.storage_key, b"garbage")

    run = finetuning.execute(asked(tuned_project).pk)

    assert run.state in (JobState.DONE, JobState.REFUSED), run.reason
    assert any("grey to it: 2 of " in note for note in run.tuning["notes"])
    for image in (missing, broken):
        assert f"image {image.pk}: its stored file cannot be read" in caplog.text


@pytest.mark.parametrize("interpolation", ["nearest", "bicubic"])
def test_pictures_are_made_small_as_the_extractor_makes_them(cast, interpolation):
    from mlmodels.core.vision.transforms import Transform

    (image,) = make_images(cast.project, 1)
    with_file(image, scene(7))
    transform = Transform(32, (0.0,) * 3, (1 / 255,) * 3, interpolation, mirror=False)
    plan = Plan(cast.project.pk, 0, "any", 0, (image.pk,), np.zeros((1, 1), dtype=np.int8))
    seen = transform([open_upright(scene(7), at_least_px=32)])
    np.testing.assert_allclose(finetune_pictures.reader(plan, transform)([0]).numpy(), seen, atol=1e-3)


def test_holdout_images_are_never_tuned_on(tuned_project, monkeypatch):
    found = []
    monkeypatch.setattr(
        finetuning, "_tune", lambda plan, *rest: found.append(plan) or pytest.fail("seen enough")
    )
    with pytest.raises(pytest.fail.Exception):
        finetuning.execute(asked(tuned_project).pk)
    (plan,) = found
    holdout = set(
        Image.objects.filter(project=tuned_project.project, is_holdout=True).values_list("pk", flat=True)
    )
    assert len(plan.image_ids) >= TRAINING and len(holdout) == HOLDOUT
    assert not holdout & set(plan.image_ids)


def test_a_backbone_that_the_gate_refuses_changes_nothing_and_its_weights_can_go(tuned_project, monkeypatch):
    before = live_number(tuned_project)
    real = judging.judge

    def strict(*args, **kwargs):
        judgement = real(*args, **kwargs)
        verdict = replace(judgement.verdict, outcome="refused", reasons=("worse than before",))
        return replace(judgement, verdict=verdict)

    monkeypatch.setattr(judging, "judge", strict)
    run = finetuning.execute(asked(tuned_project).pk)

    assert (run.state, run.reason) == (JobState.REFUSED, "worse than before")
    assert live_number(tuned_project) == before
    tuned_project.project.refresh_from_db()
    assert tuned_project.project.extractor == "test_efficientnet"
    assert ModelVersion.objects.get(run=run).reasons == ["worse than before"]
    folder = tuned_backbones.folder_of_run(run.pk)
    assert (folder / "backbone.safetensors").exists()
    output = StringIO()
    call_command("clean_backbones", stdout=output)
    assert not folder.exists()
    assert f"run-{run.pk}" in output.getvalue()


def test_a_backbone_that_is_only_as_good_as_the_one_before_does_not_go_live(tuned_project, monkeypatch):
    """The gate alone would let through what loses little; all images would be looked at again for it."""
    before, real = live_number(tuned_project), finetuning._frozen
    frozen = []

    def equal(run, evidence):
        scored = real(run, evidence)

        def best(judged):
            rival = scored(judged)
            frozen.append(rival)
            return replace(rival, scores=(judged.truth == 1).astype(float))

        return best

    monkeypatch.setattr(finetuning, "_frozen", equal)
    run = finetuning.execute(asked(tuned_project).pk)

    assert (run.state, gate.NOT_BETTER in run.reason) == (JobState.REFUSED, True)
    version = ModelVersion.objects.get(run=run)
    assert len(frozen[0].scores) == version.metrics["holdout_images"]
    assert version.verdict == judging.again(version).outcome == "refused"
    assert version.details["frozen_average_precision_point"] <= 0
    assert any(
        reason.startswith("Against the backbone as it was, taught the same answers: AP")
        for reason in shown.reasons(version)
    )
    assert live_number(tuned_project) == before
    tuned_project.project.refresh_from_db()
    assert tuned_project.project.extractor == "test_efficientnet"


def test_three_reviews_are_refused_with_how_many_are_needed(planted):
    planted.images(8)
    planted.review(3)
    run = finetuning.execute(asked(planted).pk)
    assert run.state == JobState.REFUSED
    assert "needs 100 reviewed images to train on, got 3" in run.reason
    assert "50 reviewed images of the holdout to be judged by, got 0" in run.reason


def test_two_admins_who_press_at_once_get_one_run(planted):
    presses = 6
    at_once = threading.Barrier(presses)

    def press(_):
        try:
            at_once.wait()
            return asked(planted).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(presses) as pool:
        found = list(pool.map(press, range(presses)))
    assert [found[0]] * presses == found
    assert TrainingRun.objects.filter(kind="finetune").count() == 1


def test_another_admin_who_wants_other_settings_is_told_of_the_run(planted):
    asked(planted)
    with pytest.raises(Conflict, match="with other settings"):
        runs.request_finetune(planted.project.pk, settings=FinetuneSettings(stages=3))
    assert TrainingRun.objects.filter(kind="finetune").count() == 1


def test_a_head_is_trained_beside_a_backbone_that_is_being_tuned(planted):
    runs.claim(asked(planted).pk)
    head = runs.request(planted.project.pk)
    assert runs.claim(head.pk) is not None
    assert selectors.open_run(planted.project.pk).pk == head.pk


def test_tuning_makes_way_for_a_head_and_goes_on_behind_it(tuned_project, monkeypatch):
    monkeypatch.setattr(finetune_progress, "TELL_EVERY_S", 0.0)
    monkeypatch.setattr(finetune_progress, "CHECK_EVERY_S", 0.0)
    run = asked(tuned_project)
    head = runs.request(tuned_project.project.pk)

    first = finetuning.execute(run.pk, steps_aside=True)

    assert (first.state, first.claim) == (JobState.QUEUED, None)
    assert training.execute(head.pk).state in (JobState.DONE, JobState.REFUSED)
    second = finetuning.execute(run.pk, steps_aside=True)
    assert second.state in (JobState.DONE, JobState.REFUSED), second.reason
    assert KILLED not in second.tuning["notes"]


def test_a_run_that_is_cancelled_stops_at_its_next_batch(tuned_project, monkeypatch):
    monkeypatch.setattr(finetune_progress, "TELL_EVERY_S", 0.0)
    run, calls = asked(tuned_project), []
    real = finetune_progress.Watch.__call__

    def press(self, progress):
        calls.append(progress.phase)
        if len(calls) == 3:
            runs.cancel(TrainingRun.objects.get(pk=run.pk), actor_id=tuned_project.cast.admin.pk)
        real(self, progress)

    monkeypatch.setattr(finetune_progress.Watch, "__call__", press)
    ended = finetuning.execute(run.pk)
    assert (ended.state, len(calls)) == (JobState.CANCELLED, 3)
    assert not tuned_backbones.work_folder(run.pk).exists()
    assert not ModelVersion.objects.filter(run=run).exists()


def test_a_full_disk_fails_the_run_with_a_sentence_and_what_served_serves_on(tuned_project, monkeypatch):
    from mlmodels.core.learning import checkpoints

    before = live_number(tuned_project)

    def no_space(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoints, "write_whole", no_space)
    run = finetuning.execute(asked(tuned_project).pk)
    assert run.state == JobState.FAILED
    assert run.reason.startswith("The disk is full: free some space and ask again. What serves is unchanged.")
    assert live_number(tuned_project) == before
    assert not tuned_backbones.folder_of_run(run.pk).exists() or not any(
        tuned_backbones.folder_of_run(run.pk).iterdir()
    )


def test_memory_that_is_too_small_halves_the_batch_and_the_run_says_so(tuned_project):
    import torch

    def full_above(module, inputs):
        if type(module).__name__ == "Tagging" and torch.is_grad_enabled() and len(inputs[0]) > 8:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    handle = torch.nn.modules.module.register_module_forward_pre_hook(full_above)
    try:
        run = finetuning.execute(asked(tuned_project).pk)
    finally:
        handle.remove()
    assert run.state in (JobState.DONE, JobState.REFUSED), run.reason
    assert any(
        "ran out of memory at 16 images at once: 8 from now on" in note for note in run.tuning["notes"]
    )


def test_a_killed_worker_is_named_and_the_next_one_goes_on(tuned_project, monkeypatch):
    run = asked(tuned_project)

    class Killed(BaseException):
        """The process is gone: nothing of it runs any more."""

    calls = []
    real = finetune_progress.Watch.__call__

    def die_in_the_third_epoch(self, progress):
        calls.append(progress)
        if len(progress.curve) == 3 and not progress.saved:
            raise Killed
        real(self, progress)

    with monkeypatch.context() as patched:
        patched.setattr(finetune_progress.Watch, "__call__", die_in_the_third_epoch)
        with pytest.raises(Killed):
            finetuning.execute(run.pk)
    run.refresh_from_db()
    before = run.tuning["curve"]
    assert (run.state, len(before)) == (JobState.RUNNING, 3)
    assert runs.claim(run.pk) is None, "as long as its heartbeat is young"
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - 2 * jobs.STALE_AFTER)
    assert run.pk in jobs.waiting_ids(TrainingRun)

    ended = finetuning.execute(run.pk)

    assert ended.state in (JobState.DONE, JobState.REFUSED), ended.reason
    assert KILLED in ended.tuning["notes"]
    assert ended.tuning["curve"][:3] == before, "with their seconds, which differ when an epoch is done again"


def test_another_projects_tuned_backbone_is_no_extractor_here(tuned_project):
    run = finetuning.execute(asked(tuned_project).pk)
    name = tuned_backbones.name_for("test_efficientnet", run.pk)
    assert run.result["extractor"] == name, run.reason
    assert Extractor.objects.filter(name=name).exists()
    assert tuned_backbones.belongs_to(name, tuned_project.project.pk)
    other = Project.objects.get(name="Elsewhere")
    assert not tuned_backbones.belongs_to(name, other.pk)


def test_a_weight_file_that_was_changed_is_refused_by_name(tuned_project):
    from mlmodels.core.errors import WeightsError
    from mlmodels.core.vision import tuned

    run = finetuning.execute(asked(tuned_project).pk)
    folder = tuned_backbones.folder_of_run(run.pk)
    path = folder / tuned.WEIGHTS
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(WeightsError, match="manifest names, got others"):
        tuned.load(folder, engine="torch")


class TestEstimate:
    def test_the_command_says_how_long_it_takes_before_it_starts(self, tuned_project):
        output, said = StringIO(), StringIO()
        call_command(
            "train",
            tuned_project.project.pk,
            "--finetune",
            "--epochs",
            "4",
            "--batch",
            "16",
            stdout=output,
            stderr=said,
        )
        assert said.getvalue().startswith("At most ")
        assert "on the CPU for" in said.getvalue()
        assert "epoch 2: average precision" in output.getvalue()

    def test_the_command_refuses_a_device_that_is_not_there_before_it_asks_for_a_run(self, tuned_project):
        for device in ("cuda:99", "gpu"):
            with pytest.raises(CommandError, match=f"torch sees here .*got '{device}'"):
                call_command("train", tuned_project.project.pk, "--finetune", "--device", device)
        assert not TrainingRun.objects.filter(project=tuned_project.project, kind="finetune").exists()

    def test_a_measured_estimate_is_kept_for_the_page(self, tuned_project):
        options = {"stages": 1, "epochs": 2, "batch": 16, "loss": "binary"}
        assert finetune_estimates.should_ask(tuned_project.project.pk, options)
        assert not finetune_estimates.should_ask(tuned_project.project.pk, options), "asked within the minute"
        told = finetune_estimates.measure(tuned_project.project.pk, options)
        assert told.seconds > 0 and told.parameters > 0 and told.device == "cpu"
        assert finetune_estimates.known(tuned_project.project.pk, options) == told

    def test_a_project_without_features_cannot_be_measured(self, planted):
        Extractor.objects.all().delete()
        with pytest.raises(CommandError):
            call_command("train", planted.project.pk, "--finetune")
        assert ProjectExtractor.objects.count() == 0
