"""The main job by keyboard in a real browser, on photographs of a PACK, by an annotator who knows the truth.

    python benchmarks/browser.py PACK [--reviews 30] [--images 280] [--delayed 100] [--json FILE]

Starts a Tagger of its own, imports photographs of split `train` with their captions, signs in, reviews at the
Review page with digits, type-ahead and Enter, and waits for the model that has read the answers. Then reviews go on
with 20 and with 150 ms added to every request, and the mouse untouched throughout. Keeps no picture.
"""

import argparse
import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from main_job import Api, Run, import_photos
from pack import Pack, read
from playwright.sync_api import BrowserContext, Page, sync_playwright
from stack import Stack, running_stack

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.chromium import installed
from tests.reviewer import Reviewer, sign_in

FIRST = 10
SEED = 1
WAIT_S = 120
LOOK_EVERY_MS = 50
LATENCIES_MS = (20, 150)
_WEIGHED = (
    """() => performance.getEntriesByType("resource").map(entry => [entry.name, entry.encodedBodySize])"""
)


@dataclass
class KeyToPicture:
    """From the key to the next picture, decoded and on screen, in ms, with so much added to every request."""

    latency_ms: int
    reviews: int
    p50_ms: float
    p95_ms: float
    largest_ms: float

    @classmethod
    def read(cls, reviewer: Reviewer, latency_ms: int) -> "KeyToPicture":
        """What the page has measured since it last forgot."""
        measured = np.array(reviewer.measured_ms)
        p50, p95 = np.percentile(measured, [50, 95])
        return cls(latency_ms, len(measured), float(p50), float(p95), float(measured.max()))


@dataclass
class Figures:
    """What was measured in one walk. Seconds are None if no version went live."""

    key_to_picture: list[KeyToPicture]
    seconds_to_first_version: float | None
    reviews_at_first_version: int | None
    seconds_to_last_version: float | None
    version: int
    script_bytes: int
    style_bytes: int
    complaints: list[str]


class Walk:
    """A signed-in annotator at the Review page, who notes when the strip names another version."""

    def __init__(self, page: Page, pack: Pack) -> None:
        self.page, self.reviewer = page, Reviewer(page)
        self.truth = {photo.name: photo.tags for photo in pack.photos}
        self.answered_at: list[float] = []
        self.version = 0
        self.first: tuple[float, int] | None = None

    def review(self, count: int) -> None:
        for _ in range(count):
            item = self.reviewer.items(self.reviewer.image)[0]
            self.reviewer.choose(self.truth[item["image"]["name"]])
            self.reviewer.accept()
            self.answered_at.append(time.monotonic())
            self._look()

    def wait_until_judged(self, api: Api) -> float | None:
        """Seconds from the last answer until the strip shows what is live once that answer was read, if news."""
        before = self.version
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            self._look()
            stats = api.call("GET", "projects/{p}/stats/")
            if not stats["unlearned_decisions"] and self.version == stats["live_model"]["number"]:
                return None if self.version == before else time.monotonic() - self.answered_at[-1]
            self.page.wait_for_timeout(LOOK_EVERY_MS)
        raise SystemExit(f"Waited {WAIT_S} s in vain for a model that has read the answers.")

    def _look(self) -> None:
        self.version = self.reviewer.version
        if self.version and self.first is None:
            tenth = self.answered_at[min(len(self.answered_at), FIRST) - 1]
            self.first = time.monotonic() - tenth, len(self.answered_at)


def weigh(page: Page) -> tuple[int, int]:
    """Bytes of script and of style as they were sent."""
    sizes: list[list[Any]] = page.evaluate(_WEIGHED)
    return tuple(
        sum(size for name, size in sizes if name.split("?")[0].endswith(ending)) for ending in (".js", ".css")
    )  # type: ignore[return-value]


def measure_delayed(person: Walk, reviews: int, latency_ms: int) -> KeyToPicture:
    person.reviewer.slow_down(latency_ms)
    person.reviewer.forget_measured()
    person.review(reviews)
    return KeyToPicture.read(person.reviewer, latency_ms)


def walk(
    stack: Stack, api: Api, context: BrowserContext, pack: Pack, *, reviews: int, delayed: int
) -> Figures:
    page, complaints = context.new_page(), []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, f"{stack.url}/", user="admin", password=stack.admin_password)
    person = Walk(page, pack)
    person.reviewer.open(f"{stack.url}/projects/{api.project}/review/")
    weight = weigh(page)
    person.review(min(FIRST, reviews))
    last = person.wait_until_judged(api)
    while len(person.answered_at) < reviews:
        person.review(min(FIRST, reviews - len(person.answered_at)))
        last = person.wait_until_judged(api)
    keys = [KeyToPicture.read(person.reviewer, 0)]
    keys += [measure_delayed(person, delayed, latency_ms) for latency_ms in LATENCIES_MS if delayed]
    seconds, count = person.first or (None, None)
    return Figures(
        key_to_picture=keys,
        seconds_to_first_version=seconds,
        reviews_at_first_version=count,
        seconds_to_last_version=last,
        version=person.version,
        script_bytes=weight[0],
        style_bytes=weight[1],
        complaints=complaints,
    )


def print_table(figures: Figures) -> None:
    def seconds(value: float | None) -> str:
        return "none went live" if value is None else f"{value:.1f} s"

    rows = {
        f"key to picture, {keys.reviews} reviews, {keys.latency_ms} ms added: p50 / p95 / largest": (
            f"{keys.p50_ms:.0f} / {keys.p95_ms:.0f} / {keys.largest_ms:.0f} ms"
        )
        for keys in figures.key_to_picture
    } | {
        "tenth answer to the first version on the page": seconds(figures.seconds_to_first_version),
        "answers given until then": str(figures.reviews_at_first_version or "-"),
        "last answer to the version that has read it": seconds(figures.seconds_to_last_version),
        "version in the strip at the end": f"v{figures.version}",
        "Review page: script / style, as sent": f"{figures.script_bytes / 1000:.1f} / "
        f"{figures.style_bytes / 1000:.1f} kB",
        "errors on the console": "; ".join(figures.complaints) or "none",
    }
    print("| measured | value |\n| --- | --- |")
    for name, value in rows.items():
        print(f"| {name} | {value} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pack", type=Path, metavar="PACK")
    parser.add_argument("--reviews", type=int, default=30)
    parser.add_argument("--images", type=int, default=280)
    parser.add_argument("--delayed", type=int, default=100, help="reviews at each added latency")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pack = read(options.pack)
    photos = random.Random(SEED).sample(pack.of("train"), min(options.images, len(pack.of("train"))))
    with running_stack() as stack, sync_playwright() as playwright:
        api = Api(stack.url, stack.token())
        api.project = api.call("POST", "projects/", json={"name": "Browser walk"})["id"]
        api.call("POST", "projects/{p}/tags/", json=[{"name": name} for name in pack.tags])
        import_photos(api, photos, Run(seed=SEED))
        browser = playwright.chromium.launch(
            executable_path=installed(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        figures = walk(
            stack, api, browser.new_context(), pack, reviews=options.reviews, delayed=options.delayed
        )
        browser.close()
    print_table(figures)
    if options.json:
        options.json.write_text(json.dumps(asdict(figures), indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
