"""The guide beside the picture, in a real browser: from a chip by key, by touch, with a search."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from annotations.models import Tag
from annotations.services import tags
from tests.browser.conftest import Scene
from tests.browser.test_review_keyboard import accept, chip, expect_saved, open_review

SignIn = Callable[..., Page]


def described(scene: Scene, name: str, text: str) -> None:
    tags.update(Tag.objects.get(pk=scene.tags[name]), {"description": text}, actor=scene.cast.manager)


def here(page: Page):
    return page.get_by_role("region", name="On this image").locator("h3")


def test_g_opens_the_guide_with_the_tag_of_the_focused_chip_first(scene: Scene, sign_in: SignIn) -> None:
    described(scene, "dog", "A puppy counts.")
    page = open_review(scene, sign_in)
    accept(page)  # lake and dog are offered: the newest example of both
    expect_saved(page)
    chip(page, "dog").focus()
    page.keyboard.press("g")
    expect(here(page)).to_have_text(["dog", "lake", "boat", "hill", "tree"])
    expect(page.get_by_role("dialog")).to_contain_text("A puppy counts.")
    expect(page.get_by_role("region", name="On this image").locator("[data-tag] img").first).to_be_visible()
    page.keyboard.press("g")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(chip(page, "dog")).to_be_focused()


def test_the_guide_is_searched_and_what_is_typed_toggles_nothing(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    page.keyboard.press("g")
    expect(here(page)).to_have_count(5)
    page.keyboard.press("/")
    page.keyboard.type("hil1")
    found = page.get_by_role("region", name="Found").locator("h3")
    expect(found).to_have_text(["hill"])
    expect(here(page).first).to_be_hidden()
    page.keyboard.press("Escape")  # empties the search, as browsers do, or closes
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(chip(page, "lake")).to_have_attribute("aria-pressed", "true")


def test_by_touch_the_guide_opens_from_the_bar(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in, viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("button", name="How to tag").tap()
    expect(here(page)).to_have_count(5)


def test_without_a_network_the_guide_says_so(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    page.route(re.compile(r"/guide/"), lambda route: route.abort())
    page.keyboard.press("g")
    expect(page.get_by_text("The guide cannot be fetched just now.").first).to_be_visible()


def test_the_plain_form_links_what_its_tags_mean(scene: Scene, sign_in: SignIn) -> None:
    described(scene, "dog", "A puppy counts.")
    path = f"/projects/{scene.project.pk}/review/?plain=1"
    page = sign_in(scene.cast.annotator, path, java_script_enabled=False)
    page.get_by_role("link", name="What dog means").click()
    expect(page.get_by_text("A puppy counts.")).to_be_visible()
