"""Processes of the operating system: who is alive, who ends with whom, which account runs what."""

import ctypes
import os
import pwd
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
SERVICE_ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True)
class Identity:
    """A pid together with its start time: unlike the bare pid, never another process later."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Identity":
        return cls(pid, psutil.Process(pid).create_time())

    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 1.0
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True)
class Account:
    """The unprivileged account that runs the embedded servers when we are root (PostgreSQL refuses root)."""

    name: str
    uid: int
    gid: int


def service_account(owned: Path | None = None) -> Account | None:
    """None unless we are root. Existing data keep the account that owns them."""
    if os.geteuid() != 0:
        return None
    if owned is not None and owned.exists() and (uid := owned.stat().st_uid) != 0:
        entry = pwd.getpwuid(uid)
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in SERVICE_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise RuntimeError(
        f"PostgreSQL refuses to run as root, and none of the accounts {', '.join(SERVICE_ACCOUNTS)} exists. "
        "Start Tagger as an ordinary user, or create one of these accounts."
    )


def drop_privileges(account: Account | None) -> None:
    if account is None:
        return
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)


def die_with_parent(signal_number: int, parent: int | None = None) -> None:
    """The kernel sends us this signal when our parent ends in any way. Call it after changing accounts."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal_number)


def living(executable: Path, folder: Path) -> list[psutil.Process]:
    """Processes of this program that work in this folder: for PostgreSQL the postmaster and every backend."""
    found = []
    for process in psutil.process_iter():
        try:
            same = Path(process.cwd()) == folder and Path(process.exe()).name == executable.name
            if same and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            continue
    return found


def end_all(processes: Iterable[psutil.Process], *, timeout_s: float = 5.0) -> None:
    """Kill outright and wait until they are gone. psutil checks the start time before each signal."""
    waiting = list(processes)
    for process in waiting:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(waiting, timeout=timeout_s)


def wait_until(condition: Callable[[], bool], *, timeout_s: float, every_s: float = 0.03) -> bool:
    """True as soon as the condition holds, False when the time is over."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


def stop(pid: int, number: int = signal.SIGTERM) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
