"""What every test stands on: this run's own PostgreSQL and Redis, clean Redis for each test, people who sign in."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from tests import servers, workers

_servers = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    if config.option.collectonly or config.option.help:
        return
    config.stash[_servers] = run = ExitStack()
    run.callback(shutil.rmtree, settings.LAYOUT.root, ignore_errors=True)
    if _only_divides(config):
        return
    settings.STATIC_ROOT.mkdir()
    run.enter_context(servers.running(settings.LAYOUT))


def _only_divides(config: pytest.Config) -> bool:
    """Under `-n` the first process hands the tests out and runs none."""
    return bool(config.getoption("numprocesses", None)) and not hasattr(config, "workerinput")


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


@pytest.fixture
def client_of() -> Callable[..., APIClient]:
    """An API client signed in as a user."""

    def signed_in(user: object) -> APIClient:
        client = APIClient()
        client.force_login(user)  # type: ignore[arg-type]
        return client

    return signed_in


@pytest.fixture
def browser_of() -> Callable[..., Client]:
    """A client of the pages signed in as a user."""

    def signed_in(user: object) -> Client:
        client = Client()
        client.force_login(user)  # type: ignore[arg-type]
        return client

    return signed_in
