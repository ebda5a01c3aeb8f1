"""One tag at a time in a real browser: yes, no and ignore, what they store, and what a dead network does to them."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from annotations.models import Decision, Flag, Lease, Review
from annotations.services import rankings, suggestions, verify
from annotations.types import SuggestionRow
from tests.browser.conftest import Scene

SignIn = Callable[..., Page]
FILES = "**/images/*/file/*"
NEXT = "**/queue/next/"
RELEASE = "**/queue/release/"


@pytest.fixture
def dogs(scene: Scene) -> Scene:
    """The later an image, the likelier it shows a dog; the first two say nothing of dogs."""
    suggestions.store(
        scene.project.pk,
        [
            SuggestionRow(
                image_id=image.pk,
                tag_ids=[scene.tags["dog" if place > 1 else "tree"]],
                scores=[round(0.05 + place * 0.06, 2)],
                offered_ids=[],
                sources=[[{"kind": "vision", "score": 0.5}]],
                calibrated=True,
                model_version_id=1,
                model_number=1,
                vocabulary_version=scene.project.vocabulary_version,
            )
            for place, image in enumerate(scene.images)
        ],
    )
    return scene


def open_question(scene: Scene, sign_in: SignIn, more: str = "", **options: object) -> Page:
    path = f"/projects/{scene.project.pk}/review/?tag={scene.tags['dog']}{more}"
    page = sign_in(scene.cast.reviewer, path, **options)
    expect(page.locator("[data-picture] img")).to_be_visible()
    return page


def shown_image(page: Page) -> int:
    address = page.locator("[data-picture] img").get_attribute("src") or ""
    return int(re.search(r"/images/(\d+)/", address).group(1))


def press(page: Page, key: str) -> int:
    """Press a key that brings up another picture, and wait for it. Answers the image before."""
    before = shown_image(page)
    page.keyboard.press(key)
    expect(page.locator("[data-picture] img")).not_to_have_attribute("src", re.compile(f"/images/{before}/"))
    return before


def expect_saved(page: Page) -> None:
    expect(page.locator("[data-saved-text]")).to_have_text("Saved")


def answers() -> dict[int, str]:
    """The answers that count, by image."""
    rows = Decision.objects.filter(scope="tag", verified_page__undone_at=None)
    return dict(rows.values_list("image_id", "value"))


def test_the_likeliest_come_first_and_answers_are_facts_about_the_tag_alone(
    dogs: Scene, sign_in: SignIn
) -> None:
    page = open_question(dogs, sign_in)
    expect(page.get_by_role("heading", name="Does this image show dog")).to_be_visible()
    expect(page.locator("[data-facts]")).to_contain_text("83 %")
    best = [image.pk for image in reversed(dogs.images)]
    assert [press(page, key) for key in "axa"] == best[:3]
    expect_saved(page)
    assert answers() == {best[0]: "yes", best[1]: "no", best[2]: "yes"}
    assert set(Decision.objects.values_list("tag__name", flat=True)) == {"dog"}
    assert not Review.objects.exists()
    expect(page.locator("[data-strip=today]")).to_have_text("3")


def test_what_was_answered_or_ignored_does_not_come_again(dogs: Scene, sign_in: SignIn) -> None:
    page = open_question(dogs, sign_in)
    first, second = press(page, "a"), press(page, "ArrowRight")
    expect_saved(page)
    page.reload()
    expect(page.locator("[data-picture] img")).to_be_visible()
    seen = {press(page, "x") for _ in range(5)}
    assert not {first, second} & seen
    expect_saved(page)
    assert second not in answers()


def test_the_line_of_progress_follows_each_answer_and_each_undo(dogs: Scene, sign_in: SignIn) -> None:
    assert rankings.refresh(dogs.project.pk)
    verify.answer_tag(dogs.project, dogs.cast.manager, word="dog", yes=[dogs.images[-1].pk], no=[])
    page = open_question(dogs, sign_in)
    line = page.locator("[data-progress]")
    expect(line).to_have_text("1 of 12 answered for this tag")
    press(page, "a")
    expect(line).to_have_text("2 of 12 answered for this tag")
    press(page, "ArrowRight")
    expect(line).to_have_text("2 of 12 answered for this tag")
    press(page, "x")
    expect(line).to_have_text("3 of 12 answered for this tag")
    press(page, "z")
    expect(line).to_have_text("2 of 12 answered for this tag")
    expect_saved(page)
    page.reload()
    expect(line).to_have_text("2 of 12 answered for this tag")
    expect(page.locator(".question-order")).to_contain_text("Most likely first, ranked now.")


def test_without_rankings_the_line_tells_what_was_answered(dogs: Scene, sign_in: SignIn) -> None:
    page = open_question(dogs, sign_in)
    line = page.locator("[data-progress]")
    expect(line).to_be_hidden()
    press(page, "a")
    expect(line).to_have_text("1 answered for this tag")


def test_an_image_ignored_while_more_are_asked_for_does_not_come_again(dogs: Scene, sign_in: SignIn) -> None:
    page = open_question(dogs, sign_in)
    page.wait_for_load_state("networkidle")
    held: list[Route] = []
    page.route(NEXT, lambda route: held.append(route))  # a method of list will not do
    with page.expect_response(RELEASE):
        first = press(page, "ArrowRight")
    while not held:
        page.wait_for_timeout(50)
    second = press(page, "ArrowRight")
    with page.expect_response(RELEASE):
        held[0].continue_()
    page.unroute(NEXT)
    later = [press(page, "x") for _ in range(5)]
    assert not {first, second} & {*later, shown_image(page)}
    expect_saved(page)
    assert not Lease.objects.filter(image__in=[first, second], is_open=True).exists()


def test_an_ignored_image_is_free_for_others(dogs: Scene, sign_in: SignIn) -> None:
    page = open_question(dogs, sign_in)
    with page.expect_response(RELEASE):
        ignored = press(page, "ArrowRight")
    assert not Lease.objects.filter(image=ignored, is_open=True).exists()


def test_a_stored_answer_frees_its_image_for_review(dogs: Scene, sign_in: SignIn) -> None:
    page = open_question(dogs, sign_in)
    with page.expect_response(RELEASE):
        answered = press(page, "a")
    assert not Lease.objects.filter(image=answered, is_open=True).exists()


def test_the_least_certain_come_first_where_asked(dogs: Scene, sign_in: SignIn) -> None:
    page = open_question(dogs, sign_in, "&order=uncertain")
    near = sorted(dogs.images[2:], key=lambda image: abs(0.05 + dogs.images.index(image) * 0.06 - 0.5))
    assert press(page, "a") == near[0].pk
    expect(page.locator("[data-why-text]")).to_contain_text("The model is unsure about dog")


def test_undo_goes_back_through_ignored_and_answered_images(dogs: Scene, sign_in: SignIn) -> None:
    page = open_question(dogs, sign_in)
    first = press(page, "a")
    expect_saved(page)
    second = press(page, "ArrowRight")
    press(page, "z")
    assert shown_image(page) == second
    press(page, "z")
    assert shown_image(page) == first
    assert answers() == {}
    press(page, "x")
    expect_saved(page)
    assert answers() == {first: "no"}


def test_answers_given_without_a_network_survive_and_leave_from_either_page(
    dogs: Scene, sign_in: SignIn
) -> None:
    page = open_question(dogs, sign_in)
    verify = re.compile(r"/verify/$")
    page.route(verify, lambda route: route.abort())
    answered = [press(page, key) for key in "axa"]
    expect(page.locator("[data-saved-text]")).to_have_text("Offline, 3 kept here")
    page.unroute(verify)
    page.goto(f"/projects/{dogs.project.pk}/review/")
    expect_saved(page)
    assert answers() == dict(zip(answered, ("yes", "no", "yes"), strict=True))


def test_an_answer_that_is_taken_back_before_it_left_is_never_stored(dogs: Scene, sign_in: SignIn) -> None:
    page = open_question(dogs, sign_in)
    verify = re.compile(r"/verify/$")
    page.route(verify, lambda route: route.abort())
    first = press(page, "a")
    expect(page.locator("[data-saved-text]")).to_have_text("Offline, 1 kept here")
    press(page, "z")
    assert shown_image(page) == first
    page.unroute(verify)
    expect_saved(page)
    assert not Decision.objects.exists()


def test_digits_and_commands_of_the_other_mode_sleep(dogs: Scene, sign_in: SignIn) -> None:
    page = open_question(dogs, sign_in)
    before = shown_image(page)
    for key in ("Enter", "s", "1", "t", "u"):
        page.keyboard.press(key)
    page.keyboard.press("?")
    expect(page.locator("[data-key-list]")).to_contain_text("Yes, it shows the tag")
    expect(page.locator("[data-key-list]")).not_to_contain_text("Accept and go on")
    page.keyboard.press("Escape")
    assert shown_image(page) == before
    assert not Review.objects.exists()


def test_yes_and_no_weigh_the_same(dogs: Scene, sign_in: SignIn) -> None:
    page = open_question(dogs, sign_in)
    looks = page.locator("[data-answer]").evaluate_all(
        """buttons => buttons.map(button => {
            const {backgroundColor, borderColor, color, fontWeight, width, height} = getComputedStyle(button);
            return {backgroundColor, borderColor, color, fontWeight, width, height};
        })"""
    )
    assert looks[0] == looks[1]


def test_a_tag_is_chosen_and_the_switch_leads_back(dogs: Scene, sign_in: SignIn) -> None:
    page = sign_in(dogs.cast.reviewer, f"/projects/{dogs.project.pk}/review/")
    page.get_by_role("button", name="One tag").click()
    page.get_by_role("searchbox", name="Find a tag").fill("do")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="dog").click()
    expect(page.get_by_role("button", name="Yes")).to_be_visible()
    page.get_by_role("button", name="All tags").click()
    expect(page.get_by_role("button", name="Accept and next")).to_be_visible()


def test_the_end_says_that_every_image_has_an_answer(dogs: Scene, sign_in: SignIn) -> None:
    page = open_question(dogs, sign_in)
    for _ in range(len(dogs.images) - 1):
        press(page, "x")
    page.keyboard.press("x")
    expect(page.get_by_role("heading", name="Nothing left to ask about dog")).to_be_visible()
    expect_saved(page)
    assert len(answers()) == len(dogs.images)


@pytest.mark.parametrize(
    ("query", "remedy"), [("", "answer Broken"), ("?tag=dog", "flag it and press Ignore")]
)
def test_a_picture_that_cannot_be_shown_says_what_its_way_of_asking_has_for_it(
    dogs: Scene, sign_in: SignIn, query: str, remedy: str
) -> None:
    page = sign_in(dogs.cast.reviewer, "/projects/")
    page.route(FILES, lambda route: route.abort())
    page.goto(f"/projects/{dogs.project.pk}/review/{query}")
    expect(page.locator(".unshown p")).to_have_text(
        f"This picture cannot be shown. If it stays so, {remedy}."
    )


@pytest.mark.parametrize(("query", "key"), [("", "Enter"), ("?tag=dog", "a")])
def test_a_picture_that_nobody_saw_is_not_answered_and_can_be_loaded_again(
    dogs: Scene, sign_in: SignIn, query: str, key: str
) -> None:
    page = sign_in(dogs.cast.reviewer, "/projects/")
    held: list[Route] = []
    page.route(FILES, lambda route: held.append(route))  # a method of list will not do
    page.goto(f"/projects/{dogs.project.pk}/review/{query}")
    expect(page.locator("[data-review]")).to_have_attribute("data-state", "item")
    page.keyboard.press(key)
    expect(page.locator("[data-notice]")).to_have_text("Not answered: the picture is still on its way.")

    for route in held:
        route.abort()
    expect(page.locator(".unshown")).to_be_visible()
    page.keyboard.press(key)
    expect(page.locator("[data-notice]")).to_have_text("Not answered: the picture cannot be shown.")

    page.unroute(FILES)
    page.get_by_role("button", name="Load it again").click()
    expect(page.locator("[data-picture] img")).to_be_visible()
    assert not Review.objects.exists() and answers() == {}
    press(page, key)
    expect_saved(page)


def test_an_annotator_has_no_switch(dogs: Scene, sign_in: SignIn) -> None:
    page = sign_in(dogs.cast.annotator, f"/projects/{dogs.project.pk}/review/")
    expect(page.get_by_role("button", name="Accept and next")).to_be_visible()
    expect(page.get_by_role("button", name="One tag")).to_have_count(0)


def test_an_image_is_flagged_and_the_tag_looked_up_while_it_is_asked_about(
    dogs: Scene, sign_in: SignIn
) -> None:
    page = open_question(dogs, sign_in)
    image = shown_image(page)
    page.keyboard.press("f")
    page.keyboard.type("Dog or wolf?")
    page.keyboard.press("Enter")
    expect(page.locator("[data-flagged]")).to_be_visible()
    page.keyboard.press("g")
    asked = page.get_by_role("region", name="On this image").locator("h3")
    expect(asked).to_have_text(["dog"])
    page.keyboard.press("Escape")
    expect_saved(page)
    assert Flag.objects.get().image_id == image
    assert not Decision.objects.exists()
