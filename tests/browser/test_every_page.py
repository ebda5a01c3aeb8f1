"""Every page in a real Chromium: accessible in both themes, whole on a phone and at 200 %, usable without script.

One walk a test: what is wrong is collected and told together, by page.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.house import HEBREW, House, furnish, make_odd
from tests.factories import make_cast

WIDE = {"width": 1440, "height": 900}
NARROW = {
    "a small phone": {"width": 360, "height": 740},
    "200 % zoom of 1,280 pixels": {"width": 640, "height": 400},
}

# What sticks out to the right of the window. A box that scrolls by itself may be wider inside.
_TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    if (document.scrollingElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")]
        .filter(one => one.getBoundingClientRect().right > width + 1)
        .slice(0, 3).map(one => one.outerHTML.slice(0, 120));
}"""

# Without script a button does something only as part of a form, a link only with an address.
_DEAD = """() => [...document.querySelectorAll("button, a, input, select, textarea")]
    .filter(one => !one.closest(".pattern"))  // shown for their looks
    .filter(one => one.checkVisibility({visibilityProperty: true, opacityProperty: true}))
    .filter(one => one.tagName === "A"
        ? !one.getAttribute("href")
        : !one.disabled && !one.readOnly && !one.popoverTargetElement && (!one.form || one.type === "button"))
    .map(one => one.outerHTML.replace(/\\s+/g, " ").slice(0, 120))"""


@pytest.fixture
def house(transactional_db, settings) -> House:
    settings.IMPORT_BUCKETS = ["pictures", "shared/holidays"]
    return furnish(make_cast(holdout_percent=0))


def walk(page: Page, house: House) -> Iterator[str]:
    """Open every page in turn; what a page still loads has come when it is looked at."""
    for address in house.pages:
        answer = page.goto(address)
        assert answer is not None and answer.status == 200, address
        page.wait_for_load_state("networkidle")
        yield address


def told(wrong: dict[str, list[str]]) -> str:
    return "\n".join(f"{address}\n    " + "\n    ".join(lines) for address, lines in wrong.items())


@pytest.mark.parametrize(
    ("theme", "rules"), [("light", None), ("dark", ["color-contrast"])], ids=["light", "dark"]
)
def test_axe_finds_nothing_and_nothing_comes_from_elsewhere(house, sign_in, theme, rules):
    """In the dark only colours are other than in the light."""
    # Our pages keep to the policy (every other test sees to it); axe sets styles while it measures.
    page = sign_in(house.admin, "/projects/", viewport=WIDE, color_scheme=theme, bypass_csp=True)
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    hosts, wrong = set(), {}
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    axe = Axe()
    for address in walk(page, house):
        found = axe.run(page, options=options).response["violations"]
        headings = page.locator("h1").count()
        problems = [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]
        if problems or headings != 1:
            wrong[address] = [f"{headings} h1", *problems]
    assert not wrong, told(wrong)
    assert hosts - {None} == {"localhost"}


@pytest.mark.parametrize("size", NARROW)
def test_nothing_sticks_out(house, sign_in, size):
    page = sign_in(house.admin, "/projects/", viewport=NARROW[size])
    wrong = {address: wide for address in walk(page, house) if (wide := page.evaluate(_TOO_WIDE))}
    assert not wrong, told(wrong)


def test_without_script_every_page_speaks_and_no_control_is_dead(house, sign_in):
    page = sign_in(house.admin, "/projects/", viewport=WIDE, java_script_enabled=False)
    wrong = {}
    for address in walk(page, house):
        dead = page.evaluate(_DEAD)
        silent = [] if page.locator("main").inner_text().strip() else ["nothing to read"]
        if dead or silent:
            wrong[address] = [*silent, *dead]
    assert not wrong, told(wrong)


@pytest.mark.parametrize("scene", [HEBREW], indirect=True)
@pytest.mark.parametrize("size", [WIDE, *NARROW.values()], ids=["wide", *NARROW])
def test_a_strip_of_12000_pixels_with_a_hebrew_caption_keeps_review_in_its_place(scene, sign_in, size):
    for image in scene.images:
        make_odd(image)
    page = sign_in(scene.cast.annotator, f"/projects/{scene.project.pk}/review/", viewport=size)
    picture = page.locator("[data-picture] img")
    expect(picture).to_be_visible()
    box = picture.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"]
    assert page.evaluate(_TOO_WIDE) == []
    caption = page.locator("[data-caption]")
    assert caption.evaluate("one => getComputedStyle(one).direction") == "rtl"
