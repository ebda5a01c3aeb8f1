"""A real worker's child gets the signal that the system sends when memory runs out: its job names it, with a remedy."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotations.models.job import JobState
from annotations.services import jobs
from mlmodels import tasks
from mlmodels.models import TrainingRun
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
def nothing_to_be_read() -> Iterator[None]:
    """Whoever has claimed a run waits for the extractor that it is to read, which is the first that a run asks for."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE mlmodels_projectextractor IN ACCESS EXCLUSIVE MODE")
        yield


def asked(kind: str, project_id: int) -> TrainingRun:
    if kind == "head":
        return runs.request(project_id)
    return runs.request_finetune(project_id, settings=FinetuneSettings())


def wait_for(condition, what: str) -> None:
    assert processes.wait_until(condition, timeout_s=WAIT_S), f"waited {WAIT_S} s for {what}"


def is_at_work(run: TrainingRun) -> bool:
    run.refresh_from_db()
    return run.state == JobState.RUNNING and (run.kind == "head" or run.tuning.get("at_work", False))


def kill_the_child(worker: psutil.Process) -> None:
    """The main process has seen to a dead child when it starts another one."""
    (child,) = worker.children()
    os.kill(child.pid, signal.SIGKILL)
    wait_for(lambda: any(other.pid != child.pid for other in worker.children()), "another child")


def killed_at_work(kind: str, *, attempts: int) -> TrainingRun:
    cast = make_cast()
    make_tags(cast.project, "dog")
    run = asked(kind, cast.project.pk)
    app.control.purge()  # whatever else is sent would wait for the tables first, and nobody would claim the run
    with workers.running() as worker, nothing_to_be_read():
        tasks.train.delay(run.pk)
        wait_for(lambda: is_at_work(run), "the run to be at work")
        kill_the_child(psutil.Process(worker.pid))
    silent = timezone.now() - 2 * jobs.STALE_AFTER
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=silent, attempts=attempts)
    return run


@pytest.mark.parametrize("kind", REMEDIES)
def test_a_run_that_is_given_up_names_the_signal_and_what_helps(transactional_db, kind):
    run = killed_at_work(kind, attempts=jobs.MAX_ATTEMPTS)
    assert jobs.give_up(TrainingRun) == 1
    run.refresh_from_db()
    assert run.state == JobState.FAILED
    assert run.reason.endswith(f"killed the last time {BY}. {REMEDIES[kind]}")


def test_tuning_that_goes_on_names_the_signal(transactional_db):
    run = runs.claim(killed_at_work("finetune", attempts=1).pk)
    finetune_progress.begin(run, "cpu")
    assert run.tuning["notes"][-1] == f"Its worker was killed {BY}; it went on from the last checkpoint."
    finetune_progress.begin(run, "cpu")
    assert run.tuning["notes"][-1] == finetune_progress.KILLED.format(by=""), "this death nobody saw"
