"""A real worker's child gets the signal that the system sends when memory runs out: its job names it, with a remedy."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from celery import Task
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from annotations.models import ExportJob, Image
from annotations.models.job import Job, JobState
from annotations.services import jobs
from annotations.services.jobs import AnyJob
from annotations.tasks import run_export
from mlmodels import tasks
from mlmodels.models import ProjectExtractor, TrainingRun
from mlmodels.services import finetune_progress, runs
from mlmodels.services.finetune_settings import FinetuneSettings
from tagger import processes
from tagger.celery import app
from tests import workers
from tests.factories import make_cast, make_tags

WAIT_S = 120
BY = "by signal 9 (SIGKILL), as the system does when memory runs out"
REMEDIES = {
    "head": "Give the worker more memory.",
    "finetune": "Choose a smaller batch or fewer stages, or give the worker more memory.",
}


@contextmanager
def nothing_to_be_read(model: type[Model]) -> Iterator[None]:
    """Whoever has claimed a job waits for what it reads first: a run the extractor, an export the images."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {model._meta.db_table} IN ACCESS EXCLUSIVE MODE")
        yield


def asked(kind: str, project_id: int) -> TrainingRun:
    if kind == "head":
        return runs.request(project_id)
    return runs.request_finetune(project_id, settings=FinetuneSettings())


def wait_for(condition, what: str) -> None:
    assert processes.wait_until(condition, timeout_s=WAIT_S), f"waited {WAIT_S} s for {what}"


def is_at_work(job: Job) -> bool:
    job.refresh_from_db()
    is_before_it_tunes = (
        isinstance(job, TrainingRun) and job.kind == "finetune" and not job.tuning.get("at_work")
    )
    return job.state == JobState.RUNNING and not is_before_it_tunes


def kill_the_child(worker: psutil.Process) -> None:
    """The main process has seen to a dead child when it starts another one."""
    (child,) = worker.children()
    os.kill(child.pid, signal.SIGKILL)
    wait_for(lambda: any(other.pid != child.pid for other in worker.children()), "another child")


def killed_at_work(task: Task, job: AnyJob, *, reads: type[Model], attempts: int) -> AnyJob:
    """The job after the system has killed the process that was at it, claimed so often without progress."""
    app.control.purge()  # whatever else is sent would wait for the table first, and nobody would claim the job
    with workers.running() as worker, nothing_to_be_read(reads):
        task.delay(job.pk)
        wait_for(lambda: is_at_work(job), "the job to be at work")
        kill_the_child(psutil.Process(worker.pid))
    silent = timezone.now() - 2 * jobs.STALE_AFTER
    type(job)._default_manager.filter(pk=job.pk).update(heartbeat_at=silent, attempts=attempts)
    return job


def killed_run(kind: str, *, attempts: int) -> TrainingRun:
    cast = make_cast()
    make_tags(cast.project, "dog")
    return killed_at_work(
        tasks.train, asked(kind, cast.project.pk), reads=ProjectExtractor, attempts=attempts
    )


def test_every_kind_of_job_has_its_deaths_named():
    app.loader.import_default_modules()
    named = {getattr(task, "job_model", None) for task in app.tasks.values()}
    assert {model for model in apps.get_models() if issubclass(model, Job)} == named - {None}


@pytest.mark.parametrize("kind", REMEDIES)
def test_a_run_that_is_given_up_names_the_signal_and_what_helps(transactional_db, kind):
    run = killed_run(kind, attempts=jobs.MAX_ATTEMPTS)
    assert jobs.give_up(TrainingRun) == 1
    run.refresh_from_db()
    assert run.state == JobState.FAILED
    assert run.reason.endswith(f"killed the last time {BY}. {REMEDIES[kind]}")


def test_an_export_that_is_given_up_does_so_too(transactional_db):
    cast = make_cast()
    job = ExportJob.objects.create(project=cast.project, actor=cast.manager, format="csv")
    killed_at_work(run_export, job, reads=Image, attempts=jobs.MAX_ATTEMPTS)
    assert jobs.give_up(ExportJob) == 1
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert job.reason.endswith(f"killed the last time {BY}. Give the worker more memory.")


def test_tuning_that_goes_on_names_the_signal(transactional_db):
    run = runs.claim(killed_run("finetune", attempts=1).pk)
    finetune_progress.begin(run, "cpu")
    assert run.tuning["notes"][-1] == f"Its worker was killed {BY}; it went on from the last checkpoint."
    finetune_progress.begin(run, "cpu")
    assert run.tuning["notes"][-1] == finetune_progress.KILLED.format(by=""), "this death nobody saw"
