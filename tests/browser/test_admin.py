"""The back door in a real Chromium: under the strict policy, accessible in both themes, whole on a phone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from annotations.models import Image, User
from tests.browser.test_every_page import _TOO_WIDE, NARROW, WIDE, told
from tests.factories import Cast, make_cast, make_images, make_tags, review_next


@pytest.fixture
def cast(transactional_db) -> Cast:
    cast = make_cast(holdout_percent=0)
    make_tags(cast.project, "dog", "cat")
    make_images(cast.project, 60, caption="A dog.")
    Image.objects.filter(pk=Image.objects.latest("pk").pk).update(name="panorama-" + "x" * 187 + ".jpg")
    review_next(cast, cast.second, yes=("dog",), rejected=("cat",))
    return cast


def walk(page: Page, cast: Cast) -> Iterator[str]:
    image = Image.objects.latest("pk").pk
    for address in (
        "",
        "annotations/",
        "annotations/image/",
        "annotations/image/?q=no-such-name&state=pending",
        f"annotations/image/{image}/change/",
        f"annotations/image/{image}/history/",
        "annotations/decision/?q=dog",
        "annotations/user/",
        f"annotations/user/{cast.second.pk}/change/",
        f"annotations/user/{cast.second.pk}/password/",
        "mlmodels/trainingrun/",
    ):
        answer = page.goto(f"/admin/{address}")
        assert answer is not None and answer.status == 200, address
        page.wait_for_load_state("networkidle")
        yield address


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_breaks_the_policy_or_says_an_error(cast, sign_in, theme):
    page = sign_in(cast.admin, "/admin/", viewport=WIDE, color_scheme=theme)
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
    for _ in walk(page, cast):
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        lightness = float(background.removeprefix("oklch(").split()[0])
        assert (lightness > 0.5) == (theme == "light")
    assert wrong == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(cast, sign_in, theme):
    page = sign_in(cast.admin, "/admin/", viewport=WIDE, color_scheme=theme, bypass_csp=True)
    axe, wrong = Axe(), {}
    for address in walk(page, cast):
        found = axe.run(page).response["violations"]
        if found:
            wrong[address] = [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]
    assert not wrong, told(wrong)


@pytest.mark.parametrize("size", NARROW)
def test_nothing_sticks_out(cast, sign_in, size):
    page = sign_in(cast.admin, "/admin/", viewport=NARROW[size])
    wrong = {address: wide for address in walk(page, cast) if (wide := page.evaluate(_TOO_WIDE))}
    assert not wrong, told(wrong)


def test_a_chosen_theme_holds_behind_the_scenes(cast, sign_in):
    page = sign_in(cast.admin, "/projects/", color_scheme="light")
    page.get_by_role("button", name="Switch theme").first.click()
    page.goto("/admin/")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_an_account_is_closed_by_hand(cast, sign_in):
    page = sign_in(cast.admin, "/projects/")
    page.locator("details.account summary").click()
    page.get_by_role("link", name="Behind the scenes").click()
    page.get_by_role("link", name="Users").first.click()
    page.get_by_role("link", name="second").click()
    page.get_by_label("Active").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert not User.objects.get(username="second").is_active
