"""Verifying by keyboard in a real browser: pages, exceptions, what the server counts, undo, and a dead network."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from annotations.models import Decision, RankingAge, VerifiedPage
from annotations.services import rankings
from tests.browser.conftest import Scene, reach_by_plain_http

SignIn = Callable[..., Page]
WAIT_MS = 60_000
# Two columns of two rows in the smallest window: four of fourteen images a page.
SMALL = {"width": 390, "height": 600}


@pytest.fixture
def ranked(scene: Scene) -> Iterator[Scene]:
    """All fourteen images offer `lake` with the same score, so they come in the order of their ids."""
    rankings.refresh(scene.project.pk)
    yield scene


def open_verify(scene: Scene, sign_in: SignIn, **options: object) -> Page:
    page = sign_in(scene.cast.reviewer, f"/projects/{scene.project.pk}/verify/?tag=lake", **options)
    expect(page.locator("[data-verify]")).to_have_attribute("data-ready", "", timeout=WAIT_MS)
    expect(page.locator("[data-grid] :focus")).to_have_count(1)
    return page


def tiles(page: Page) -> list[int]:
    return [
        int(value) for value in page.locator("[data-grid] input").evaluate_all("all => all.map(x => x.value)")
    ]


def confirm(page: Page) -> list[int]:
    """Press Enter and wait until another page is there, or none. Answers the images that were confirmed."""
    before = tiles(page)
    page.keyboard.press("Enter")
    expect(page.locator(f'[data-grid] input[value="{before[0]}"]')).to_have_count(0)
    return before


def expect_said(page: Page, text: str) -> None:
    expect(page.locator("[data-saved-text]")).to_have_text(text, timeout=WAIT_MS)


def stored() -> dict[int, str]:
    rows = Decision.objects.filter(verified_page__undone_at=None)
    return dict(rows.values_list("image_id", "value"))


def test_two_pages_with_an_exception_by_keyboard_alone(ranked: Scene, sign_in: SignIn) -> None:
    page = open_verify(ranked, sign_in, viewport=SMALL)
    first = tiles(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator("[data-grid] .no-mark:visible")).to_have_text("No")
    expect(page.locator("[data-live]")).to_have_text(f"No. {len(first) - 1} yes, 1 no.")
    assert confirm(page) == first
    expect_said(page, f"{len(first) - 1} yes, 1 no stored")
    second = confirm(page)
    expect_said(page, f"{len(second)} yes, 0 no stored")
    assert not set(first) & set(second)
    expected = dict.fromkeys([*first, *second], "yes") | {first[1]: "no"}
    assert stored() == expected
    assert all(row.seconds > 0 for row in VerifiedPage.objects.all())
    assert set(Decision.objects.values_list("model_number", flat=True)) == {1}


def test_arrows_move_through_the_grid_and_stop_at_its_ends(ranked: Scene, sign_in: SignIn) -> None:
    page = open_verify(ranked, sign_in, viewport=SMALL)
    shown = tiles(page)

    def at() -> int:
        return shown.index(int(page.evaluate("document.activeElement.value")))

    steps = [
        ("ArrowLeft", 0),
        ("ArrowRight", 1),
        ("ArrowDown", 3),
        ("ArrowLeft", 2),
        ("ArrowUp", 0),
        ("ArrowUp", 0),
    ]
    for key, place in steps:
        page.keyboard.press(key)
        assert at() == place
    expect(page.locator("[data-grid] input[tabindex='0']")).to_have_count(1)


def test_undo_takes_back_page_after_page_with_its_marks(ranked: Scene, sign_in: SignIn) -> None:
    page = open_verify(ranked, sign_in, viewport=SMALL)
    page.keyboard.press("Space")
    first = confirm(page)
    second = confirm(page)
    expect_said(page, f"{len(second)} yes, 0 no stored")
    for back, marked in ((second, 0), (first, 1)):
        page.keyboard.press("z")
        expect(page.locator(f'[data-grid] input[value="{back[0]}"]')).to_have_count(1, timeout=WAIT_MS)
        assert tiles(page) == back
        expect(page.locator("[data-grid] input:checked")).to_have_count(marked)
    assert stored() == {}
    assert Decision.objects.count() == len(first) + len(second)
    confirm(page)
    expect_said(page, f"{len(first) - 1} yes, 1 no stored")
    assert stored()[first[0]] == "no"


def test_a_page_of_an_earlier_session_is_asked_about_and_taken_back(ranked: Scene, sign_in: SignIn) -> None:
    page = open_verify(ranked, sign_in, viewport=SMALL)
    earlier = confirm(page)
    expect_said(page, f"{len(earlier)} yes, 0 no stored")
    page.evaluate("sessionStorage.clear()")  # as in another window, or on another machine
    page.reload()
    expect(page.locator("[data-verify]")).to_have_attribute("data-ready", "", timeout=WAIT_MS)
    own = confirm(page)
    expect_said(page, f"{len(own)} yes, 0 no stored")
    page.keyboard.press("z")
    expect(page.locator(f'[data-grid] input[value="{own[0]}"]')).to_have_count(1, timeout=WAIT_MS)
    page.keyboard.press("z")
    notice = page.locator("[data-notice]")
    expect(notice).to_contain_text(f"{len(earlier)} yes, 0 no. Undo again takes that back.")
    assert stored() == dict.fromkeys(earlier, "yes")
    page.keyboard.press("z")
    expect(notice).to_contain_text("These images come up again.")
    assert stored() == {}
    page.keyboard.press("z")
    expect(notice).to_contain_text("There is nothing to undo yet.")
    seen: set[int] = set()
    while not set(earlier) <= seen:
        expect(page.locator("[data-grid] input").first).to_be_visible(timeout=WAIT_MS)
        seen |= set(confirm(page))


def test_a_dead_network_keeps_pages_and_says_so(ranked: Scene, sign_in: SignIn) -> None:
    page = open_verify(ranked, sign_in, viewport=SMALL)
    expect(page.locator("[data-count]")).to_have_text(str(len(tiles(page))))
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    first = confirm(page)
    expect_said(page, f"Offline, {len(first)} kept here")
    second = confirm(page)  # the next page was there before the network went
    expect_said(page, f"Offline, {len(first) + len(second)} kept here")
    page.keyboard.press("z")  # what has not left is taken back at once
    expect(page.locator(f'[data-grid] input[value="{second[0]}"]')).to_have_count(1)
    expect_said(page, f"Offline, {len(first)} kept here")
    assert tiles(page) == second
    assert stored() == {}
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_said(page, f"{len(first)} yes, 0 no stored")
    assert stored() == dict.fromkeys(first, "yes")


def test_what_was_kept_offline_is_sent_after_a_reload(ranked: Scene, sign_in: SignIn) -> None:
    page = open_verify(ranked, sign_in, viewport=SMALL)
    page.route("**/api/v1/projects/*/verify/", lambda route: route.abort())
    first = confirm(page)
    expect_said(page, f"Offline, {len(first)} kept here")
    page.unroute("**/api/v1/projects/*/verify/")
    page.reload()
    expect_said(page, f"{len(first)} yes, 0 no stored")
    assert stored() == dict.fromkeys(first, "yes")
    page.keyboard.press("z")
    expect(page.locator(f'[data-grid] input[value="{first[0]}"]')).to_have_count(1, timeout=WAIT_MS)
    assert stored() == {}


def test_the_last_page_says_that_every_image_has_a_word(ranked: Scene, sign_in: SignIn) -> None:
    page = open_verify(ranked, sign_in, viewport={"width": 1440, "height": 900})
    assert len(tiles(page)) == 14
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Every image has a word on lake")).to_be_visible(timeout=WAIT_MS)
    expect_said(page, "14 yes, 0 no stored")
    page.get_by_role("button", name="Undo the last page").first.click()
    expect(page.locator("[data-grid] input")).to_have_count(14, timeout=WAIT_MS)


def test_a_picture_is_enlarged_marked_there_and_left(ranked: Scene, sign_in: SignIn) -> None:
    page = open_verify(ranked, sign_in, viewport={"width": 1440, "height": 900})
    shown = tiles(page)
    page.keyboard.press("e")
    dialog = page.locator("[data-enlarged]")
    expect(dialog.locator("img")).to_have_attribute("src", re.compile(f"/images/{shown[0]}/"))
    page.keyboard.press("ArrowRight")
    expect(dialog.locator("img")).to_have_attribute("src", re.compile(f"/images/{shown[1]}/"))
    expect(dialog.locator("[data-open]")).to_have_attribute("href", re.compile(f"/gallery/{shown[1]}/$"))
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(page.locator("[data-grid] input:checked")).to_have_attribute("value", str(shown[1]))
    expect(page.locator(f'[data-grid] input[value="{shown[1]}"]')).to_be_focused()


def test_the_page_fits_the_window_without_scrolling(ranked: Scene, sign_in: SignIn) -> None:
    for viewport in (SMALL, {"width": 390, "height": 844}, {"width": 1440, "height": 900}):
        page = open_verify(ranked, sign_in, viewport=viewport)
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_script_the_form_does_the_same(ranked: Scene, sign_in: SignIn) -> None:
    page = sign_in(
        ranked.cast.reviewer, f"/projects/{ranked.project.pk}/verify/?tag=lake", java_script_enabled=False
    )
    boxes = page.locator("[data-grid] input[type=checkbox]")
    expect(boxes).to_have_count(14)
    boxes.first.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("13 yes, 1 no stored.")).to_be_visible()
    assert sorted(stored().values()) == ["no"] + ["yes"] * 13
    page.get_by_role("button", name="Take the last page back").click()
    expect(page.get_by_text("Taken back: 13 yes, 1 no.")).to_be_visible()
    assert stored() == {}
    assert RankingAge.objects.exists()


def test_a_page_is_stored_where_the_site_is_reached_by_plain_http(ranked: Scene, sign_in: SignIn) -> None:
    page = open_verify(ranked, sign_in, viewport=SMALL)
    reach_by_plain_http(page)
    expect(page.locator("[data-grid] :focus")).to_have_count(1)
    confirm(page)
    expect_said(page, "4 yes, 0 no stored")


def test_with_script_the_grid_is_not_seen_before_it_fits_the_window(ranked: Scene, sign_in: SignIn) -> None:
    page = sign_in(ranked.cast.reviewer, "/projects/")
    page.route("**/js/verify/page*.js", lambda route: route.abort())
    page.goto(f"/projects/{ranked.project.pk}/verify/?tag=lake")
    form = page.locator(".verify-form")
    assert form.evaluate("form => getComputedStyle(form).animationName") == "verify-waits"
    expect(form.get_by_role("button", name="Confirm")).to_be_visible()  # the script does not come
