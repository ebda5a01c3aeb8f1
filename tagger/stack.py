"""Who holds the embedded servers: the running stack of `up`, or, while that is down, a keeper.

Every command that needs the servers holds a shared lock for as long as it lives. Without a stack, a keeper
process starts the servers and stops them when nobody holds that lock any more. The kernel releases the locks
of a killed command, and sends the servers of a killed keeper the parent-death signal.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from tagger import cluster, embedded, processes
from tagger.embedded import ServerError
from tagger.layout import BASE_DIR, Layout
from tagger.processes import Identity

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
_held: list[IO[str]] = []  # locks kept until this process ends


@dataclass(frozen=True)
class Stack:
    """A running `manage.py up`."""

    identity: Identity
    port: int
    url: str


def write(layout: Layout, *, port: int, url: str) -> None:
    content = Identity.of(os.getpid()).as_dict() | {"port": port, "url": url}
    temporary = layout.stack.with_suffix(".new")
    temporary.write_text(json.dumps(content))
    temporary.replace(layout.stack)


def running_stack(layout: Layout | None = None) -> Stack | None:
    """What `TAGGER_DATA/run/stack.json` names, if that very process still lives."""
    layout = layout or Layout.from_environment()
    try:
        content = json.loads(layout.stack.read_text())
    except FileNotFoundError:
        return None
    stack = Stack(Identity(int(content["pid"]), content["started"]), int(content["port"]), content["url"])
    return stack if stack.identity.alive() else None


def ensure_servers(layout: Layout | None = None) -> None:
    """Returns when the servers answer; they stay at least until this process ends."""
    layout = layout or Layout.from_environment()
    if not (embedded.uses_postgres() or embedded.uses_redis()):
        return
    cluster.prepare_folders(layout)
    keepers = []
    if running_stack(layout) is None:
        users = _lock_file(layout, "users.lock")
        fcntl.flock(users, fcntl.LOCK_SH)  # waits while a keeper stops or `up` prepares
        if running_stack(layout) is None:
            _held.append(users)
            keepers.append(_spawn(layout, "keeper", "tagger.stack"))
    _wait_for(layout, keepers)


def _lock_file(layout: Layout, name: str) -> IO[str]:
    return (layout.run / name).open("w")


def keep(layout: Layout) -> None:
    """Body of the keeper: run the servers for as long as anybody holds the users' lock."""
    keeper = _lock_file(layout, "keeper.lock")
    try:
        fcntl.flock(keeper, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another keeper serves
    users = _lock_file(layout, "users.lock")
    with servers(layout, wait=False) as children:
        while not _try_exclusive(users):
            for child in children:
                child.revive()
            time.sleep(0.2)


def _try_exclusive(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def exclusively(layout: Layout, *, timeout_s: float = 600.0) -> Iterator[None]:
    """No other command uses the servers inside. Waits for those that do."""
    with _lock_file(layout, "users.lock") as users:
        if not _try_exclusive(users):
            print("Waiting for another Tagger command on this TAGGER_DATA to end...", flush=True)
            if not processes.wait_until(lambda: _try_exclusive(users), timeout_s=timeout_s, every_s=0.1):
                raise ServerError(f"Another command still uses {layout.root}. Stop it first.")
        yield


@dataclass
class Server:
    """One embedded server as a child of this process."""

    layout: Layout
    name: str
    stop_signal: int
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, layout: Layout, name: str, stop_signal: int) -> "Server":
        return cls(layout, name, stop_signal, _spawn(layout, name, "tagger.embedded", name))

    def revive(self) -> None:
        """Start it again if it was killed: its own start clears what the old one left."""
        ended = self.process.poll()
        if ended is not None and ended >= 0:
            raise ServerError(f"{self.name} ended with {ended}. Its log in {self.layout.logs} says why.")
        if ended is not None:
            self.process = Server.start(self.layout, self.name, self.stop_signal).process

    def await_end(self) -> None:
        try:
            self.process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def servers(layout: Layout, *, wait: bool = True) -> Iterator[list[Server]]:
    """The embedded servers as children of this process, stopped at the end."""
    children: list[Server] = []
    try:
        if embedded.uses_postgres():
            cluster.initialise(layout)
            children.append(Server.start(layout, "postgres", signal.SIGINT))
        if embedded.uses_redis():
            children.append(Server.start(layout, "redis", signal.SIGTERM))
        if wait:
            _wait_for(layout, [child.process for child in children])
        yield children
    finally:
        for child in children:
            processes.stop(child.process.pid, child.stop_signal)
        for child in children:
            child.await_end()


def _spawn(layout: Layout, name: str, module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A process of its own session, so that a Ctrl-C in the terminal is not its business."""
    with (layout.logs / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=os.environ | {"TAGGER_DATA": str(layout.root)},
        )


def _wait_for(layout: Layout, children: list[subprocess.Popen[bytes]]) -> None:
    """Until the servers answer. A child that fails ends the wait; a keeper may leave to another one."""

    def failed() -> bool:
        return any(child.poll() for child in children)

    processes.wait_until(lambda: failed() or embedded.servers_ready(layout), timeout_s=START_TIMEOUT_S)
    if failed() or not embedded.servers_ready(layout):
        raise ServerError(
            f"The embedded servers did not start. The reason is at the end of a file in {layout.logs}."
        )


if __name__ == "__main__":
    keep(Layout.from_environment())
