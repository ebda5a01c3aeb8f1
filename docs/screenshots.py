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
from playwright.sync_api import APIRequestContext, Browser, Page, Playwright, expect, sync_playwright

from annotations.sample import VOCABULARY, draw_scene, draw_scenes
from tagger import processes
from tests import stack
from tests.chromium import installed
from tests.reviewer import WAIT_MS, Reviewer, sign_in

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "images"
DESK, PHONE = (1440, 900), (390, 844)
THEMES = ("light", "dark")
BURST = 20
BURSTS = 7
SLIP_EVERY = 9
TWICE = 60
COLOURS = 256
SUGGESTED, MARKED = 4, 2
INSTRUCTIONS = "Tag what can be seen, however small.\n\nWhat only the caption mentions is no tag."
FLAGS = ("Is this a hill or a far mountain?", "The sun is half behind the roof: does it count?")
ANSWER = "It does. What can be seen is enough."


@dataclass(frozen=True)
class Shot:
    """One picture, in both themes: `address` is relative to the site, with {p} for the sample project.

    `until` is an element that has to be there first; {b} is the project that two people review.
    """

    name: str
    address: str
    size: tuple[int, int] = DESK
    until: str = "main"


FIRST_RUN = (Shot("first-run", "projects/"),)
PAGES = (
    Shot("projects", "projects/"),
    Shot("overview", "projects/{p}/"),
    Shot("verify", "projects/{p}/verify/", until="[data-verify][data-ready]"),
    Shot("verify-phone", "projects/{p}/verify/", PHONE, until="[data-verify][data-ready]"),
    Shot("gallery", "projects/{p}/gallery/"),
    Shot("image", "projects/{p}/gallery/{image}/"),
    Shot("flags", "projects/{p}/flags/"),
    Shot("quality", "projects/{p}/quality/?kind=missing"),
    Shot("disagreements", "projects/{b}/quality/disagreements/", until=".dispute"),
    Shot("agreement", "projects/{b}/quality/agreement/"),
    Shot("annotators", "projects/{b}/quality/annotators/"),
    Shot("guide", "projects/{p}/guide/"),
    Shot("tags", "projects/{p}/tags/"),
    Shot("tags-proposed", "projects/{p}/tags/proposed/"),
    Shot("import", "projects/{p}/import/"),
    Shot("export", "projects/{p}/export/"),
    Shot("snapshots", "projects/{p}/export/snapshots/"),
    Shot("models", "projects/{p}/models/"),
    Shot("model", "projects/{p}/models/{model}/"),
    Shot("compare", "projects/{p}/models/compare/"),
    Shot("fine-tuning", "projects/{p}/models/finetune/", until="#estimate"),
    Shot("people", "projects/{p}/people/"),
    Shot("audit", "projects/{p}/people/audit/"),
    Shot("trash", "projects/{p}/trash/"),
    Shot("keys", "keys/"),
)
REVIEWS = (
    Shot("review", "projects/{p}/review/"),
    Shot("review-phone", "projects/{p}/review/", PHONE),
)
PANEL = Shot("gallery-panel", "projects/{p}/gallery/?state=reviewed")
ONE_TAG = Shot("review-one-tag", "projects/{p}/review/?tag={tag}", until="[data-picture] img")


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

    def review(self, count: int, *, slip_every: int = SLIP_EVERY) -> None:
        """Answer the next images with what is drawn in them, but for a slip now and then: a tag that is forgotten."""
        for number in range(count):
            item = self.call("POST", "projects/{p}/queue/next/", {"count": 1})["items"][0]
            truth = sorted(scene_of(item).tags)
            if number % slip_every == slip_every - 1:
                truth = truth[1:]
            answer = {
                "client_id": str(uuid.uuid4()),
                "image": item["image"]["id"],
                "lease": item["lease"]["token"],
                "revision": item["image"]["revision"],
                "tags": truth,
                "outcome": "reviewed",
                "seconds": 3.0 + slip_every / 9,
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


def furnish(site: stack.Site, playwright: Playwright, requests: APIRequestContext) -> tuple[Api, Api]:
    """People, three projects with answers, a few versions and an export; the sample, and what two people review."""
    run(site, "sample_project", "--user", site.admin)
    sample = Api(requests, requests.get("api/v1/projects/").json()["results"][0]["id"])
    sample.wait_until_suggested()
    for _ in range(BURSTS):
        sample.review(BURST)
        sample.wait_until_judged()
    for name, role in (("ines", "annotator"), ("jonas", "manager")):
        run(site, "create_user", name, "--role", role, "--project", "Sample scenes")
    flag_some(sample)
    throw_some_away(sample)
    sample.call("PATCH", "projects/{p}/", {"instructions": INSTRUCTIONS})
    other = make_project(site, requests, "Weather diary", seed=2, count=24)
    other.wait_until_suggested()
    other.review(9)
    book = make_project(site, requests, "Picture book", seed=3, count=TWICE)
    book.wait_until_suggested()
    review_twice(site, playwright, book)
    job = sample.call("POST", "projects/{p}/exports/", {"format": "jsonl"})
    export = f"projects/{{p}}/exports/{job['id']}/"
    wait_for(lambda: sample.call("GET", export)["state"] == "done", "the export")
    return sample, book


def review_twice(site: stack.Site, playwright: Playwright, book: Api) -> None:
    """Two people review every image, one of them in a hurry, and a few of their differences are settled."""
    book.call("PATCH", "projects/{p}/", {"reviews_per_image": 2})
    for name, slip_every in (("ines", 9), ("jonas", 4)):
        book.call("POST", "projects/{p}/members/", {"user": name, "role": "annotator"})
        Api(as_person(site, playwright, name), book.project).review(TWICE, slip_every=slip_every)
    for disputed in book.call("GET", "projects/{p}/disagreements/?limit=8")["results"]:
        one = disputed["disagreements"][0]
        answer = "yes" if one["tag"]["name"] in scene_of(disputed).tags else "no"
        said = {"image": disputed["image"]["id"], "tag": one["tag"]["id"], "answer": answer}
        book.call("POST", "projects/{p}/disagreements/", said)


def as_person(site: stack.Site, playwright: Playwright, name: str) -> APIRequestContext:
    key = run(site, "create_token", name).strip().splitlines()[-1]
    return playwright.request.new_context(
        base_url=site.url, extra_http_headers={"Authorization": f"Token {key}"}
    )


def flag_some(sample: Api) -> None:
    """Two questions as people ask them, one with an answer."""
    images = [row["id"] for row in sample.call("GET", "projects/{p}/images/?limit=2")["results"]]
    for image, comment in zip(images, FLAGS, strict=True):
        flag = sample.call("POST", "projects/{p}/flags/", {"image": image, "comment": comment})
    sample.call("POST", f"projects/{{p}}/flags/{flag['id']}/comments/", {"comment": ANSWER})


def throw_some_away(sample: Api) -> None:
    for row in sample.call("GET", "projects/{p}/images/?limit=3&ordering=newest&is_holdout=false")["results"]:
        answer = sample.requests.delete(f"api/v1/projects/{sample.project}/images/{row['id']}/")
        if not answer.ok:
            raise SystemExit(f"An image could not be deleted: {answer.text()[:300]}")


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


_PICTURES_SHOWN = """() => [...document.images].every(
    image => image.complete || image.getBoundingClientRect().top > innerHeight || !image.checkVisibility())"""


class Camera:
    """A signed-in browser: opens each page anew, in one theme."""

    def __init__(self, browser: Browser, site: stack.Site, theme: str) -> None:
        self.browser, self.site, self.theme = browser, site, theme
        page = browser.new_context(base_url=site.url).new_page()
        sign_in(page, site.url, user=site.admin, password=site.password)
        self.state = page.context.storage_state()

    def open(self, shot: Shot) -> Page:
        width, height = shot.size
        context = self.browser.new_context(
            base_url=self.site.url,
            viewport={"width": width, "height": height},
            color_scheme=self.theme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            storage_state=self.state,
        )
        return context.new_page()

    def name(self, shot: str) -> str:
        return f"{shot}-{self.theme}"

    def take_page(self, shot: Shot, places: dict[str, int]) -> None:
        page = self.open(shot)
        page.goto(shot.address.format(**places), wait_until="networkidle")
        expect(page.locator(shot.until).first).to_be_visible(timeout=WAIT_MS)
        page.wait_for_function(_PICTURES_SHOWN, timeout=WAIT_MS)
        take(page, self.name(shot.name), few_colours=True)
        page.context.close()

    def take_panel(self, shot: Shot, places: dict[str, int]) -> None:
        """The picture beside the wall, opened by key on the third tile."""
        page = self.open(shot)
        page.goto(shot.address.format(**places), wait_until="networkidle")
        page.locator("image-wall:defined").wait_for(state="attached")
        page.locator('.walls .tile a[href*="/gallery/"]').nth(2).focus()
        page.keyboard.press("Space")
        expect(page.locator("[data-peek] img").first).to_be_visible(timeout=WAIT_MS)
        page.wait_for_load_state("networkidle")
        page.wait_for_function(_PICTURES_SHOWN, timeout=WAIT_MS)
        take(page, self.name(shot.name), few_colours=True)
        page.context.close()

    def take_review(self, shot: Shot, places: dict[str, int]) -> None:
        """A telling item. The page is loaded again after each answer, so that it shows no robot's pace."""
        page = self.open(shot)
        reviewer = Reviewer(page)
        address = shot.address.format(**places)
        reviewer.open(address)
        while not is_telling(reviewer, truth := set(scene_of(reviewer.items(reviewer.image)[0]).tags)):
            reviewer.choose(truth)
            reviewer.accept()
            reviewer.wait_until_saved()
            reviewer.open(address)
        expect(page.locator("[data-notice]")).to_be_empty(timeout=WAIT_MS)
        take(page, self.name(shot.name), few_colours=shot.size == PHONE)
        if shot.size == DESK:
            self._take_parts(page)
        page.context.close()

    def _take_parts(self, page: Page) -> None:
        """The type-ahead with two letters in it, the guide, and the dialog of all keys."""
        page.keyboard.press("t")
        page.keyboard.type("bo")
        expect(page.locator("[role=listbox][data-query=bo]")).to_be_visible()
        take(page, self.name("review-typing"), part=".rail", few_colours=True)
        page.keyboard.press("Escape")
        expect(page.locator("[role=listbox]")).to_be_hidden()
        for key, name in (("g", "review-guide"), ("?", "review-keys")):
            page.keyboard.press(key)
            expect(page.locator("dialog[open]")).to_be_visible(timeout=WAIT_MS)
            page.wait_for_load_state("networkidle")
            page.wait_for_function(_PICTURES_SHOWN, timeout=WAIT_MS)
            take(page, self.name(name), part="dialog[open]", few_colours=True)
            page.keyboard.press("Escape")
            expect(page.locator("dialog[open]")).to_have_count(0)


def is_telling(reviewer: Reviewer, truth: set[str]) -> bool:
    """Whether the item shows what the page can do: enough is suggested, rightly, and the caption says some of it."""
    is_marked = reviewer.page.locator("[data-caption] mark").count() >= MARKED
    return is_marked and len(reviewer.chosen) >= SUGGESTED and reviewer.chosen <= truth


def places_of(sample: Api) -> dict[str, int]:
    """What the addresses name: the sample project, a reviewed image, the live version and a frequent tag."""
    image = sample.call("GET", "projects/{p}/images/?state=reviewed&limit=1")["results"][0]["id"]
    live = next(row for row in sample.call("GET", "projects/{p}/models/")["results"] if row["live"])
    tags = {row["name"]: row["id"] for row in sample.call("GET", "projects/{p}/tags/?limit=200")["results"]}
    return {"p": sample.project, "image": image, "model": live["id"], "tag": tags["tree"]}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with stack.site() as site, sync_playwright() as playwright:
        requests = as_person(site, playwright, site.admin)
        browser = playwright.chromium.launch(
            executable_path=installed(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        cameras = [Camera(browser, site, theme) for theme in THEMES]
        for camera in cameras:
            for shot in FIRST_RUN:
                camera.take_page(shot, {})
        sample, book = furnish(site, playwright, requests)
        places = places_of(sample) | {"b": book.project}
        for camera in cameras:
            for shot in (*PAGES, ONE_TAG):
                camera.take_page(shot, places)
            camera.take_panel(PANEL, places)
            for shot in REVIEWS:
                camera.take_review(shot, places)
        browser.close()


if __name__ == "__main__":
    main()
