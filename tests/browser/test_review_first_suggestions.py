"""Reviewing while an image's first suggestions are on their way: no key is lost, none accepts what nobody saw."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from annotations.models import Review, SuggestionSet
from tests.browser.conftest import Scene, go_live
from tests.browser.test_review_keyboard import chip, expect_saved, shown_image, yes_names

RENEWAL = re.compile("/queue/renew/$")


@pytest.fixture
def asking(scene: Scene, sign_in: Callable[..., Page]) -> Iterator[tuple[Page, list[Route]]]:
    """Review with an image that nothing is suggested for, and its renewal, which the network holds up."""
    SuggestionSet.objects.all().delete()
    page = sign_in(scene.cast.annotator, "/")
    held: list[Route] = []
    page.route(RENEWAL, lambda route: held.append(route))  # a method of list will not do
    page.goto(f"/projects/{scene.project.pk}/review/")
    expect(page.locator("[data-picture] img")).to_be_visible()
    while not held:
        page.wait_for_timeout(50)
    yield page, held


def go_on(page: Page, held: list[Route]) -> None:
    for route in held:
        route.continue_()
    page.unroute(RENEWAL)


def test_a_key_pressed_meanwhile_counts_when_nothing_came(asking: tuple[Page, list[Route]]) -> None:
    page, held = asking
    image = shown_image(page)
    page.keyboard.press("Enter")
    go_on(page, held)
    expect(page.locator("[data-picture] img")).not_to_have_attribute("src", re.compile(f"/images/{image}/"))
    expect_saved(page)
    assert Review.objects.get().image_id == image


def test_what_came_meanwhile_is_looked_at_before_it_is_accepted(
    scene: Scene, asking: tuple[Page, list[Route]]
) -> None:
    page, held = asking
    image = shown_image(page)
    expect(page.get_by_text("Nothing is suggested for this image yet.")).to_be_visible()
    go_live(scene, number=2, offered=("lake", "dog"))
    page.keyboard.press("Enter")
    go_on(page, held)
    expect(page.get_by_text("Suggestions have just come")).to_be_visible()
    expect(chip(page, "lake")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Nothing is suggested")).to_be_hidden()
    assert shown_image(page) == image
    page.keyboard.press("Enter")
    expect_saved(page)
    expect(page.locator("[data-picture] img")).not_to_have_attribute("src", re.compile(f"/images/{image}/"))
    assert yes_names(Review.objects.get()) == {"lake", "dog"}
