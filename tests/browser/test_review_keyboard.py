"""Reviewing by keyboard in a real browser: what is shown, what the keys do, and what the server ends up with."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from annotations import draw_shares
from annotations.models import Decision, Flag, Review, Tag
from annotations.selectors import stats
from annotations.services import tags
from tagger import health
from tests.browser.conftest import CAPTION, Scene, go_live, reach_by_plain_http
from tests.factories import make_tags

SignIn = Callable[..., Page]


def open_review(scene: Scene, sign_in: SignIn, **options: object) -> Page:
    page = sign_in(scene.cast.annotator, f"/projects/{scene.project.pk}/review/", **options)
    expect(page.locator("[data-review]")).to_have_attribute("data-state", "item")
    expect(page.locator("[data-picture] img")).to_be_visible()
    return page


def chip(page: Page, name: str):
    return page.locator(".chip").filter(has=page.locator(".name", has_text=re.compile(f"^{name}$")))


def expect_saved(page: Page) -> None:
    expect(page.locator("[data-saved-text]")).to_have_text("Saved")


def shown_image(page: Page) -> int:
    address = page.locator("[data-picture] img").get_attribute("src") or ""
    return int(re.search(r"/images/(\d+)/", address).group(1))


def accept(page: Page) -> int:
    """Press Enter and wait for the next picture. Answers the image that was accepted."""
    return press_to_another(page, "Enter")


def press_to_another(page: Page, key: str) -> int:
    """Press a key that brings up another picture, and wait for it. Answers the image before."""
    before = shown_image(page)
    page.keyboard.press(key)
    expect(page.locator("[data-picture] img")).not_to_have_attribute("src", re.compile(f"/images/{before}/"))
    return before


def yes_names(review: Review) -> set[str]:
    said = review.decisions.filter(value=Decision.Value.YES)
    return set(said.values_list("tag__name", flat=True))


def test_offered_tags_are_on_and_their_words_are_marked_in_the_caption(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    expect(chip(page, "lake")).to_have_attribute("aria-pressed", "true")
    expect(chip(page, "tree")).to_have_attribute("aria-pressed", "false")
    caption = page.locator("[data-caption]")
    expect(caption.locator("mark:not([data-weak])")).to_have_text([re.compile("^dog"), re.compile("^lake")])
    expect(caption.locator("mark[data-weak]")).to_have_text([re.compile("^tree")])
    expect(caption.locator("del")).to_have_text([re.compile("^boat")])
    expect(caption.locator(".cue")).to_have_text("with no")


@pytest.mark.parametrize("scene", [f"🐕‍🦺🌳 {CAPTION}"], indirect=True)
def test_evidence_counts_characters_beyond_the_basic_plane_as_one(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    expect(page.locator("[data-caption] mark")).to_have_text(
        [re.compile("^dog"), re.compile("^tree"), re.compile("^lake")]
    )


def test_a_blind_item_looks_the_same_without_suggestions(
    scene: Scene, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw_shares, "RANDOM_SHARE", 0.0)
    monkeypatch.setattr(draw_shares, "BLIND_SHARE", 1.0)
    page = open_review(scene, sign_in)
    expect(page.get_by_text("Tag this one without suggestions.").first).to_be_visible()
    expect(page.locator(".chip")).to_have_count(0)
    expect(page.locator("[data-caption]")).to_have_text(CAPTION)
    expect(page.locator("[data-caption] mark")).to_have_count(0)


def test_the_strip_says_that_no_worker_is_running(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    strip = page.locator("[data-model]")
    expect(strip).to_have_text("Model v1. No worker is running: suggestions wait")
    health.beat("ml")
    expect(strip).to_have_text("Model v1")


def test_a_held_key_acts_once(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    page.keyboard.down("1")
    page.keyboard.down("1")
    page.keyboard.down("1")
    page.keyboard.up("1")
    expect(chip(page, "lake")).to_have_attribute("aria-pressed", "false")


def test_ten_pictures_by_keyboard_store_what_was_chosen(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    page.keyboard.press("1")  # lake, the first offered tag, off
    page.keyboard.press("3")  # boat, the first weak one, on
    changed = accept(page)
    for _ in range(9):
        accept(page)
    expect_saved(page)
    reviews = {review.image_id: review for review in Review.objects.all()}
    assert len(reviews) == 10
    assert yes_names(reviews.pop(changed)) == {"dog", "boat"}
    assert all(yes_names(review) == {"lake", "dog"} for review in reviews.values())


def test_every_key_to_picture_is_measured(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    for _ in range(3):
        accept(page)
    page.wait_for_function("performance.getEntriesByName('tagger:key-to-picture').length === 3")
    accept(page)
    expect_saved(page)
    first, *_, last = Review.objects.order_by("id").values_list("picture_ms", flat=True)
    assert first is None  # it came without a key
    assert last is not None


def test_an_image_that_is_handed_out_while_its_answer_is_taken_back_comes_once(
    scene: Scene, sign_in: SignIn
) -> None:
    page = open_review(scene, sign_in)
    page.wait_for_load_state("networkidle")
    asking: list[Route] = []
    page.route("**/queue/next/", lambda route: asking.append(route))  # a method of list will not do
    first = accept(page)
    expect_saved(page)
    undoing: list[tuple[Route, APIResponse]] = []
    page.route("**/undo/", lambda route: undoing.append((route, route.fetch())))
    page.keyboard.press("z")
    while not (asking and undoing):
        page.wait_for_timeout(50)
    with page.expect_response("**/queue/next/"):
        asking[0].continue_()
    page.unroute("**/queue/next/")
    undone, answer = undoing[0]
    undone.fulfill(response=answer)
    expect(page.locator("[data-picture] img")).to_have_attribute("src", re.compile(f"/images/{first}/"))

    assert [accept(page) for _ in range(8)].count(first) == 1
    expect_saved(page)
    assert page.locator("[data-notice]").inner_text() == ""


def test_undo_takes_back_a_stored_answer_and_shows_it_as_it_was(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    page.keyboard.press("2")  # dog off
    first = accept(page)
    expect_saved(page)
    page.keyboard.press("z")
    expect(page.locator("[data-picture] img")).to_have_attribute("src", re.compile(f"/images/{first}/"))
    expect(chip(page, "dog")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("2")
    accept(page)
    expect_saved(page)
    kept = Review.objects.get(image_id=first, undone_at=None)
    assert yes_names(kept) == {"lake", "dog"}
    assert Review.objects.filter(image_id=first).exclude(undone_at=None).count() == 1


def test_skip_unsure_and_broken_answer_nothing(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    for key in "sub":
        press_to_another(page, key)
    expect_saved(page)
    assert set(Review.objects.values_list("outcome", flat=True)) == {"skipped", "unsure", "broken"}
    assert not Decision.objects.exists()


def test_the_strip_counts_finished_reviews_alone_as_the_server_does(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    today, streak = page.locator("[data-strip=today]"), page.locator("[data-strip=streak]")
    accept(page)
    for key in "sub":
        press_to_another(page, key)
    expect_saved(page)
    expect(today).to_have_text("1")
    expect(streak).to_have_text("1")
    press_to_another(page, "z")  # takes back what was broken, which never counted
    expect(today).to_have_text("1")
    assert (
        stats.person_today(scene.project, scene.cast.annotator, since=scene.project.created_at)["today"] == 1
    )


def test_type_ahead_adds_a_tag_while_digits_are_only_text(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    page.keyboard.press("t")
    page.keyboard.type("hil1")
    expect(chip(page, "lake")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Backspace")
    expect(page.locator("[role=option][aria-selected=true]")).to_contain_text("hill")
    page.keyboard.press("Enter")
    expect(chip(page, "hill")).to_have_attribute("aria-pressed", "true")
    image = accept(page)
    expect_saved(page)
    assert "hill" in yes_names(Review.objects.get(image_id=image))


def give_hotkeys(scene: Scene, **keys: str) -> None:
    for name, key in keys.items():
        tag = Tag.objects.select_related("project").get(pk=scene.tags[name])
        tags.update(tag, {"hotkey": key}, actor=scene.cast.manager)


def test_a_tags_own_key_toggles_it_and_stands_on_its_chip(scene: Scene, sign_in: SignIn) -> None:
    give_hotkeys(scene, dog="d", tree="e")
    page = open_review(scene, sign_in)
    expect(chip(page, "dog").locator(".hotkey")).to_have_text("D")
    expect(chip(page, "dog")).to_have_attribute("aria-keyshortcuts", "2 d")
    page.keyboard.press("d")
    page.keyboard.press("Shift+E")
    expect(chip(page, "dog")).to_have_attribute("aria-pressed", "false")
    expect(chip(page, "tree")).to_have_attribute("aria-pressed", "true")
    image = accept(page)
    expect_saved(page)
    assert yes_names(Review.objects.get(image_id=image)) == {"lake", "tree"}


def test_the_key_of_a_tag_that_was_not_suggested_adds_it(scene: Scene, sign_in: SignIn) -> None:
    make_tags(scene.project, "moon")
    scene.tags["moon"] = Tag.objects.get(name="moon").pk
    give_hotkeys(scene, moon="m")
    page = open_review(scene, sign_in)
    expect(chip(page, "moon")).to_have_count(0)
    page.keyboard.press("m")
    expect(chip(page, "moon")).to_have_attribute("data-by", "added")
    page.keyboard.press("m")
    expect(chip(page, "moon")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("m")
    image = accept(page)
    expect_saved(page)
    assert "moon" in yes_names(Review.objects.get(image_id=image))


def test_a_new_model_version_reaches_waiting_items_without_a_reload(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    expect(page.locator("[data-model]")).to_contain_text("Model v1")
    go_live(scene, number=2, offered=("tree",))
    expect(page.locator("[data-model]")).to_contain_text("Model v2")
    # The item on screen keeps its chips; the next one has those of the new version.
    expect(chip(page, "tree")).to_have_attribute("aria-pressed", "false")
    accept(page)
    expect(chip(page, "tree")).to_have_attribute("aria-pressed", "true")
    expect(chip(page, "lake")).to_have_attribute("aria-pressed", "false")
    expect_saved(page)


def test_answers_given_without_a_network_survive_a_reload_and_are_stored_once(
    scene: Scene, sign_in: SignIn
) -> None:
    page = open_review(scene, sign_in)
    reviews = re.compile(r"/reviews/$")
    page.route(reviews, lambda route: route.abort())
    answered = {accept(page) for _ in range(3)}
    expect(page.locator("[data-saved-text]")).to_have_text("Offline, 3 kept here")
    page.unroute(reviews)
    page.reload()
    expect_saved(page)
    expect(page.locator("[data-review]")).to_have_attribute("data-state", "item")
    assert sorted(Review.objects.values_list("image_id", flat=True)) == sorted(answered)


def test_an_expired_session_keeps_answers_and_says_where_to_sign_in(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    cookies = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    image = accept(page)
    expect(page.locator("[data-saved-text]")).to_have_text("Signed out, 1 kept here.")
    expect(page.locator("[data-sign-in]")).to_be_visible()
    page.context.add_cookies(cookies)
    expect_saved(page)
    assert Review.objects.get().image_id == image


def test_the_end_of_the_queue_says_so(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    for _ in range(len(scene.images) - 1):
        accept(page)
    page.keyboard.press("Enter")
    expect(page.locator("[data-review]")).to_have_attribute("data-state", "done")
    expect(page.get_by_role("heading", name="Nothing left to review")).to_be_visible()
    expect_saved(page)
    assert Review.objects.count() == len(scene.images)


def test_single_keys_are_silenced_for_the_person_not_for_the_browser(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    page.keyboard.press("?")
    with page.expect_response(re.compile("/me/keys/$")):
        page.get_by_role("switch", name="Single-key shortcuts").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("1")
    expect(chip(page, "lake")).to_have_attribute("aria-pressed", "true")
    chip(page, "lake").click()
    expect(chip(page, "lake")).to_have_attribute("aria-pressed", "false")
    elsewhere = open_review(scene, sign_in)
    elsewhere.keyboard.press("1")
    expect(chip(elsewhere, "lake")).to_have_attribute("aria-pressed", "true")


def test_a_person_gives_a_command_another_key_by_pressing_it(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    page.keyboard.press("?")
    page.get_by_role("link", name="Change keys").click()
    expect(page.get_by_label("Skip: key")).to_have_attribute("readonly", "")  # the script has begun
    page.get_by_label("Skip: key").press("j")
    expect(page.get_by_label("Skip: key")).to_have_value("J")
    page.get_by_label("Undo: second key").press("u")
    undo = page.get_by_role("group", name="Undo", exact=True)
    expect(undo.locator(".said")).to_have_text("U also stands at “Unsure, ask a reviewer”.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nothing was saved.")).to_be_visible()
    page.get_by_label("Undo: second key").press("Escape")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("link", name="Back to Review").click()
    skip = page.locator("[data-command=skip]")
    expect(skip.locator(".key")).to_have_text("J")
    before = shown_image(page)
    page.keyboard.press("s")  # skips no longer
    page.keyboard.press("1")
    expect(chip(page, "lake")).to_have_attribute("aria-pressed", "false")
    assert shown_image(page) == before
    press_to_another(page, "j")
    expect_saved(page)
    assert Review.objects.get().outcome == "skipped"


def test_without_script_the_plain_form_stores_the_same_answer(scene: Scene, sign_in: SignIn) -> None:
    path = f"/projects/{scene.project.pk}/review/?plain=1"
    page = sign_in(scene.cast.annotator, path, java_script_enabled=False)
    page.get_by_label("dog").uncheck()
    page.get_by_label("Other tags").fill("hill")
    page.get_by_role("button", name="Accept and next").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert yes_names(Review.objects.get()) == {"lake", "hill"}


def test_answers_and_flags_are_stored_where_the_site_is_reached_by_plain_http(
    scene: Scene, sign_in: SignIn
) -> None:
    page = open_review(scene, sign_in)
    reach_by_plain_http(page)
    expect(page.locator("[data-picture] img")).to_be_visible()
    accept(page)
    page.keyboard.press("f")
    page.keyboard.type("Is this a lake?")
    page.keyboard.press("Enter")
    expect(page.locator("[data-notice]")).to_contain_text("Flagged.")
    expect_saved(page)
    assert (Review.objects.count(), Flag.objects.count()) == (1, 1)


def test_what_one_tab_has_answered_leaves_the_others(scene: Scene, sign_in: SignIn) -> None:
    page = open_review(scene, sign_in)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("[data-picture] img")).to_be_visible()
    assert shown_image(other) == shown_image(page)
    answered = accept(page)
    here = re.compile(f"/images/{answered}/")
    expect(other.locator("[data-picture] img")).not_to_have_attribute("src", here)
    expect(other.locator("[data-notice]")).to_have_text("You have just answered that image in another tab.")
    accept(other)
    expect_saved(page)
    expect_saved(other)
    assert list(Review.objects.values_list("counted", flat=True)) == [True, True]
