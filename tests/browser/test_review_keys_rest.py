"""The rest of the keys: tags 11 to 20, several steps back, typing and composing, looking, and what is spoken."""

import re

import pytest
from playwright.sync_api import Page, expect

from annotations.models import Review, Tag
from annotations.services import suggestions
from annotations.types import SuggestionRow
from tests.browser.conftest import CAPTION, Scene
from tests.browser.test_review_keyboard import (
    SignIn,
    accept,
    chip,
    expect_saved,
    open_review,
    press_to_another,
    shown_image,
    yes_names,
)
from tests.factories import make_tags


def offer(scene: Scene, count: int) -> list[str]:
    """Suggest so many new tags on every image, all offered; answers their names in order."""
    names = [f"thing {number:02}" for number in range(1, count + 1)]
    made = make_tags(scene.project, *names)
    rows = [
        SuggestionRow(
            image_id=image.pk,
            tag_ids=[made[name] for name in names],
            scores=[round(0.95 - 0.02 * place, 2) for place in range(count)],
            offered_ids=list(made.values()),
            sources=[[{"kind": "vision", "score": 0.9}] for _ in names],
            calibrated=True,
            model_version_id=1,
            model_number=1,
            vocabulary_version=scene.project.vocabulary_version,
        )
        for image in scene.images
    ]
    suggestions.store(scene.project.pk, rows)
    return names


def options(page: Page):
    return page.locator("#tag-options [role=option] .name")


def test_shift_and_a_digit_reach_the_eleventh_to_the_twentieth_tag(scene: Scene, sign_in: SignIn) -> None:
    names = offer(scene, 20)
    page = open_review(scene, sign_in)
    expect(chip(page, names[10]).locator(".key")).to_have_text("⇧1")
    for key in ("Shift+Digit1", "Shift+Digit0", "Digit0"):
        page.keyboard.press(key)
    for off in (10, 19, 9):
        expect(chip(page, names[off])).to_have_attribute("aria-pressed", "false")
    expect(chip(page, names[0])).to_have_attribute("aria-pressed", "true")
    image = accept(page)
    expect_saved(page)
    assert yes_names(Review.objects.get(image_id=image)) == set(names) - {names[9], names[10], names[19]}


def test_backspace_goes_back_several_answers_one_at_a_time(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    answered = [accept(page), press_to_another(page, "s"), accept(page)]
    expect_saved(page)
    for image in reversed(answered):
        press_to_another(page, "Backspace")
        assert shown_image(page) == image
    assert not Review.objects.filter(undone_at=None).exists()
    page.keyboard.press("Backspace")
    expect(page.get_by_text("There is nothing to undo yet.")).to_be_visible()
    assert [accept(page) for _ in answered] == answered


def test_slash_opens_the_field_and_escape_leaves_it(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Add a tag")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    page.keyboard.press("Escape")
    expect(field).not_to_be_focused()
    page.keyboard.press("1")
    expect(chip(page, "lake")).to_have_attribute("aria-pressed", "false")


def test_tags_used_lately_come_first(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    for name in ("tree", "hill"):
        page.keyboard.press("t")
        page.keyboard.type(name)
        expect(options(page).first).to_have_text(name)
        page.keyboard.press("Enter")
        expect(chip(page, name)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("t")
    expect(options(page)).to_have_text(["hill", "tree", "boat", "dog", "lake"])
    expect(page.locator("#tag-options [role=option] .facts").first).to_have_text("recent")


def test_a_manager_creates_a_tag_while_reviewing(scene: Scene, sign_in: SignIn) -> None:
    page = sign_in(scene.cast.manager, f"/projects/{scene.project.pk}/review/")
    expect(page.locator("[data-picture] img")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.type("moonrise")
    expect(page.locator("#tag-options [role=option]").last).to_contain_text("Create “moonrise”")
    page.keyboard.press("Enter")
    expect(chip(page, "moonrise")).to_have_attribute("data-by", "added")
    image = accept(page)
    expect_saved(page)
    assert "moonrise" in yes_names(Review.objects.get(image_id=image))
    assert Tag.objects.filter(name="moonrise").count() == 1


@pytest.mark.parametrize(
    ("name", "width", "tallest"), [("golden retriever", 1280, 44), ("golden retriever on a leash", 390, 90)]
)
def test_a_name_of_several_words_is_read_whole(
    scene: Scene, sign_in: SignIn, name: str, width: int, tallest: int
) -> None:
    offer(scene, 12)  # two columns
    viewport = {"width": width, "height": 844}
    page = sign_in(scene.cast.manager, f"/projects/{scene.project.pk}/review/", viewport=viewport)
    expect(page.locator("[data-picture] img")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    added = chip(page, name)
    expect(added).to_have_attribute("data-by", "added")
    clipped = "name => name.scrollHeight > name.clientHeight || name.scrollWidth > name.clientWidth"
    assert not added.locator(".name").evaluate(clipped)
    box = added.bounding_box()
    assert box and box["height"] <= tallest


def test_an_annotator_is_not_offered_to_create_one(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    page.keyboard.press("t")
    page.keyboard.type("moonrise")
    expect(page.get_by_text("No tag has this name.")).to_be_visible()
    page.keyboard.press("Enter")
    expect(chip(page, "moonrise")).to_have_count(0)


def test_a_key_that_composes_a_letter_does_nothing(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    before = shown_image(page)
    page.evaluate(
        """() => {
            for (const key of ["s", "1", "Enter"]) {
                const code = key === "1" ? "Digit1" : "";
                const options = { key, code, isComposing: true, bubbles: true, cancelable: true };
                document.body.dispatchEvent(new KeyboardEvent("keydown", options));
            }
        }"""
    )
    expect(chip(page, "lake")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("2")
    expect(chip(page, "dog")).to_have_attribute("aria-pressed", "false")
    assert shown_image(page) == before


def test_letters_act_by_their_place_on_a_layout_of_another_script(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    before = shown_image(page)
    another = re.compile(f"/images/{before}/")
    press = """([key, code]) => document.body.dispatchEvent(
        new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true }))"""
    page.evaluate(press, ["ы", "KeyS"])  # Cyrillic: where a Latin layout has S
    expect(page.locator("[data-picture] img")).not_to_have_attribute("src", another)
    page.evaluate(press, ["Я", "KeyZ"])
    expect(page.locator("[data-picture] img")).to_have_attribute("src", another)
    page.evaluate(press, ["q", "KeyA"])  # a letter of our own script acts by itself, wherever it lies
    page.evaluate(press, ["é", "KeyS"])
    expect(page.locator("[data-picture] img")).to_have_attribute("src", another)


def test_a_key_with_control_or_alt_belongs_to_the_browser(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    before = shown_image(page)
    for key in ("Control+Digit1", "Alt+Digit1", "Control+b"):
        page.keyboard.press(key)
    expect(chip(page, "lake")).to_have_attribute("aria-pressed", "true")
    assert shown_image(page) == before


def test_space_shows_the_image_alone_while_it_is_held(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    stage = page.locator(".stage")
    page.keyboard.down("Space")
    expect(stage).to_have_attribute("data-alone", "")
    expect(page.locator("[data-command=alone]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-caption]")).to_be_hidden()
    page.keyboard.up("Space")
    expect(stage).not_to_have_attribute("data-alone", "")
    expect(page.locator("[data-caption]")).to_be_visible()


def test_r_turns_and_plus_and_minus_zoom_until_the_next_image(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    picture = page.locator("[data-picture] img")
    page.keyboard.press("r")
    expect(picture).to_have_attribute("style", re.compile(r"rotate\(90deg\)"))
    for _ in range(3):
        page.keyboard.press("r")
    expect(picture).to_have_attribute("style", re.compile(r"transform: ;|^$"))
    page.keyboard.press("+")
    expect(picture).to_have_attribute("style", re.compile(r"scale\(1\.5\)"))
    page.keyboard.press("=")  # the same key on layouts where plus needs Shift
    expect(picture).to_have_attribute("style", re.compile(r"scale\(2\.25\)"))
    page.keyboard.press("-")
    expect(picture).to_have_attribute("style", re.compile(r"scale\(1\.5\)"))
    accept(page)
    expect(page.locator("[data-picture]")).not_to_have_attribute("data-zoomed", "")


def test_the_live_region_speaks_the_item_each_change_and_the_result(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    live = page.locator("[data-live]")
    expect(live).to_have_text(f"Image. {CAPTION} On: lake, dog.")
    page.keyboard.press("1")
    expect(live).to_have_text("lake off")
    page.keyboard.press("5")
    expect(live).to_have_text("tree on")
    accept(page)
    expect(live).to_have_text(f"Accepted. Image. {CAPTION} On: lake, dog.")
    press_to_another(page, "u")
    expect(live).to_have_text(f"Marked unsure. Image. {CAPTION} On: lake, dog.")
    expect_saved(page)
    press_to_another(page, "z")
    expect(live).to_have_text(re.compile("^Taken back. Image. "))
