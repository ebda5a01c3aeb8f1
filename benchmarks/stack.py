"""A Tagger of one's own for a benchmark: `manage.py up` on a free port, or its servers and Django in this process."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 180


@dataclass(frozen=True)
class Stack:
    url: str
    data: Path
    admin_password: str
    start_seconds: float
    pid: int

    def manage(self, *arguments: str) -> str:
        """Run a command of manage.py against this stack and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=os.environ | {"TAGGER_DATA": str(self.data)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def token(self) -> str:
        return self.manage("create_token", "admin").strip().splitlines()[-1]


@contextmanager
def running_stack() -> Iterator[Stack]:
    """Start it, wait until /healthz answers with all workers, and stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="tagger-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs under an unprivileged account
        data, port, password = Path(folder) / "data", _free_port(), secrets.token_urlsafe(12)
        environment = os.environ | {
            "TAGGER_DATA": str(data),
            "PORT": str(port),
            "TAGGER_ADMIN_PASSWORD": password,
        }
        started = time.monotonic()
        log = (Path(folder) / "up.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_healthy(url, process)
            yield Stack(url, data, password, time.monotonic() - started, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def serve_pages_here() -> None:
    """Servers below TAGGER_DATA, a migrated Django and its static files: pages are asked for without a web server."""
    import django

    os.chdir(ROOT)
    from tagger import stack

    stack.ensure_servers()
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS = ["*"]
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"`manage.py up` ended with {process.returncode}; run it by hand to see why.")
        try:
            if requests.get(f"{url}/healthz", timeout=2).json().get("status") == "ok":
                return
        except (requests.RequestException, ValueError):
            pass
        time.sleep(0.2)
    raise SystemExit(f"Tagger was not healthy after {START_TIMEOUT_S} s.")
