"""A newcomer's whole way: a site with its workers, the sample project, review, verify, training, comparison, export.

Everything is read from the pages and the public API; nothing looks into the database.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from annotations.sample import draw_scene
from tagger import processes
from tests import stack
from tests.reviewer import WAIT_MS, Chip, Reviewer, sign_in
from tests.stack import Site

PICTURES = 10
# A first version is expected after about twenty true answers.
MOST_MORE = 60
MANY = 100
LATENCIES_MS = (20, 150)


@dataclass
class Watched:
    """A page of a browser, and what went wrong or went elsewhere on it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type == "error" else None
        )
        self.page.on("request", self._see)

    def _see(self, request: Request) -> None:
        host = urlsplit(request.url).hostname
        if host not in (None, "127.0.0.1"):  # data: and blob: name no host
            self.strangers.add(request.url)


@pytest.fixture
def site() -> Iterator[Site]:
    with stack.site() as running:
        yield running


@pytest.fixture
def watched(browser: Browser, site: Site) -> Iterator[Watched]:
    context = browser.new_context(base_url=site.url)
    yield Watched(context.new_page())
    context.close()


def make_the_sample_project(page: Page) -> int:
    """Press the button of the first run and wait until the worker has drawn and brought in every scene."""
    page.get_by_role("button", name="Open the sample project").click()
    page.wait_for_url("**/projects/*/", timeout=WAIT_MS)
    project = int(urlsplit(page.url).path.split("/")[2])
    assert processes.wait_until(
        lambda: [job["state"] for job in ask(page, f"projects/{project}/imports/")["results"]] == ["done"],
        timeout_s=WAIT_MS / 1000,
        every_s=0.5,
    )
    return project


def ask(page: Page, address: str) -> Any:
    """The public API with the browser's own session."""
    answer = page.request.get(f"/api/v1/{address}")
    assert answer.ok, answer.text()
    return answer.json()


def wait_for_suggestions(page: Page, project: int) -> None:
    """Until the newest image that may show them has suggestions that its pixels had a part in."""
    newest = ask(page, f"projects/{project}/images/?limit=1000&is_holdout=false")["results"][-1]["id"]

    def suggested() -> bool:
        found = ask(page, f"projects/{project}/images/{newest}/")["suggestions"]
        return any(source["kind"] == "vision" for one in found for source in one["sources"])

    assert processes.wait_until(suggested, timeout_s=WAIT_MS / 1000, every_s=0.5)


def truth_of(item: dict[str, Any]) -> set[str]:
    """What can be seen in a scene: it is drawn again by its number."""
    return set(draw_scene(int(re.search(r"\d+", item["image"]["name"])[0])).tags)  # type: ignore[index]


def review(reviewer: Reviewer, pictures: int) -> dict[int, set[str]]:
    """Say the truth by keyboard alone. Answers what was said of each image."""
    said = {}
    for _ in range(pictures):
        image = reviewer.image
        said[image] = truth_of(reviewer.items(image)[0])
        reviewer.choose(said[image])
        reviewer.accept()
    reviewer.wait_until_saved()
    return said


def wait_until_judged(reviewer: Reviewer, project: int) -> None:
    """Until the model has read every answer, and the strip names the version that is live then, if one is."""

    def judged() -> bool:
        return ask(reviewer.page, f"projects/{project}/stats/")["unlearned_decisions"] == 0

    assert processes.wait_until(judged, timeout_s=WAIT_MS / 1000, every_s=0.5)
    if number := ask(reviewer.page, f"projects/{project}/stats/")["live_model"]["number"]:
        reviewer.wait_for_version(number)


def review_by_keys_alone(reviewer: Reviewer, pictures: int, *, latency_ms: int) -> list[float]:
    """So many answers over a slow connection. Answers what the page measured of each, from key to picture, in ms."""
    page = reviewer.page
    reviewer.slow_down(latency_ms)
    reviewer.forget_measured()
    page.evaluate("""() => {
        window.touched = 0;
        for (const kind of ["pointerdown", "pointermove", "wheel"])
            addEventListener(kind, () => { window.touched += 1; }, { capture: true, once: true });
    }""")
    review(reviewer, pictures)
    reviewer.slow_down(0)
    assert processes.wait_until(  # the last picture may be decoded after its answer was saved
        lambda: len(reviewer.measured_ms) >= pictures, timeout_s=WAIT_MS / 1000, every_s=0.1
    )
    assert page.evaluate("window.touched") == 0
    return reviewer.measured_ms


def review_until_renewed(reviewer: Reviewer, project: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Go on until an item comes up that waited while a version went live: answers it as it was, and as it is now.

    The gate refuses versions while the answers do not tell them from chance.
    """
    for reviewed in range(MOST_MORE):
        if reviewed % PICTURES == 0:
            wait_until_judged(reviewer, project)
        items = reviewer.items(reviewer.image)
        before, now = items[0], items[-1]
        if not now["blind"] and before["model_version"]["number"] < now["model_version"]["number"]:
            return before, now
        review(reviewer, 1)
    raise AssertionError(f"No waiting item got suggestions of a new version in {MOST_MORE} true answers.")


def go_to(page: Page, title: str) -> None:
    page.get_by_role("navigation", name="Project").get_by_role("link", name=title).first.click()


def verify_a_page(page: Page, project: int) -> tuple[str, dict[int, bool]]:
    """Say the truth of one page of the tag that pays most, by keyboard. Answers the tag and what was said."""
    page.goto(f"/projects/{project}/")
    go_to(page, "Verify")
    grid = page.locator("[data-verify][data-ready]")
    expect(grid.locator("[data-grid] input").first).to_be_visible(timeout=WAIT_MS)
    tag = page.locator("input[name=tag][type=hidden]").first.get_attribute("value")
    name = next(
        row["name"]
        for row in ask(page, f"projects/{project}/tags/?limit=1000")["results"]
        if row["id"] == int(tag or 0)
    )
    names = {row["id"]: row["name"] for row in ask(page, f"projects/{project}/images/?limit=1000")["results"]}
    said = {}
    for box in grid.locator("[data-grid] input").all():
        image = int(box.input_value())
        said[image] = name in truth_of({"image": {"name": names[image]}})
        if box.is_checked() == said[image]:
            page.keyboard.press("Space")
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved-text]")).to_have_text(
        f"{sum(said.values())} yes, {len(said) - sum(said.values())} no stored", timeout=WAIT_MS
    )
    return name, said


def train_now(page: Page, project: int) -> dict[str, Any]:
    """Press the button and wait for the end of the run that it asked for.

    Training that the policy has just asked for is that run too: then the button is pressed once more.
    """
    go_to(page, "Models")

    def newest() -> dict[str, Any]:
        return ask(page, f"projects/{project}/training-runs/")["results"][0]

    def wait_for_one(after: int) -> dict[str, Any]:
        def is_over() -> bool:
            run = newest()
            return run["id"] > after and run["state"] not in ("queued", "running")

        assert processes.wait_until(is_over, timeout_s=WAIT_MS / 1000, every_s=0.5)
        return newest()

    for _ in range(3):
        before = wait_for_one(after=0)["id"]
        page.get_by_role("button", name="Train now").click()
        run = wait_for_one(after=before)
        if run["trigger"] == "person":
            break
        page.reload()
    return run


def compare_versions(page: Page) -> list[str]:
    """Any two versions beside each other. Answers the names of the figures."""
    page.reload()
    page.get_by_role("link", name="Compare two").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"v\d+ and v\d+"))
    expect(page.get_by_role("heading", name="Tag by tag")).to_be_visible()
    return page.locator("[aria-labelledby=overall-title] tbody th").all_inner_texts()


def export(page: Page) -> list[dict[str, Any]]:
    """Every image as JSON Lines, through the page and its download."""
    go_to(page, "Export")
    page.get_by_role("radio", name=re.compile("^JSON Lines")).check()
    page.get_by_role("button", name="Export").click()
    link = page.get_by_role("link", name="Download").first
    expect(link).to_be_visible(timeout=WAIT_MS)
    with page.expect_download() as download:
        link.click()
    return [json.loads(line) for line in download.value.path().read_text(encoding="utf-8").splitlines()]


def percents(item: dict[str, Any]) -> dict[str, float]:
    return {one["tag"]["name"]: round(100 * one["score"], 1) for one in item["suggestions"]}


def chips_by_name(chips: list[Chip]) -> dict[str, float | None]:
    return {chip.name: chip.percent for chip in chips}


def test_a_newcomer_reviews_verifies_trains_compares_and_exports(site: Site, watched: Watched) -> None:
    page = watched.page
    sign_in(page, site.url, user=site.admin, password=site.password)
    project = make_the_sample_project(page)
    wait_for_suggestions(page, project)
    reviewer = Reviewer(page)
    reviewer.open(f"/projects/{project}/review/")
    assert reviewer.version == 0
    assert reviewer.today == 0

    said = review(reviewer, PICTURES)
    assert len(said) == PICTURES == reviewer.today
    for image, names in said.items():
        assert set(ask(page, f"projects/{project}/images/{image}/")["tags"]["yes"]) == names

    before, now = review_until_renewed(reviewer, project)
    reviewer.wait_for_version(now["model_version"]["number"])
    drawn = chips_by_name(reviewer.chips)
    assert drawn.items() <= percents(now).items()
    assert not drawn.items() <= percents(before).items()

    shown = reviewer.image
    reviewer.toggle(1)
    chosen, answered = reviewer.chosen, reviewer.today
    reviewer.accept()
    reviewer.wait_until_saved()
    reviewer.undo()
    assert reviewer.image == shown
    assert reviewer.chosen == chosen
    expect(page.locator("[data-strip=today]")).to_have_text(str(answered), timeout=WAIT_MS)
    assert ask(page, f"projects/{project}/images/{shown}/")["state"] == "pending"

    for latency_ms in LATENCIES_MS:
        measured = review_by_keys_alone(reviewer, MANY // len(LATENCIES_MS), latency_ms=latency_ms)
        assert len(measured) == MANY // len(LATENCIES_MS)
        assert min(measured) > 0
    assert reviewer.today > MANY

    tag, verified = verify_a_page(page, project)
    run = train_now(page, project)
    assert (run["state"] in ("done", "refused"), run["trigger"]) == (True, "person")
    assert "F1" in " ".join(compare_versions(page))
    rows = {row["id"]: row for row in export(page)}
    assert len(rows) == ask(page, f"projects/{project}/images/?limit=1")["count"]
    assert all(tag in rows[image]["yes" if is_yes else "no"] for image, is_yes in verified.items())
    assert all(names <= set(rows[image]["yes"]) for image, names in said.items() if image not in verified)

    assert watched.complaints == []
    assert watched.strangers == set()
