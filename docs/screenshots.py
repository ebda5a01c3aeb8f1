"""Makes docs/images from the running app: `make screenshots`.

Starts a site of its own with scenes that the app draws, answers some of them truthfully through the API so that a
model lives, and takes the pictures. Photographs never come near it.
"""

import csv
import io
import re
import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import APIRequestContext, Browser, Page, expect, sync_playwright

from annotations.sample import VOCABULARY, draw_scene, draw_scenes
from tagger import processes
from tests import stack
from tests.chromium import installed
from tests.reviewer import WAIT_MS, Reviewer, sign_in

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "images"
DESK, PHONE = (1440, 900), (390, 844)
BURST = 20
BURSTS = 7
COLOURS = 256
SUGGESTED, MARKED = 4, 2


@dataclass(frozen=True)
class Shot:
    """One picture: `address` is relative to the site, with {p} for the sample project."""

    name: str
    address: str
    size: tuple[int, int] = DESK

    @property
    def theme(self) -> str:
        return "dark" if self.name.endswith("dark") else "light"


PAGES = (
    Shot("projects-light", "projects/"),
    Shot("overview-light", "projects/{p}/"),
    Shot("overview-dark", "projects/{p}/"),
    Shot("gallery-light", "projects/{p}/gallery/"),
    Shot("tags-light", "projects/{p}/tags/"),
    Shot("import-light", "projects/{p}/import/"),
    Shot("export-light", "projects/{p}/export/"),
    Shot("models-light", "projects/{p}/models/"),
    Shot("models-dark", "projects/{p}/models/"),
    Shot("people-light", "projects/{p}/people/"),
)
REVIEWS = (
    Shot("review-light", "projects/{p}/review/"),
    Shot("review-dark", "projects/{p}/review/"),
    Shot("review-phone", "projects/{p}/review/", PHONE),
)


class Api:
    """The public API of one project, as the admin."""

    def __init__(self, requests: APIRequestContext, project: int = 0) -> None:
        self.requests, self.project = requests, project

    def call(self, method: str, address: str, body: Any = None) -> Any:
        where = f"api/v1/{address.format(p=self.project)}"
        answer = self.requests.fetch(where, method=method, data=body, timeout=WAIT_MS)
        if not answer.ok:
            raise SystemExit(f"{method} {where}: {answer.status} {answer.text()[:300]}")
        return answer.json()

    def review(self, count: int) -> None:
        """Answer the next images with what is drawn in them."""
        for _ in range(count):
            item = self.call("POST", "projects/{p}/queue/next/", {"count": 1})["items"][0]
            truth = scene_of(item).tags
            answer = {
                "client_id": str(uuid.uuid4()),
                "image": item["image"]["id"],
                "lease": item["lease"]["token"],
                "revision": item["image"]["revision"],
                "tags": list(truth),
                "outcome": "reviewed",
                "seconds": 4.0,
                "keystrokes": keystrokes(item, truth),
            }
            self.call("POST", "projects/{p}/reviews/", answer)

    def wait_until_judged(self) -> None:
        wait_for(
            lambda: self.call("GET", "projects/{p}/stats/")["unlearned_decisions"] == 0, "a training run"
        )

    def wait_until_suggested(self) -> None:
        newest = self.call("GET", "projects/{p}/images/?limit=1000&is_holdout=false")["results"][-1]["id"]
        address = f"projects/{{p}}/images/{newest}/"
        wait_for(lambda: bool(self.call("GET", address)["suggestions"]), "the first suggestions")


def wait_for(condition: Any, what: str) -> None:
    if not processes.wait_until(condition, timeout_s=WAIT_MS / 1000, every_s=0.5):
        raise SystemExit(f"Waited {WAIT_MS / 1000:.0f} s in vain for {what}.")


def scene_of(item: dict[str, Any]) -> Any:
    """A scene's file name ends with its number, and in the other projects with the seed before it."""
    seed, number = re.search(r"(?:seed(\d+)-)?scene-(\d+)", item["image"]["name"]).groups()  # type: ignore[union-attr]
    return draw_scene(int(number), seed=int(seed or 1))


def keystrokes(item: dict[str, Any], truth: Iterable[str]) -> int:
    """Enter, a digit for each chip that is wrong, and four keys for each tag that is not among the chips."""
    offered = {one["tag"]["name"]: one["offered"] for one in item["suggestions"]}
    wrong = sum(is_on != (name in truth) for name, is_on in offered.items())
    return 1 + wrong + 4 * len(set(truth) - set(offered))


def make_project(site: stack.Site, requests: APIRequestContext, name: str, *, seed: int, count: int) -> Api:
    """Another project of drawn scenes, through the command that imports a folder with a table of captions."""
    tags = [{"name": tag.name, "aliases": list(tag.aliases)} for tag in VOCABULARY]
    api = Api(requests)
    api.project = api.call("POST", "projects/", {"name": name})["id"]
    api.call("POST", "projects/{p}/tags/", tags)
    with tempfile.TemporaryDirectory() as folder:
        captions = Path(folder) / "captions.csv"
        with captions.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["filename", "caption"])
            for scene in draw_scenes(count, seed=seed):
                (Path(folder) / f"seed{seed}-{scene.name}").write_bytes(scene.picture)
                table.writerow([f"seed{seed}-{scene.name}", scene.caption])
        run(site, "import_images", name, folder, "--captions", str(captions))
    return api


def run(site: stack.Site, *arguments: str) -> str:
    done = site.manage(*arguments)
    if done.returncode:
        raise SystemExit(f"manage.py {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def furnish(site: stack.Site, requests: APIRequestContext) -> Api:
    """People, three projects, answers in two of them, a few versions and an export."""
    run(site, "sample_project", "--user", site.admin)
    sample = Api(requests, requests.get("api/v1/projects/").json()["results"][0]["id"])
    sample.wait_until_suggested()
    for _ in range(BURSTS):
        sample.review(BURST)
        sample.wait_until_judged()
    for name, role in (("ines", "annotator"), ("jonas", "manager")):
        run(site, "create_user", name, "--role", role, "--project", "Sample scenes")
    other = make_project(site, requests, "Weather diary", seed=2, count=24)
    other.wait_until_suggested()
    other.review(9)
    make_project(site, requests, "Picture book", seed=3, count=24).wait_until_suggested()
    job = sample.call("POST", "projects/{p}/exports/", {"format": "jsonl"})
    export = f"projects/{{p}}/exports/{job['id']}/"
    wait_for(lambda: sample.call("GET", export)["state"] == "done", "the export")
    return sample


def take(page: Page, name: str, *, part: str | None = None, few_colours: bool = False) -> None:
    """Store what the window shows, or a part of it. Few colours make a small file of anything but a large picture."""
    page.evaluate("document.fonts.ready")
    shown = page.locator(part) if part else page
    picture = Image.open(io.BytesIO(shown.screenshot(animations="disabled"))).convert("RGB")
    if few_colours:
        picture = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=2)
    path = FOLDER / f"{name}.png"
    picture.save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} kB")


def open_page(browser: Browser, site: stack.Site, shot: Shot, state: dict[str, Any]) -> Page:
    width, height = shot.size
    context = browser.new_context(
        base_url=site.url,
        viewport={"width": width, "height": height},
        color_scheme=shot.theme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        storage_state=state,  # type: ignore[arg-type]
    )
    return context.new_page()


def take_page(page: Page, shot: Shot, project: int) -> None:
    page.goto(shot.address.format(p=project), wait_until="networkidle")
    take(page, shot.name, few_colours=True)


def take_review(page: Page, shot: Shot, project: int) -> None:
    """A telling item. The page is loaded again after each answer, so that it shows no robot's pace."""
    reviewer = Reviewer(page)
    address = shot.address.format(p=project)
    reviewer.open(address)
    while not is_telling(reviewer, truth := set(scene_of(reviewer.items(reviewer.image)[0]).tags)):
        reviewer.choose(truth)
        reviewer.accept()
        reviewer.wait_until_saved()
        reviewer.open(address)
    expect(page.locator("[data-notice]")).to_be_empty(timeout=WAIT_MS)
    take(page, shot.name)
    if shot.name == "review-light":
        take_typing(page)


def is_telling(reviewer: Reviewer, truth: set[str]) -> bool:
    """Whether the item shows what the page can do: enough is suggested, rightly, and the caption says some of it."""
    is_marked = reviewer.page.locator("[data-caption] mark").count() >= MARKED
    return is_marked and len(reviewer.chosen) >= SUGGESTED and reviewer.chosen <= truth


def take_typing(page: Page) -> None:
    """The type-ahead with two letters in it, and the dialog of all keys."""
    page.keyboard.press("t")
    page.keyboard.type("bo")
    expect(page.locator("[role=listbox][data-query=bo]")).to_be_visible()
    take(page, "review-typing-light", part=".rail")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    take(page, "review-keys-light", part="dialog[open]")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with stack.site() as site, sync_playwright() as playwright:
        key = run(site, "create_token", site.admin).strip().splitlines()[-1]
        requests = playwright.request.new_context(
            base_url=site.url, extra_http_headers={"Authorization": f"Token {key}"}
        )
        browser = playwright.chromium.launch(
            executable_path=installed(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        project = furnish(site, requests).project
        page = browser.new_context(base_url=site.url).new_page()
        sign_in(page, site.url, user=site.admin, password=site.password)
        state = page.context.storage_state()
        for shot in PAGES:
            take_page(open_page(browser, site, shot, state), shot, project)
        for shot in REVIEWS:
            take_review(open_page(browser, site, shot, state), shot, project)
        browser.close()


if __name__ == "__main__":
    main()
