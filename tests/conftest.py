"""What every test stands on: this run's own PostgreSQL and Redis, clean Redis for each test."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings

from tests import servers, workers

_servers = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    if config.option.collectonly or config.option.help:
        return
    config.stash[_servers] = run = ExitStack()
    run.callback(shutil.rmtree, settings.LAYOUT.root, ignore_errors=True)
    settings.STATIC_ROOT.mkdir()
    run.enter_context(servers.running(settings.LAYOUT))


def pytest_unconfigure(config: pytest.Config) -> None:
    if run := config.stash.get(_servers, None):
        run.close()


@pytest.fixture
def live_workers(transactional_db: None) -> Iterator[subprocess.Popen[bytes]]:
    """A real Celery worker of all queues on this test's database; tests may kill it."""
    with workers.running() as worker:
        yield worker


@pytest.fixture(autouse=True)
def clean_redis() -> Iterator[None]:
    """Counts, heartbeats and cached values of one test are not seen by the next."""
    from tagger import broker

    redis = broker.client()
    yield
    redis.flushdb()
