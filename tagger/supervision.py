"""What runs under the supervisor, and how: the programs of one machine and the configuration they share.

Each program is started through `tagger.child`, so that it ends with the supervisor however that ends.
"""

import os
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tagger import embedded, env
from tagger.layout import BASE_DIR, Layout

# Large activations are otherwise mapped and unmapped on every batch, which costs more than the arithmetic.
TORCH_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "268435456",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
    "MALLOC_TOP_PAD_": "67108864",
}
FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}
# `up` has run the system checks; in a worker they would load every view and form.
NO_CHECKS = {"CELERY_SKIP_CHECKS": "1"}
# Threads of a pool do not survive a fork, and a task is far longer than a connect.
NO_POOL = {"DATABASE_POOL_SIZE": "0"}


@dataclass(frozen=True)
class Program:
    """One supervised program. Lower priority starts first, stops last; `nice` work gives way to the web."""

    name: str
    command: list[str]
    priority: int
    stop_signal: str = "TERM"
    stop_wait_s: int = 10
    nice: int = 0
    environment: dict[str, str] = field(default_factory=dict)


def _module(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _worker(queue: str, *, processes: int, nice: int, environment: dict[str, str]) -> Program:
    command = _module(
        "celery", "-A", "tagger.celery", "worker", f"--queues={queue}", f"--hostname={queue}@%h",
        f"--concurrency={processes}", "--without-gossip", "--without-mingle", "--without-heartbeat",
        "--loglevel=INFO",
    )  # fmt: skip
    return Program(f"worker-{queue}", command, 30, nice=nice, environment=NO_CHECKS | NO_POOL | environment)


def programs(layout: Layout, *, host: str, port: int) -> list[Program]:
    found = []
    if embedded.uses_postgres():
        command = _module("tagger.embedded", "postgres")
        found.append(Program("postgres", command, 10, stop_signal="INT", stop_wait_s=30))
    if embedded.uses_redis():
        found.append(Program("redis", _module("tagger.embedded", "redis"), 10))
    threads = env.integer("WEB_THREADS", 4, minimum=1, maximum=64)
    web = _module(
        "gunicorn", "tagger.wsgi", f"--bind={host}:{port}", "--worker-class=gthread", "--preload",
        f"--workers={env.integer('WEB_WORKERS', 2, minimum=1, maximum=64)}", f"--threads={threads}",
        "--timeout=60", "--graceful-timeout=8", "--keep-alive=15", "--config=python:tagger.web",
        f"--worker-tmp-dir={layout.run}", "--log-level=warning",
    )  # fmt: skip
    pool = env.integer("DATABASE_POOL_SIZE", threads + 1, minimum=0, maximum=100)
    found.append(Program("web", web, 20, environment=FEW_ARENAS | {"DATABASE_POOL_SIZE": str(pool)}))
    found += [
        _worker("io", processes=env.integer("IO_PROCESSES", 2, minimum=1), nice=5, environment=FEW_ARENAS),
        _worker("ml", processes=1, nice=5, environment=TORCH_MEMORY),
        _worker("train", processes=1, nice=10, environment=TORCH_MEMORY),
        Program(
            "beat",
            _module("celery", "-A", "tagger.celery", "beat", "--loglevel=WARNING", "--pidfile="),
            30,
            nice=5,
            environment=NO_CHECKS | NO_POOL | FEW_ARENAS,
        ),
    ]
    return found


def configuration(layout: Layout, found: list[Program], *, to_stdout: bool = False) -> str:
    """The text of supervisord's configuration. Paths are quoted for its `%` expansion."""
    user = "user = root\n" if os.geteuid() == 0 else ""
    lines = [
        "[supervisord]\nnodaemon = true\n"
        f"{user}logfile = {_escaped(layout.logs / 'supervisord.log')}\n"
        "logfile_maxbytes = 1MB\nlogfile_backups = 1\n"
        f"pidfile = {_escaped(layout.run / 'supervisord.pid')}\ndirectory = {_escaped(BASE_DIR)}\n"
        f"childlogdir = {_escaped(layout.logs)}\n",
        f"[unix_http_server]\nfile = {_escaped(layout.supervisor_socket)}\nchmod = 0700\n",
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
        f"[supervisorctl]\nserverurl = unix://{_escaped(layout.supervisor_socket)}\n",
    ]
    lines += [_section(layout, program, to_stdout=to_stdout) for program in found]
    # One group stops together instead of one after another.
    members = ",".join(program.name for program in found if program.priority == 30)
    lines.append(f"[group:work]\nprograms = {members}\npriority = 30\n")
    return "\n".join(lines)


def _section(layout: Layout, program: Program, *, to_stdout: bool) -> str:
    command = shlex.join(_module("tagger.child", str(program.nice), *program.command))
    log = "/dev/fd/1" if to_stdout else _escaped(layout.logs / f"{program.name}.log")
    values: dict[str, object] = {
        "command": command.replace("%", "%%"),
        "directory": _escaped(BASE_DIR),
        "priority": program.priority,
        "environment": ",".join(f'{name}="{value}"' for name, value in program.environment.items()),
        "autorestart": "true",
        "startsecs": 1,  # what falls sooner is restarted after 1 s, 2 s, 3 s...
        "startretries": 1_000_000,
        "stopsignal": program.stop_signal,
        "stopwaitsecs": program.stop_wait_s,
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": log,
        "stdout_logfile_maxbytes": 0 if to_stdout else "10MB",
        "stdout_logfile_backups": 0 if to_stdout else 2,
    }
    body = "".join(f"{name} = {value}\n" for name, value in values.items() if value != "")
    return f"[program:{program.name}]\n{body}"


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")
