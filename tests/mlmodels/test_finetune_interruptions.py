"""What comes between in a fine-tuning run: kills, others who wait, errors that are not its own, a project that goes."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, OperationalError
from django.utils import timezone

from annotations.models import Membership
from annotations.models.job import JobState
from annotations.selectors import model_inputs
from annotations.services import jobs, projects
from mlmodels import selectors
from mlmodels.core.learning.tuning import Pause, Progress
from mlmodels.models import ModelExport, ModelVersion, TrainingRun
from mlmodels.services import (
    finetune_estimates,
    finetune_progress,
    finetuning,
    policy,
    runs,
    training,
    tuned_backbones,
)
from tests.mlmodels.test_finetuning import asked
from tests.mlmodels.views.conftest import version_of

pytestmark = pytest.mark.usefixtures("one_thread")


def claimed(planted, **changes) -> TrainingRun:
    """A run that a worker has begun."""
    run = asked(planted)
    TrainingRun.objects.filter(pk=run.pk).update(**changes)
    return runs.claim(run.pk)


def test_progress_that_a_kill_leaves_makes_the_next_kill_the_first_one(planted):
    run = claimed(planted, attempts=3)
    watch = finetune_progress.Watch(run, steps_aside=False)

    watch(Progress("look", 7, 100, None))
    assert TrainingRun.objects.get(pk=run.pk).attempts == 4
    watch(Progress("look", 8, 100, None, saved=True))
    assert TrainingRun.objects.get(pk=run.pk).attempts == 1

    TrainingRun.objects.filter(pk=run.pk).update(attempts=4)
    watch.looked(10, 100)
    assert TrainingRun.objects.get(pk=run.pk).attempts == 1


def test_a_policy_that_cannot_be_checked_is_not_the_runs_error(planted, monkeypatch):
    checked = []

    def check(project_id):
        checked.append(project_id)
        if project_id == 1:
            raise DatabaseError("deadlock detected")

    monkeypatch.setattr(policy, "check", check)
    monkeypatch.setattr(model_inputs, "with_unread_answers", lambda: [1, planted.project.pk])
    watch = finetune_progress.Watch(claimed(planted), steps_aside=True)
    watch(Progress("train", 1, 100, None))
    assert checked == [1, planted.project.pk]


def test_a_database_that_fails_leaves_the_run_and_its_work_to_the_next_worker(planted, monkeypatch):
    run = asked(planted)
    folder = tuned_backbones.work_folder(run.pk)
    folder.mkdir(parents=True)

    def lose_connection(worker):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(finetuning, "_work", lose_connection)
    with pytest.raises(OperationalError):
        finetuning.execute(run.pk)

    run.refresh_from_db()
    assert (run.state, folder.is_dir()) == (JobState.RUNNING, True)
    long_ago = timezone.now() - jobs.STALE_AFTER - timedelta(seconds=1)
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=long_ago)
    assert run.pk in jobs.waiting_ids(TrainingRun)


def test_it_makes_way_for_a_models_file_and_for_an_estimate(planted, monkeypatch):
    monkeypatch.setattr(finetune_progress, "CHECK_EVERY_S", 0.0)
    watch = finetune_progress.Watch(claimed(planted), steps_aside=True)
    watch.looked(1, 100)

    job = ModelExport.objects.create(project=planted.project, version=version_of(planted, 1), total=1)
    with pytest.raises(Pause):
        watch.looked(2, 100)
    ModelExport.objects.filter(pk=job.pk).update(state=JobState.DONE)
    watch.looked(3, 100)

    assert finetune_estimates.should_ask(planted.project.pk, {"epochs": 3})
    with pytest.raises(Pause):
        watch.looked(4, 100)
    watch.looked(5, 100)


def test_it_makes_way_while_the_tuned_backbone_looks_and_does_not_tune_again(tuned_project, monkeypatch):
    monkeypatch.setattr(finetune_progress, "CHECK_EVERY_S", 0.0)
    run, real = asked(tuned_project), runs.enter
    entered = []

    def enter(entering, stage):
        entered.append(stage)
        if entered.count("look") == 1 and stage == "look":
            runs.request(tuned_project.project.pk)
        real(entering, stage)

    with monkeypatch.context() as patched:
        patched.setattr(runs, "enter", enter)
        first = finetuning.execute(run.pk, steps_aside=True)
        assert (first.state, first.tuning["phase"]) == (JobState.QUEUED, "features")
        (head,) = selectors.heads_waiting()
        training.execute(head)
        second = finetuning.execute(run.pk, steps_aside=True)

    assert second.state in (JobState.DONE, JobState.REFUSED), second.reason
    assert ModelVersion.objects.filter(run=run).exists()
    assert (entered.count("tune"), finetune_progress.KILLED in second.tuning["notes"]) == (1, False)


def test_a_project_that_is_purged_takes_its_run_along(planted, monkeypatch):
    def purge(worker):
        TrainingRun.objects.filter(pk=worker.run.pk).delete()
        jobs.beat(worker.run)

    monkeypatch.setattr(finetuning, "_work", purge)
    assert finetuning.execute(asked(planted).pk) is None


def test_a_project_in_the_trash_is_tuned_no_further(planted, monkeypatch):
    def train(worker):
        watch = finetune_progress.Watch(worker.run, steps_aside=False)
        watch(Progress("train", 1, 100, None, saved=True))
        projects.trash(Membership.objects.get(project=planted.project, user=planted.cast.admin))
        watch(Progress("train", 2, 100, None, saved=True))

    monkeypatch.setattr(finetuning, "_work", train)
    ended = finetuning.execute(asked(planted).pk)
    assert (ended.state, ended.reason) == (JobState.CANCELLED, "The project is in the trash.")
