"""Embedded servers for single commands: started when needed, shared, and ended with their last user."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tagger import cluster, embedded, processes, stack
from tagger.layout import BASE_DIR, Layout
from tagger.processes import Identity
from tests import servers

HOLD = "from tagger import stack; stack.ensure_servers(); print('ready', flush=True); input()"


@pytest.fixture
def layout() -> Iterator[Layout]:
    folder = Path(tempfile.mkdtemp(prefix="tagger-stack-"))
    servers.open_to_accounts(folder)
    layout = Layout(folder / "data")
    cluster.prepare_folders(layout)
    yield layout
    assert processes.wait_until(lambda: not servers_of(layout), timeout_s=30)
    shutil.rmtree(folder)


@pytest.fixture
def data(layout: Layout) -> Layout:
    """With a database cluster."""
    servers.prepare(layout)
    return layout


def servers_of(layout: Layout) -> list[psutil.Process]:
    found = processes.living(Path("postgres"), layout.postgres)
    return found + processes.living(Path("redis-server"), layout.redis)


def command(layout: Layout) -> subprocess.Popen[str]:
    """A command that needs the servers and then waits for a line of input."""
    environment = os.environ | {"TAGGER_DATA": str(layout.root)}
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=BASE_DIR, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "ready\n"
    return holder


def test_servers_stay_while_a_command_uses_them_and_end_with_the_last(data: Layout) -> None:
    first, second = command(data), command(data)
    first.communicate("\n")
    assert embedded.servers_ready(data)
    second.communicate("\n")
    assert processes.wait_until(lambda: not servers_of(data), timeout_s=30)


def test_servers_end_after_a_killed_command(data: Layout) -> None:
    holder = command(data)
    holder.kill()
    holder.communicate()
    assert processes.wait_until(lambda: not servers_of(data), timeout_s=30)


def test_a_killed_postmaster_does_not_block_the_next(data: Layout) -> None:
    """One of its processes is stopped in the middle of work, and would go on holding the shared memory."""
    first = command(data)
    postmaster = psutil.Process(int((data.postgres / "postmaster.pid").read_text().split()[0]))
    backend = next(child for child in postmaster.children() if "checkpointer" in " ".join(child.cmdline()))
    orphan = Identity.of(backend.pid)
    backend.suspend()
    postmaster.kill()
    first.kill()
    first.communicate()
    second = command(data)
    assert not orphan.alive()
    second.communicate("\n")


def test_a_postmaster_killed_under_a_command_is_started_again(data: Layout) -> None:
    holder = command(data)
    postmaster = psutil.Process(int((data.postgres / "postmaster.pid").read_text().split()[0]))
    postmaster.kill()
    assert processes.wait_until(
        lambda: not postmaster.is_running() and embedded.servers_ready(data), timeout_s=30
    )
    holder.communicate("\n")


def test_a_stack_file_of_a_dead_process_is_not_believed(layout: Layout) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    layout.stack.write_text(json.dumps({"pid": dead.pid, "started": 1.0, "port": 1, "url": "http://x/"}))
    assert stack.running_stack(layout) is None


def test_a_stack_file_with_a_reused_pid_is_not_believed(layout: Layout) -> None:
    content = {
        "pid": os.getpid(),
        "started": psutil.Process().create_time() - 60,
        "port": 1,
        "url": "http://x/",
    }
    layout.stack.write_text(json.dumps(content))
    assert stack.running_stack(layout) is None
    layout.stack.write_text(json.dumps(content | {"started": psutil.Process().create_time()}))
    found = stack.running_stack(layout)
    assert found is not None
    assert found.identity.pid == os.getpid()


def test_foreign_files_in_the_data_folder_are_never_cleared(layout: Layout) -> None:
    (layout.postgres / "global").mkdir(parents=True)
    with pytest.raises(embedded.ServerError, match="got other files"):
        cluster.initialise(layout)
    assert (layout.postgres / "global").exists()


def test_sockets_of_a_deep_folder_lie_elsewhere() -> None:
    deep = Layout(Path("/srv") / ("x" * 90))
    assert len(bytes(deep.postgres_socket)) < 100
    assert deep.sockets == Layout(deep.root).sockets
    assert deep.sockets != Layout(deep.root / "other").sockets
