"""`manage.py up`: prepare, then become the supervisor of web server, workers, beat and embedded servers."""

import os
import socket
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import connections

from tagger import cluster, env, preparation, stack, supervision
from tagger.embedded import ServerError
from tagger.layout import BASE_DIR, Layout


class Command(BaseCommand):
    help = "Start Tagger: embedded PostgreSQL and Redis, web server, workers and schedule. Ctrl-C stops it."

    def handle(self, *args: Any, **options: Any) -> None:
        layout: Layout = settings.LAYOUT
        host, port = env.text("BIND", "127.0.0.1"), env.integer("PORT", 8000, minimum=1, maximum=65535)
        url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/"  # noqa: S104 - only compared
        try:
            cluster.prepare_folders(layout)
            refuse_second(layout)
            refuse_taken_port(host, port)
            with stack.exclusively(layout):
                refuse_second(layout)
                password = prepare(layout)
                stack.write(layout, port=port, url=url)
                announce(url, greeting(layout, url, password))
                become_supervisor(layout, host=host, port=port)
        except ServerError as error:
            raise CommandError(str(error)) from error


def refuse_second(layout: Layout) -> None:
    if running := stack.running_stack(layout):
        raise CommandError(
            f"Tagger already runs on {layout.root} as process {running.identity.pid}, at {running.url} - "
            "stop that one, or give this one another TAGGER_DATA and PORT."
        )


def refuse_taken_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} on {host} cannot be used ({error.strerror}). Choose another: PORT={port + 1}."
            ) from error


def prepare(layout: Layout) -> str | None:
    """Everything that takes a database; the servers started for it are stopped again."""
    with stack.servers(layout):
        try:
            preparation.migrate()
            password = preparation.first_admin()
        finally:
            connections.close_all()
    preparation.collect_files()
    return password


def greeting(layout: Layout, url: str, password: str | None) -> str:
    lines = ["", f"  Tagger runs at {url}"]
    if password:
        lines.append(f"  First sign-in: {preparation.FIRST_ADMIN} / {password}   (shown only now)")
    elif os.environ.get("TAGGER_ADMIN_PASSWORD"):
        lines.append(f"  First sign-in: {preparation.FIRST_ADMIN} / the password in TAGGER_ADMIN_PASSWORD")
    lines.append(f"  Logs: {layout.logs}   Stop: Ctrl-C")
    return "\n".join([*lines, ""])


def announce(url: str, text: str) -> None:
    """Left to a process of its own, because this one is about to become the supervisor."""
    command = [sys.executable, "-m", "tagger.announce", url]
    child = subprocess.Popen(command, cwd=BASE_DIR, stdin=subprocess.PIPE, text=True, start_new_session=True)
    assert child.stdin is not None
    child.stdin.write(text)
    child.stdin.close()


def become_supervisor(layout: Layout, *, host: str, port: int) -> None:
    file = layout.run / "supervisord.conf"
    found = supervision.programs(layout, host=host, port=port)
    file.write_text(supervision.configuration(layout, found, to_stdout=env.flag("LOG_TO_STDOUT")))
    os.environ |= {"TAGGER_DATA": str(layout.root), "PYTHONUNBUFFERED": "1"}
    os.environ.pop("TAGGER_ADMIN_PASSWORD", None)
    command = [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "--silent", "-c", str(file)]
    os.execv(sys.executable, command)  # noqa: S606 - a fixed program, no shell wanted
