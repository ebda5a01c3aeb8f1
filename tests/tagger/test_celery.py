"""Queues, the schedule, and a real worker's sign of life."""

import subprocess

import psutil
import pytest

from tagger import celery, health, processes
from tagger.processes import Identity


def test_every_scheduled_task_exists() -> None:
    celery.app.loader.import_default_modules()
    missing = [entry["task"] for entry in celery.SCHEDULE.values() if entry["task"] not in celery.app.tasks]
    assert not missing


@pytest.mark.parametrize(
    ("name", "queue"),
    [("annotations.tasks.sweep", "io"), ("mlmodels.tasks.sweep", "ml"), ("mlmodels.tasks.train", "train")],
)
def test_a_task_goes_to_its_queue_or_that_of_its_package(name: str, queue: str) -> None:
    assert celery.route(name) == {"queue": queue}


def test_a_killed_worker_takes_its_child_along_and_is_missed(live_workers: subprocess.Popen[bytes]) -> None:
    children = [Identity.of(child.pid) for child in psutil.Process(live_workers.pid).children()]
    assert children
    live_workers.kill()
    live_workers.wait()
    assert processes.wait_until(lambda: not any(child.alive() for child in children), timeout_s=10)
    gone = processes.wait_until(lambda: not health.worker_state()["io"], timeout_s=15, every_s=0.2)
    assert gone, "pages would not say within 15 s that no worker runs"
