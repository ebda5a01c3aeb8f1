"""A real Celery worker beside a test, on the test's database and broker."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from tagger import health, processes
from tagger.layout import BASE_DIR

QUEUES = ("io", "ml", "train")


def start() -> subprocess.Popen[bytes]:
    """Start a worker and return at once. Its output goes to `worker.log` in the run's folder."""
    database = f"postgresql://tagger@/{connection.settings_dict['NAME']}?host={settings.LAYOUT.sockets}"
    command = [
        sys.executable, "-m", "celery", "-A", "tagger.celery", "worker", f"--queues={','.join(QUEUES)}",
        "--concurrency=1", "--without-gossip", "--without-mingle", "--loglevel=INFO",
    ]  # fmt: skip
    with (settings.LAYOUT.logs / "worker.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=BASE_DIR, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=os.environ | {"DATABASE_URL": database, "CELERY_SKIP_CHECKS": "1"},
        )  # fmt: skip


def alive() -> bool:
    state = health.worker_state()
    return all(state[name] for name in QUEUES)


@contextmanager
def running() -> Iterator[subprocess.Popen[bytes]]:
    worker = start()
    try:
        if (
            not processes.wait_until(lambda: alive() or worker.poll() is not None, timeout_s=60)
            or not alive()
        ):
            raise AssertionError((settings.LAYOUT.logs / "worker.log").read_text()[-4000:])
        yield worker
    finally:
        worker.terminate()
        try:
            worker.wait(timeout=20)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
