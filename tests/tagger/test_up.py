"""`manage.py up` from start to end: health, refusals, crashes, and nothing left behind."""

import signal
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from tagger import processes
from tagger.processes import Identity
from tests import stack
from tests.stack import Site

BACK_WITHIN_S = 60.0


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with stack.site() as running:
        yield running


def kill_and_await_return(site: Site, name: str) -> None:
    """Kill one program outright; the supervisor must bring another one and the site must be whole again."""
    killed = site.programs()[name]
    psutil.Process(killed).kill()

    def returned() -> bool:
        return site.programs().get(name, killed) != killed and site.is_whole()

    assert processes.wait_until(returned, timeout_s=BACK_WITHIN_S, every_s=0.25), f"{name} did not come back"


def test_the_site_answers_with_every_part_alive(site: Site) -> None:
    health = site.health()
    assert health is not None
    assert health["status"] == "ok"
    assert health["workers"] == {"io": True, "ml": True, "train": True}
    assert health["beat"] is True


def test_the_address_and_first_sign_in_are_printed(site: Site) -> None:
    assert processes.wait_until(lambda: site.url in site.output.read_text(), timeout_s=10)
    assert "First sign-in: admin" in site.output.read_text()
    assert site.password not in site.output.read_text()


def test_a_second_start_on_the_same_data_names_the_first(site: Site) -> None:
    second = site.manage("up")
    assert second.returncode != 0
    assert f"already runs on {site.layout.root} as process {site.process.pid}" in second.stderr


def test_a_taken_port_is_named(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    environment = dict(site.environment) | {"TAGGER_DATA": f"{site.layout.root}-other"}
    second = subprocess.run(
        [*site.process.args], cwd=stack.BASE_DIR, env=environment, text=True, capture_output=True, check=False
    )
    assert second.returncode != 0
    assert f"Port {environment['PORT']} on 127.0.0.1 cannot be used" in second.stderr


def test_commands_use_the_servers_of_the_running_stack(site: Site) -> None:
    answer = site.manage(
        "shell", "-c", "from annotations.models import User; print(User.objects.get().username)"
    )
    assert "admin" in answer.stdout, answer.stderr
    assert not (site.layout.logs / "keeper.log").exists()


@pytest.mark.parametrize("name", ["postgres", "redis", "web", "worker-io", "worker-train", "beat"])
def test_a_killed_program_comes_back(site: Site, name: str) -> None:
    kill_and_await_return(site, name)


def test_a_killed_worker_leaves_no_child_at_work(site: Site) -> None:
    children = [Identity.of(c.pid) for c in psutil.Process(site.programs()["worker-ml"]).children()]
    assert children
    kill_and_await_return(site, "worker-ml")
    assert not [child for child in children if child.alive()]


def test_sigterm_leaves_no_process_and_the_next_start_finds_everything() -> None:
    with stack.site() as first:
        everything = [Identity.of(process.pid) for process in first.everything()]
        assert len(everything) > 10
        assert stack.stop(first, signal.SIGTERM) == 0
        assert not [process for process in everything if process.alive()]
        again = stack.start(first.layout.root)
        try:
            stack.wait(again)
            assert (
                "First sign-in: admin / the password"
                not in again.output.read_text().split("Stop: Ctrl-C")[-1]
            )
        finally:
            stack.stop(again, signal.SIGINT)
