"""Type-ahead over 10,000 tags in a real browser: from the last key of a word to its results on screen.

    python benchmarks/typeahead.py [--words 100] [--delay 80] [--json FILE]

Starts a Tagger of its own, fills a vocabulary with WordNet's nouns and their other names, and types names of tags at
the Review page: as they are, and with one typo each (a letter left out, doubled, changed, or two that changed places).
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from main_job import Api
from playwright.sync_api import Page, sync_playwright
from stack import running_stack

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from language_speed import TAGS, wordnet_tags

from annotations.sample import draw_scenes
from tests.chromium import installed
from tests.reviewer import Reviewer, sign_in

LIMIT_MS = 100
BATCH = 1_000
SCENES = 8
SEED = 1
SHORTEST = 5
WAIT_MS = 30_000
# Stamps each key, and the first frame in which the list stands for what was typed.
_WATCH = """() => {
    const list = document.querySelector("[data-typeahead] [role=listbox]");
    const input = list.closest("[data-typeahead]").querySelector("input");
    input.addEventListener("keydown", () => { window.keyAt = performance.now(); }, true);
    new MutationObserver(() => requestAnimationFrame(() => {
        window.shown = { query: list.dataset.query, at: performance.now() };
    })).observe(list, { attributes: true, attributeFilter: ["data-query"] });
}"""
_ON_SCREEN = """query => window.shown?.query === query ? window.shown.at - window.keyAt : null"""
_NAMES = """() => [...document.querySelectorAll("[data-typeahead] [role=option] .name")].map(one => one.textContent)"""


@dataclass(frozen=True)
class Typed:
    """One way of typing: milliseconds to the screen, and the share of words whose tag was among the results."""

    way: str
    words: int
    p50_ms: float
    p95_ms: float
    largest_ms: float
    found_share: float


def with_typo(word: str, rng: random.Random) -> str:
    """One slip of the finger, never in the first letter."""
    place = rng.randrange(1, len(word) - 1)
    before, letter, after = word[:place], word[place], word[place + 1 :]
    slips: list[Callable[[], str]] = [
        lambda: before + after,
        lambda: before + letter * 2 + after,
        lambda: before + rng.choice("abcdefghijklmnopqrstuvwxyz") + after,
        lambda: before + after[0] + letter + after[1:],
    ]
    return rng.choice(slips)()


def vocabulary() -> list[dict[str, Any]]:
    """Tags as the API takes them: a word is a name of one tag; a further sense of it gets a number behind it."""
    taken: set[str] = set()
    tags = []
    for tag in wordnet_tags():
        name = tag.name if tag.name.lower() not in taken else f"{tag.name} ({tag.id})"
        taken.add(name.lower())
        aliases = {alias.lower(): alias for alias in tag.aliases if alias.lower() not in taken}
        taken |= aliases.keys()
        tags.append({"name": name, "aliases": list(aliases.values())})
    return tags


def some_names(tags: list[dict[str, Any]], count: int) -> list[str]:
    """Names of one word, drawn over the whole vocabulary."""
    names = [tag["name"] for tag in tags if tag["name"].isalpha() and len(tag["name"]) >= SHORTEST]
    return random.Random(SEED).sample(names, count)


def furnish(api: Api, tags: list[dict[str, Any]]) -> None:
    """A project with the whole vocabulary and a few drawn scenes to open the page with."""
    api.project = api.call("POST", "projects/", json={"name": "Large vocabulary"})["id"]
    for start in range(0, len(tags), BATCH):
        api.call("POST", "projects/{p}/tags/", json=tags[start : start + BATCH])
    files = [("files", (scene.name, scene.picture, "image/jpeg")) for scene in draw_scenes(SCENES)]
    api.job("projects/{p}/imports/", files=files)


def measure(page: Page, way: str, words: Iterable[tuple[str, str]], delay_ms: int) -> Typed:
    """Type each word, of (what is typed, name of the tag that is meant)."""
    taken, found = [], []
    for typed, name in words:
        page.keyboard.press("t")
        page.keyboard.type(typed, delay=delay_ms)
        shown = page.wait_for_function(_ON_SCREEN, arg=typed, timeout=WAIT_MS)
        taken.append(float(shown.json_value()))
        found.append(name in page.evaluate(_NAMES))
        page.keyboard.press("Escape")
    p50, p95, largest = np.percentile(taken, [50, 95, 100])
    return Typed(way, len(taken), float(p50), float(p95), float(largest), float(np.mean(found)))


def run(words: int, delay_ms: int) -> list[Typed]:
    tags = vocabulary()
    rng, names = random.Random(SEED), some_names(tags, 2 * words)
    ways = {
        "as it is": [(name, name) for name in names[:words]],
        "with one typo": [(with_typo(name, rng), name) for name in names[words:]],
    }
    with running_stack() as stack, sync_playwright() as playwright:
        api = Api(stack.url, stack.token())
        furnish(api, tags)
        browser = playwright.chromium.launch(
            executable_path=installed(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        page = browser.new_page()
        sign_in(page, f"{stack.url}/", user="admin", password=stack.admin_password)
        Reviewer(page).open(f"{stack.url}/projects/{api.project}/review/")
        page.evaluate(_WATCH)
        return [measure(page, way, typed, delay_ms) for way, typed in ways.items()]


def print_table(rows: list[Typed]) -> None:
    print(f"{TAGS:,} tags; aim: {LIMIT_MS} ms from the last key to the results on screen\n")
    print("| typed | words | p50 ms | p95 ms | largest ms | tag among the results |\n" + "| --- " * 6 + "|")
    for row in rows:
        figures = f"{row.p50_ms:.0f} | {row.p95_ms:.0f} | {row.largest_ms:.0f} | {row.found_share:.0%}"
        print(f"| {row.way} | {row.words} | {figures} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--words", type=int, default=100, help="words of each way of typing")
    parser.add_argument("--delay", type=int, default=80, help="milliseconds between two keys")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = run(options.words, options.delay)
    print_table(rows)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
