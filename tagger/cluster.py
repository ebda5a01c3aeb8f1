"""What the embedded servers need before they start: folders with the right owner, a database cluster."""

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

from tagger import embedded
from tagger.embedded import ServerError
from tagger.layout import Layout
from tagger.processes import Account

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "80",
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "io_method": "sync",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
SETTINGS_FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def prepare_folders(layout: Layout) -> None:
    """Make what is missing. Nothing outside TAGGER_DATA changes its permissions."""
    account = embedded.account_of(layout)
    layout.root.mkdir(parents=True, exist_ok=True)
    for folder in (layout.run, layout.logs, layout.media, layout.models):
        folder.mkdir(exist_ok=True)
    if account is not None:  # the account may pass through these two, and read neither
        for folder in (layout.root, layout.run):
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXGRP | stat.S_IXOTH)
    for folder in (layout.sockets, layout.redis):
        _private_folder(folder, account)
    if account is not None:
        _check_reachable(layout, account)


def _private_folder(folder: Path, account: Account | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    owner = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()):
        raise ServerError(
            f"{folder}: expected a folder owned by uid {owner}, got uid {found.st_uid}. Remove it."
        )
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def _check_reachable(layout: Layout, account: Account) -> None:
    """As root the servers run as another account: say so plainly when it cannot get where it must."""
    for program in (embedded.postgres_program(layout), embedded.redis_binary()):
        try:
            subprocess.run(
                [program, "--version"],
                cwd=layout.sockets,
                check=True,
                capture_output=True,
                user=account.uid,
                group=account.gid,
                extra_groups=[],
            )
        except PermissionError as error:
            raise ServerError(
                f"Started as root, so the embedded servers run as {account.name!r}; that account cannot "
                f"reach {program} or {layout.sockets}. Put the checkout and TAGGER_DATA where every "
                "account may pass (/opt or /srv, not /root), or start Tagger as an ordinary user."
            ) from error


def initialise(layout: Layout, settings: dict[str, str] | None = None) -> None:
    """Create the database cluster with its one database, once. A broken attempt is cleared first."""
    unfinished = layout.run / "initialising"
    if not unfinished.exists():
        if (layout.postgres / "PG_VERSION").exists():
            return
        if layout.postgres.exists() and any(layout.postgres.iterdir()):
            raise ServerError(
                f"{layout.postgres}: expected PostgreSQL data or nothing, got other files. Move them."
            )
    unfinished.touch()
    shutil.rmtree(layout.postgres, ignore_errors=True)
    account = embedded.account_of(layout)
    _private_folder(layout.postgres, account)
    _run_as(account, layout, [
        str(embedded.postgres_program(layout, "initdb")), f"--pgdata={layout.postgres}",
        f"--username={embedded.DATABASE}", "--auth=trust", "--encoding=UTF8", "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions",
    ])  # fmt: skip
    with (layout.postgres / "postgresql.conf").open("a") as file:
        file.writelines(
            f"{name} = '{value}'\n" for name, value in (POSTGRES_SETTINGS | (settings or {})).items()
        )
    _run_as(account, layout, [
        str(embedded.postgres_program(layout)), "--single", "-D", str(layout.postgres), "template1",
    ], f"CREATE EXTENSION vector;\nCREATE DATABASE {embedded.DATABASE};\n")  # fmt: skip
    unfinished.unlink()


def _run_as(account: Account | None, layout: Layout, command: list[str], commands: str = "") -> None:
    identity: dict[str, Any] = {}
    if account is not None:
        identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
    done = subprocess.run(command, input=commands, cwd=layout.sockets, capture_output=True, text=True,
                          check=False, **identity)  # fmt: skip
    if done.returncode or "ERROR:" in done.stderr:
        raise ServerError(
            f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr.strip()[-2000:]}"
        )
