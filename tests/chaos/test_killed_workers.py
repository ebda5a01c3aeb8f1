"""A whole site whose workers are killed in the middle of their work: nothing is lost, nothing doubled."""

import io
import os
import signal
import uuid
from collections.abc import Iterable, Iterator

import psutil
import pytest
import requests
from PIL import Image, ImageDraw

from annotations.importers import fetching
from annotations.sample import draw_scenes
from tagger import processes
from tests import stack
from tests.annotations import web

WAIT_S = 120


@pytest.fixture(scope="module")
def site() -> Iterator[stack.Site]:
    # The tests' own web servers are on this machine.
    with stack.site(environment={"TAGGER_IMPORT_NETWORKS": "127.0.0.0/8"}) as running:
        yield running


class Client:
    """The public API of one new project, as its admin."""

    def __init__(self, site: stack.Site, name: str) -> None:
        self.root = f"{site.url}api/v1/"
        self.session = requests.Session()
        key = site.manage("create_token", site.admin).stdout.strip().splitlines()[-1]
        self.session.headers["Authorization"] = f"Token {key}"
        self.project = self.post("projects/", json={"name": name})["id"]
        self.root += f"projects/{self.project}/"

    def get(self, address: str) -> dict:
        return self._checked(self.session.get(self.root + address, timeout=30))

    def post(self, address: str, **content: object) -> dict:
        return self._checked(self.session.post(self.root + address, timeout=60, **content))

    def job(self, address: str) -> dict:
        return self.get(address)

    @staticmethod
    def _checked(answer: requests.Response) -> dict:
        assert answer.status_code < 400, answer.text
        return answer.json()


def picture(number: int) -> bytes:
    """A small drawn picture; every number gives other bytes."""
    image = Image.new("RGB", (400, 300), (number * 7 % 256, number * 13 % 256, 120))
    ImageDraw.Draw(image).ellipse((number % 300, 40, number % 300 + 90, 160), fill=(250, 240, number % 256))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def kill_hard(pid: int) -> None:
    """End a worker and its pool processes, as the machine's memory killer would."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for member in family:
        member.send_signal(signal.SIGKILL)


def wait_for(condition, what: str) -> None:
    assert processes.wait_until(condition, timeout_s=WAIT_S, every_s=0.1), f"waited {WAIT_S} s for {what}"


def start_import(client: Client, pictures: Iterable[bytes]) -> str:
    files = [
        ("files", (f"picture-{number:03}.jpg", data, "image/jpeg")) for number, data in enumerate(pictures)
    ]
    return f"imports/{client.post('imports/', files=files)['id']}/"


def review(client: Client, count: int, tag: str) -> list[str]:
    """Review the next images with one tag; the client_ids that were acknowledged."""
    sent: list[str] = []
    while len(sent) < count:
        items = client.post("queue/next/", json={"count": min(10, count - len(sent))})["items"]
        for item in items:
            body = {
                "client_id": str(uuid.uuid4()),
                "image": item["image"]["id"],
                "lease": item["lease"]["token"],
                "revision": item["image"]["revision"],
                "tags": [tag] if item["image"]["id"] % 2 else [],
            }
            client.post("reviews/", json=body)
            sent.append(body["client_id"])
    return sent


def test_a_worker_killed_during_an_import_loses_and_doubles_nothing(site):
    client = Client(site, "Killed import")
    count = 240
    job = start_import(client, map(picture, range(count)))
    wait_for(lambda: 0 < client.job(job)["progress"]["done"] < count, "the import to be under way")
    kill_hard(site.programs()["worker-io"])
    wait_for(lambda: client.job(job)["state"] in ("done", "failed"), "the import to end")
    ended = client.job(job)
    assert (ended["state"], ended["errors"]) == ("done", [])
    assert sum(ended["result"].values()) == count
    names = [row["name"] for row in client.get("images/?limit=1000")["results"]]
    assert sorted(names) == [f"picture-{number:03}.jpg" for number in range(count)]
    stats = client.get("stats/")
    assert (stats["images"], stats["by_state"]["pending"]) == (count, count)


def test_a_worker_killed_while_it_fetches_asks_for_nothing_twice_that_it_has(site):
    """Addresses of a real web server in a thread of the test, slow enough to be in the middle of."""
    client = Client(site, "Killed fetching")
    count = 150

    def page(handler: web.Handler) -> None:
        handler.server.over.wait(0.1)
        handler.answer(picture(int(handler.path[1:4])))

    with web.serving({f"/{number:03}.jpg": page for number in range(count)}) as server:
        urls = [server.url(f"/{number:03}.jpg") for number in range(count)]
        job = f"imports/{client.post('imports/', json={'urls': urls})['id']}/"
        wait_for(lambda: 0 < client.job(job)["progress"]["done"] < count, "the import to be under way")
        kill_hard(site.programs()["worker-io"])
        assert client.job(job)["state"] == "running"
        wait_for(lambda: client.job(job)["state"] in ("done", "failed"), "the import to end")
        asked = server.asked
    ended = client.job(job)
    assert (ended["state"], ended["errors"]) == ("done", [])
    assert ended["result"] == {"added": count, "updated": 0, "duplicates": 0, "refused": 0}
    names = [row["name"] for row in client.get("images/?limit=1000")["results"]]
    assert sorted(names) == [f"{number:03}.jpg" for number in range(count)]
    assert len(asked) == count
    # Only what was on its way at the kill is asked for again.
    assert asked.total() - count <= fetching.MAX_AT_ONE_HOST


def test_a_worker_killed_during_training_loses_and_doubles_nothing(site):
    client = Client(site, "Killed training")
    client.post("tags/", json=[{"name": "dog"}, {"name": "tree"}])
    # Scenes, not `picture`: all of those look like one another, and none may look like a holdout image.
    job = start_import(client, (scene.picture for scene in draw_scenes(40)))
    wait_for(lambda: client.job(job)["state"] == "done", "the import to end")
    last = client.get("images/?limit=1000&is_holdout=false")["results"][-1]["id"]
    wait_for(lambda: client.get(f"images/{last}/")["suggestions"], "suggestions from the pixels")
    acknowledged = review(client, 30, "dog")
    run = f"training-runs/{client.post('training-runs/', json={'kind': 'head'})['id']}/"
    wait_for(lambda: client.job(run)["state"] != "queued", "the training to start")
    kill_hard(site.programs()["worker-train"])
    wait_for(lambda: client.job(run)["state"] not in ("queued", "running"), "the training to end")
    # Half of the answers are arbitrary, so that the gate may refuse what was learnt: judged it must be.
    assert client.job(run)["result"].get("version"), client.job(run)["reason"]
    wait_for(lambda: client.get("stats/")["unlearned_decisions"] == 0, "every answer to be learnt")
    assert client.get("stats/")["reviews"] == len(acknowledged) == 30
    numbers = [version["number"] for version in client.get("models/")["results"]]
    assert len(numbers) == len(set(numbers)) >= 1


def test_the_page_says_when_no_worker_is_running(site):
    client = Client(site, "No worker")
    page = requests.Session()
    sign_in(page, site)
    overview = f"{site.url}projects/{client.project}/"
    sentence = "No worker is running"
    wait_for(lambda: sentence not in page.get(overview, timeout=30).text, "the workers' signs of life")
    frozen = [psutil.Process(site.programs()[name]) for name in ("worker-io", "worker-ml", "worker-train")]
    frozen += [child for parent in frozen for child in parent.children(recursive=True)]
    for process in frozen:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        wait_for(lambda: sentence in page.get(overview, timeout=30).text, "the page to say it")
    finally:
        for process in frozen:
            os.kill(process.pid, signal.SIGCONT)
    wait_for(lambda: sentence not in page.get(overview, timeout=30).text, "the page to stop saying it")


def sign_in(page: requests.Session, site: stack.Site) -> None:
    address = f"{site.url}accounts/login/"
    page.get(address, timeout=30)
    answer = page.post(
        address,
        data={
            "login": site.admin,
            "password": site.password,
            "csrfmiddlewaretoken": page.cookies["csrftoken"],
        },
        headers={"Referer": address},
        timeout=30,
    )
    assert answer.url.rstrip("/").endswith("/projects"), answer.url
