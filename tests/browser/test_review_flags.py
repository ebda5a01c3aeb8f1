"""Flagging while reviewing, in a real browser: the item stays, and what was written reaches the server."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from annotations.models import Flag, Review
from annotations.services import flags
from tests.browser.conftest import Scene
from tests.browser.test_review_keyboard import accept, expect_saved, open_review, shown_image

SignIn = Callable[..., Page]
FLAGS = re.compile(r"/flags/$")


def flag_it(page: Page, comment: str) -> None:
    page.keyboard.press("f")
    page.keyboard.type(comment)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()


def mark(page: Page):
    return page.locator("[data-flagged]")


def test_f_flags_with_a_comment_and_the_item_stays(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    image = shown_image(page)
    expect(mark(page)).to_be_hidden()
    flag_it(page, "Is a puppy a dog? 123")
    expect(mark(page)).to_be_visible()
    expect(page.locator("[data-notice]")).to_contain_text("Flagged.")
    assert shown_image(page) == image
    expect_saved(page)
    flag = Flag.objects.get()
    assert (flag.image_id, flag.author, flag.comment) == (
        image,
        scene.cast.annotator,
        "Is a puppy a dog? 123",
    )
    accept(page)
    expect(mark(page)).to_be_hidden()
    expect_saved(page)
    review = Review.objects.get(image_id=image)
    assert review.keystrokes == 2  # F and Enter: what was typed into the comment is no work on tags


def test_a_flag_raised_without_a_network_survives_a_reload_and_is_stored_once(
    scene: Scene, sign_in: SignIn
) -> None:
    page = open_review(scene, sign_in)
    page.route(FLAGS, lambda route: route.abort())
    image = shown_image(page)
    flag_it(page, "Too dark.")
    expect(page.locator("[data-saved-text]")).to_have_text("Offline, 1 kept here")
    expect(mark(page)).to_be_visible()
    page.unroute(FLAGS)
    page.reload()
    expect_saved(page)
    expect(mark(page)).to_be_visible()
    assert Flag.objects.get().image_id == image


def test_escape_raises_nothing_and_the_keys_work_again(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    page.keyboard.press("f")
    page.keyboard.type("never mind")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    accept(page)
    expect_saved(page)
    assert not Flag.objects.exists()


# One task closes the dialog and the next presses a key, with no frame between them: a fast hand on a busy machine.
CLOSE_AND_PRESS = """async (key) => {
  document.querySelector("[data-flag-dialog]").close();
  const task = new MessageChannel();
  await new Promise((done) => { task.port1.onmessage = done; task.port2.postMessage(null); });
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}"""


def test_a_key_right_after_closing_belongs_to_the_review_not_to_the_field(
    scene: Scene, sign_in: SignIn
) -> None:
    page = open_review(scene, sign_in)
    for _ in range(5):
        page.keyboard.press("f")
        page.keyboard.type("never mind")
        before = shown_image(page)
        page.evaluate(CLOSE_AND_PRESS, "Enter")
        expect(page.locator("[data-picture] img")).not_to_have_attribute(
            "src", re.compile(f"/images/{before}/")
        )
    expect_saved(page)
    assert not Flag.objects.exists()
    assert Review.objects.count() == 5


def test_a_reviewer_sees_the_mark_and_what_was_said(scene: Scene, sign_in: SignIn) -> None:
    for image in scene.images:
        flags.raise_flag(scene.project, image.pk, comment="Which lake?", actor=scene.cast.annotator)
    page = sign_in(scene.cast.reviewer, f"/projects/{scene.project.pk}/review/")
    mark(page).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("annotator Which lake?")
    expect(dialog.get_by_label("Why should somebody look at it?")).to_be_focused()


def test_the_list_resolves_and_takes_back_without_a_reload(scene: Scene, sign_in: SignIn) -> None:
    flags.raise_flag(scene.project, scene.images[0].pk, comment="Which lake?", actor=scene.cast.annotator)
    page = sign_in(scene.cast.reviewer, f"/projects/{scene.project.pk}/flags/")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("No open flags")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Which lake?")).to_be_visible()
    assert Flag.objects.get().resolved_at is None
