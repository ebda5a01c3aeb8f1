"""A whole Tagger for tests and benchmarks: `manage.py up` on a free port with data of its own.

with stack.site() as running:
    httpx.get(running.url)
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tagger import processes
from tagger.layout import BASE_DIR, Layout
from tests import servers

ADMIN = "admin"
PASSWORD = "first sign-in of a test"
START_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Site:
    """A running site. `process` is the supervisor once the site answers."""

    url: str
    layout: Layout
    process: subprocess.Popen[str]
    output: Path
    environment: Mapping[str, str]
    admin: str = ADMIN
    password: str = PASSWORD

    def health(self) -> dict[str, Any] | None:
        """The answer of /healthz, or None while nothing answers."""
        try:
            with urllib.request.urlopen(f"{self.url}healthz", timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except (OSError, ValueError):
            return None

    def is_whole(self) -> bool:
        return (self.health() or {}).get("status") == "ok"

    def programs(self) -> dict[str, int]:
        """Pid of every supervised program by its name: web, worker-io, worker-ml, worker-train, beat..."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            command = _command(child)
            found |= {name: child.pid for name, sign in _SIGNS.items() if sign in command}
        return found

    def everything(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def manage(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a `manage.py` command against this site."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE_DIR, env=dict(self.environment), text=True, capture_output=True, check=False, **options,
        )  # fmt: skip


_SIGNS = {
    "postgres": "bin/postgres",
    "redis": "redis-server",
    "web": "gunicorn",
    "worker-io": "--queues=io",
    "worker-ml": "--queues=ml",
    "worker-train": "--queues=train",
    "beat": " beat ",
}


def _command(process: psutil.Process) -> str:
    """Empty for one that has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment_of(data: Path) -> dict[str, str]:
    """What a `manage.py` needs to work on an installation of its own, apart from that of the tests."""
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    return inherited | {"DJANGO_SETTINGS_MODULE": "tagger.settings", "TAGGER_DATA": str(data)}


def start(data: Path, *, port: int | None = None, environment: Mapping[str, str] | None = None) -> Site:
    """Start `up` and return at once; `wait` for it before use."""
    port = port or free_port()
    complete = environment_of(data) | {
        "PORT": str(port),
        "TAGGER_ADMIN_PASSWORD": PASSWORD,
        **(environment or {}),
    }
    output = Path(f"{data}.out")
    with output.open("a") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=BASE_DIR, env=complete, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip
    return Site(f"http://127.0.0.1:{port}/", Layout(data), process, output, complete)


_NOT_INHERITED = {"TAGGER_TEST_RUN", "STATIC_MANIFEST", "DATABASE_URL", "REDIS_URL", "DATABASE_POOL_SIZE"}


def wait(running: Site, *, whole: bool = True) -> None:
    """Until the pages answer, and with `whole` every worker too. A start that failed shows its output."""

    def settled() -> bool:
        answers = running.is_whole() if whole else running.health() is not None
        return answers or running.process.poll() is not None

    in_time = processes.wait_until(settled, timeout_s=START_TIMEOUT_S, every_s=0.25)
    if not in_time or running.process.poll() is not None:
        stop(running)
        raise AssertionError(f"The site did not start:\n{running.output.read_text()}\n{running.health()}")


def stop(running: Site, number: int = signal.SIGTERM) -> int:
    """Stop it as Ctrl-C or SIGTERM would, and return its exit status."""
    if running.process.poll() is None:
        running.process.send_signal(number)
    return running.process.wait(timeout=60)


@contextmanager
def site(*, whole: bool = True, environment: Mapping[str, str] | None = None) -> Iterator[Site]:
    """A site with a copied empty cluster (without fsync), gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="tagger-site-"))
    servers.open_to_accounts(folder)
    servers.prepare(Layout(folder / "data"))
    running = start(folder / "data", environment=environment)
    try:
        wait(running, whole=whole)
        yield running
    finally:
        stop(running)
        shutil.rmtree(folder, ignore_errors=True)
