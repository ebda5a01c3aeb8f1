"""A finger on the picture: aside answers, down scrolls, back cancels, two fingers zoom. Touches are real ones."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, Page, expect

from annotations.models import Decision, Review, User
from tests.browser.conftest import CAPTION, Scene

SignIn = Callable[..., Page]
PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 390, "height": 620}}
SIDEWAYS = {"has_touch": True, "is_mobile": True, "viewport": {"width": 844, "height": 390}}


class Finger:
    """Touches the middle of the picture and moves from there, in CSS pixels."""

    def __init__(self, page: Page) -> None:
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        box = page.locator("[data-picture]").bounding_box()
        assert box
        self._x, self._y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def down(self) -> None:
        self._send("touchStart", [(0, 0)])

    def to(self, *places: tuple[float, float]) -> None:
        """In steps, as a finger does; several places are several fingers."""
        for step in range(1, 9):
            self._send("touchMove", [(x * step / 8, y * step / 8) for x, y in places])

    def up(self) -> None:
        self._send("touchEnd", [])

    def swipe(self, x: float, y: float = 0) -> None:
        self.down()
        self.to((x, y))
        self.up()

    def pinch(self) -> None:
        self._send("touchStart", [(-20, 0), (20, 0)])
        for step in range(1, 9):
            self._send("touchMove", [(-20 - 8 * step, 0), (20 + 8 * step, 0)])
        self.up()

    def _send(self, kind: str, places: list[tuple[float, float]]) -> None:
        points = [{"x": self._x + x, "y": self._y + y, "id": number} for number, (x, y) in enumerate(places)]
        self._cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def open_phone(scene: Scene, sign_in: SignIn, user: User, more: str = "", **options: object) -> Page:
    page = sign_in(user, f"/projects/{scene.project.pk}/review/{more}", **PHONE, **options)
    expect(page.locator("[data-picture] img")).to_be_visible()
    return page


def expect_another_picture(page: Page, before: str | None) -> None:
    assert before
    expect(page.locator("[data-picture] img")).not_to_have_attribute("src", before)
    expect(page.locator("[data-saved-text]")).to_have_text("Saved")


def address(page: Page) -> str | None:
    return page.locator("[data-picture] img").get_attribute("src")


@pytest.mark.parametrize(("x", "outcome"), [(180, "reviewed"), (-180, "skipped")])
def test_aside_accepts_or_skips(scene: Scene, sign_in: SignIn, x: float, outcome: str) -> None:
    page = open_phone(scene, sign_in, scene.cast.annotator)
    before = address(page)
    Finger(page).swipe(x)
    expect_another_picture(page, before)
    assert Review.objects.get().outcome == outcome


@pytest.mark.parametrize(("x", "value"), [(180, "yes"), (-180, "no")])
def test_aside_says_yes_or_no_of_one_tag(scene: Scene, sign_in: SignIn, x: float, value: str) -> None:
    page = open_phone(scene, sign_in, scene.cast.reviewer, f"?tag={scene.tags['dog']}")
    before = address(page)
    Finger(page).swipe(x)
    expect_another_picture(page, before)
    assert Decision.objects.get().value == value


def test_the_picture_follows_says_what_would_happen_and_goes_back(scene: Scene, sign_in: SignIn) -> None:
    page = open_phone(scene, sign_in, scene.cast.annotator)
    before, picture = address(page), page.locator("[data-picture]")
    finger = Finger(page)
    finger.down()
    finger.to((160, 0))
    expect(picture).to_have_attribute("data-swipe", "right")
    expect(picture).to_have_attribute("data-swipe-counts", "")
    expect(picture.locator("img")).to_have_css("translate", "160px")
    assert picture.evaluate("box => getComputedStyle(box, '::after').content") == '"Accept"'
    finger.to((15, 0))
    expect(picture).not_to_have_attribute("data-swipe-counts", "")
    finger.up()
    expect(picture).not_to_have_attribute("data-swipe", re.compile("."))
    expect(picture.locator("img")).to_have_css("translate", "0px")
    assert address(page) == before
    assert not Review.objects.exists()


def test_down_scrolls_the_page_and_answers_nothing(scene: Scene, sign_in: SignIn) -> None:
    page = open_phone(scene, sign_in, scene.cast.annotator)
    before = address(page)
    Finger(page).swipe(30, -220)
    expect(page.locator("[data-picture]")).not_to_be_in_viewport(ratio=0.9)
    assert address(page) == before
    assert not Review.objects.exists()


def test_two_fingers_zoom_and_a_zoomed_picture_is_moved_not_answered(scene: Scene, sign_in: SignIn) -> None:
    page = open_phone(scene, sign_in, scene.cast.annotator)
    before, picture = address(page), page.locator("[data-picture]")
    finger = Finger(page)
    finger.pinch()
    expect(picture).to_have_attribute("data-zoomed", "")
    finger.swipe(180)
    expect(picture.locator("img")).to_have_attribute("style", re.compile(r"translate\([1-9]"))
    assert address(page) == before
    assert not Review.objects.exists()


def test_with_less_motion_the_picture_stays_and_the_word_tells(scene: Scene, sign_in: SignIn) -> None:
    page = open_phone(scene, sign_in, scene.cast.annotator, reduced_motion="reduce")
    picture = page.locator("[data-picture]")
    finger = Finger(page)
    finger.down()
    finger.to((160, 0))
    expect(picture).to_have_attribute("data-swipe-counts", "")
    expect(picture.locator("img")).to_have_css("translate", "none")
    finger.up()


@pytest.mark.parametrize("scene", [f"{CAPTION} " * 60], indirect=True)
def test_a_very_long_caption_scrolls_in_its_box_and_leaves_the_tags_in_sight(
    scene: Scene, sign_in: SignIn
) -> None:
    page = open_phone(scene, sign_in, scene.cast.annotator)
    expect(page.locator(".chip").first).to_be_in_viewport(ratio=1)
    assert page.locator("figcaption").evaluate(
        "box => box.scrollHeight > box.clientHeight && box.tabIndex === 0"
    )


@pytest.mark.parametrize("more", ["", "?tag=dog"])
def test_on_its_side_a_phone_shows_the_picture_beside_what_is_answered(
    scene: Scene, sign_in: SignIn, more: str
) -> None:
    page = sign_in(scene.cast.reviewer, f"/projects/{scene.project.pk}/review/{more}", **SIDEWAYS)
    picture = page.locator("[data-picture]")
    expect(picture.locator("img")).to_be_visible()
    box = picture.bounding_box()
    assert box and box["height"] > SIDEWAYS["viewport"]["height"] / 2
    answers = page.locator("[data-answer]") if more else page.locator(".chip, [data-command=accept]")
    for answer in (answers.first, answers.last):
        expect(answer).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
