"""A person at the Review page with a keyboard: reads what the page shows, toggles, types, answers, takes back.

Everything comes from the page and from what the server sent to it; nothing looks into the database.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, Response, expect

# A bound for a machine with a lot to do, never something to wait for.
WAIT_MS = 120_000
KEY_TO_PICTURE = "tagger:key-to-picture"
_READ_CHIPS = """chips => chips.map(chip => ({
    name: chip.querySelector(".name").textContent,
    is_on: chip.getAttribute("aria-pressed") === "true",
    width: chip.querySelector(".score rect")?.getAttribute("width") ?? null,
}))"""


@dataclass(frozen=True)
class Chip:
    """One chip as drawn; `percent` is its score bar, to a tenth, or None for a tag that a person added."""

    name: str
    is_on: bool
    percent: float | None


class Reviewer:
    def __init__(self, page: Page) -> None:
        self.page = page
        self._sent: list[Response] = []
        page.on("response", self._notice)

    def _notice(self, response: Response) -> None:
        if response.ok and re.search(r"/queue/(next|renew)/$|/undo/$", response.url):
            self._sent.append(response)

    def open(self, address: str) -> None:
        """Open the page and wait for a first item that has its picture and, unless blind, its suggestions."""
        self._sent.clear()  # what an earlier visit was sent cannot be read any more
        self.page.goto(address)
        expect(self._picture).to_be_visible(timeout=WAIT_MS)
        asked = self.page.locator("[data-chips] .chip, [data-blind]:not([hidden])").first
        expect(asked).to_be_visible(timeout=WAIT_MS)

    # -- what is shown

    @property
    def image(self) -> int:
        return int(re.search(r"/images/(\d+)/", self._picture.get_attribute("src") or "")[1])  # type: ignore[index]

    @property
    def chips(self) -> list[Chip]:
        read = self.page.locator("[data-chips] .chip").evaluate_all(_READ_CHIPS)
        return [
            Chip(one["name"], one["is_on"], None if one["width"] is None else float(one["width"]))
            for one in read
        ]

    @property
    def chosen(self) -> set[str]:
        return {chip.name for chip in self.chips if chip.is_on}

    @property
    def is_blind(self) -> bool:
        return self.page.locator("[data-blind]").is_visible()

    @property
    def today(self) -> int:
        return int(self.page.locator("[data-strip=today]").inner_text())

    @property
    def version(self) -> int:
        """The number in the strip; 0 while the first suggestions stand, which come from no version."""
        found = re.search(r"v(\d+)", self.page.locator("[data-model]").inner_text())
        return int(found[1]) if found else 0

    def items(self, image: int) -> list[dict[str, Any]]:
        """Every Item that the server sent to this page for the image, oldest first."""
        return [item for item in self._items() if item["image"]["id"] == image]

    def _items(self) -> Iterator[dict[str, Any]]:
        for response in self._sent:
            body = response.json()
            yield from body.get("items") or filter(None, [body.get("item")])

    # -- what the keys do

    def toggle(self, position: int) -> None:
        """The n-th chip, counted from 1; Shift reaches 11 to 20."""
        shift = "Shift+" if position > 10 else ""
        self.page.keyboard.press(f"{shift}Digit{position % 10}")

    def type_tag(self, name: str) -> None:
        self.page.keyboard.press("t")
        self.page.keyboard.type(name)
        self.page.keyboard.press("Enter")
        chip = self.page.locator(".chip[aria-pressed=true] .name").get_by_text(name, exact=True)
        expect(chip).to_be_visible(timeout=WAIT_MS)

    def choose(self, names: Collection[str]) -> None:
        """Make exactly these tags be on: digits for the chips that are wrong, typing for what is not there."""
        chips = self.chips
        for position, chip in enumerate(chips, start=1):
            if chip.is_on != (chip.name in names):
                self.toggle(position)
        for name in sorted(set(names) - {chip.name for chip in chips}):
            self.type_tag(name)
        assert self.chosen == set(names), f"Expected {sorted(names)} to be on, got {sorted(self.chosen)}."

    def accept(self) -> None:
        """Enter, and the next picture is there."""
        self._to_another("Enter")

    def undo(self) -> None:
        """Z, and the picture of the last answer is there."""
        self._to_another("z")

    def _to_another(self, key: str) -> None:
        before = re.compile(f"/images/{self.image}/")
        self.page.keyboard.press(key)
        expect(self._picture).not_to_have_attribute("src", before, timeout=WAIT_MS)

    # -- the connection, and what the page measures

    def slow_down(self, latency_ms: int) -> None:
        """From here on every request takes so much longer."""
        limits = {"offline": False, "latency": latency_ms, "downloadThroughput": -1, "uploadThroughput": -1}
        self.page.context.new_cdp_session(self.page).send("Network.emulateNetworkConditions", limits)

    def forget_measured(self) -> None:
        self.page.evaluate(f"performance.clearMeasures('{KEY_TO_PICTURE}')")

    @property
    def measured_ms(self) -> list[float]:
        """From the key to the next picture, decoded and on screen, of each answer since the page last forgot."""
        return self.page.evaluate(
            f"performance.getEntriesByName('{KEY_TO_PICTURE}').map(one => one.duration)"
        )

    # -- what to wait for

    def wait_until_saved(self) -> None:
        expect(self.page.locator("[data-saved-text]")).to_have_text("Saved", timeout=WAIT_MS)

    def wait_for_version(self, number: int) -> None:
        expect(self.page.locator("[data-strip=model]")).to_have_text(f"Model v{number}", timeout=WAIT_MS)

    @property
    def _picture(self) -> Any:
        return self.page.locator("[data-picture] img")


def sign_in(page: Page, url: str, *, user: str, password: str) -> None:
    """Through the sign-in page, as everybody does; ends on the list of projects."""
    page.goto(url)
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/projects/", timeout=WAIT_MS)
