"""Disagreements in a real browser: one key says yes, another no, and both can be taken back."""

import pytest
from playwright.sync_api import Page, expect

from annotations.models import Decision, Image
from annotations.services import preferences
from tests.browser.conftest import Scene
from tests.factories import review_by_two


@pytest.fixture
def disputed(scene: Scene) -> Scene:
    """Two disputed images: on dog and lake, and on tree."""
    first, second = scene.images[:2]
    review_by_two(scene.cast, first, ["dog"], ["lake"])
    review_by_two(scene.cast, second, ["tree"], [])
    return scene


def open_disagreements(sign_in, scene: Scene, **options: object) -> Page:
    page = sign_in(scene.cast.reviewer, f"/projects/{scene.project.pk}/quality/disagreements/", **options)
    expect(page.locator(".dispute-tag")).to_have_count(3)
    page.wait_for_function("customElements.get('answer-wall') !== undefined")
    return page


def last_words() -> list[tuple[str, str, bool]]:
    """Tag, value and whether it was taken back, in the order of storing."""
    rows = Decision.objects.filter(scope="adjudicate").select_related("tag").order_by("pk")
    return [(row.tag.name, row.value, row.undone_at is not None) for row in rows]


def test_one_key_says_yes_another_no_and_a_third_takes_back(sign_in, disputed):
    page = open_disagreements(sign_in, disputed)
    tags, left = page.locator(".dispute-tag"), page.locator("#disputes-left")
    expect(left).to_have_text("2 images to settle")

    page.keyboard.press("a")
    expect(tags.nth(0)).to_contain_text("dog is there")
    expect(tags.nth(1)).to_be_focused()
    expect(left).to_have_text("2 images to settle")
    page.keyboard.press("x")
    expect(tags.nth(1)).to_contain_text("lake is not there")
    expect(left).to_have_text("1 image to settle")
    expect(tags.nth(2)).to_be_focused()
    page.keyboard.press("z")
    expect(tags.nth(1)).to_be_focused()
    expect(tags.nth(1).locator("[data-act=no]")).to_be_visible()
    expect(left).to_have_text("2 images to settle")
    page.keyboard.press("ArrowDown")
    expect(tags.nth(2)).to_be_focused()
    page.keyboard.press("A")
    expect(tags.nth(2)).to_contain_text("tree is there")

    assert last_words() == [("dog", "yes", False), ("lake", "no", True), ("tree", "yes", False)]
    page.reload()
    expect(tags).to_have_count(1)
    assert set(Image.objects.exclude(state="pending").values_list("state", flat=True)) == {
        "reviewed",
        "disputed",
    }


def test_where_single_keys_are_off_letters_do_nothing_and_buttons_everything(sign_in, disputed):
    preferences.set_single_keys(actor=disputed.cast.reviewer, are_on=False)
    page = open_disagreements(sign_in, disputed)

    page.keyboard.press("a")
    page.locator(".dispute-tag").nth(1).locator("[data-act=yes]").press("Enter")

    expect(page.locator(".dispute-tag").nth(1)).to_contain_text("lake is there")
    assert last_words() == [("lake", "yes", False)]


def test_fingers_answer_by_buttons_on_a_phone(sign_in, disputed):
    page = open_disagreements(
        sign_in, disputed, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
    )
    first = page.locator(".dispute-tag").first

    first.locator("[data-act=no]").tap()
    expect(first).to_contain_text("dog is not there")
    first.locator("[data-act=undo]").tap()
    expect(first.locator("[data-act=yes]")).to_be_visible()

    assert last_words() == [("dog", "no", True)]


def test_a_dead_network_is_told_and_the_answer_can_be_given_again(sign_in, disputed):
    page = open_disagreements(sign_in, disputed)

    page.context.set_offline(True)
    page.keyboard.press("a")
    expect(page.locator("[data-said]")).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    page.keyboard.press("a")

    expect(page.locator(".dispute-tag").first).to_contain_text("dog is there")
    assert last_words() == [("dog", "yes", False)]
