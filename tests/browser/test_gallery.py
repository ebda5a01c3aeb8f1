"""Picking many images by mouse and keys, the question before anything is done, and single tags on an image's page."""

import pytest
from playwright.sync_api import expect

from annotations import tasks
from annotations.models import BulkJob, Decision


@pytest.fixture
def wall(scene, sign_in):
    """The gallery as a manager sees it."""
    page = sign_in(scene.cast.manager, f"/projects/{scene.project.pk}/gallery/")
    page.locator("image-wall:defined").wait_for(state="attached")
    return page


def picked(page):
    return [int(box.get_attribute("value")) for box in page.locator("[name=picked]:checked").all()]


def run_next():
    tasks.run_bulk(BulkJob.objects.latest("pk").pk)


def test_a_range_is_picked_tagged_and_taken_back(scene, wall):
    dock = wall.locator("[data-dock]")
    expect(dock).to_be_hidden()
    boxes = wall.locator(".pick")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    assert picked(wall) == [image.pk for image in scene.images[1:5]]
    expect(dock).to_contain_text("4 picked")
    wall.keyboard.press("t")
    wall.keyboard.type("boat")
    dock.get_by_role("button", name="Add").click()
    question = wall.locator("dialog[open]")
    expect(question).to_contain_text("Add “boat” to 4 images?")
    assert not BulkJob.objects.exists()
    question.get_by_role("button", name="Add").click()
    expect(wall.locator("[data-bulk-live]")).to_contain_text("Adding “boat”")
    expect(dock).to_be_hidden()
    run_next()
    live = wall.locator("[data-bulk-live]")
    expect(live).to_contain_text("Added “boat”: 4 images")
    assert Decision.objects.filter(value="yes", undone_at=None).count() == 4
    live.get_by_role("button", name="Undo").click()
    expect(live).to_contain_text("Taking back")
    run_next()
    expect(live).to_contain_text("Took back")
    assert not Decision.objects.filter(undone_at=None).exists()


def test_the_wall_follows_an_action_that_has_ended(scene, wall):
    tiles, first = wall.locator(".tile"), wall.locator(f"[name=picked][value='{scene.images[0].pk}']")
    expect(tiles).to_have_count(len(scene.images))
    wall.locator(".pick").first.click()
    wall.locator("[data-dock]").get_by_role("button", name="Delete").click()
    wall.locator("dialog[open]").get_by_role("button", name="Delete").click()
    expect(wall.locator("[data-bulk-live]")).to_contain_text("Deleting")
    run_next()
    expect(first).to_have_count(0)
    expect(tiles).to_have_count(len(scene.images) - 1)
    expect(wall.locator(".page-head .num")).to_have_text("13 images")
    wall.locator("[data-bulk-live]").get_by_role("button", name="Undo").click()
    expect(wall.locator("[data-bulk-live]")).to_contain_text("Taking back")
    run_next()
    expect(first).to_have_count(1)


def test_the_filters_open_below_their_button(wall):
    wall.set_viewport_size({"width": 1440, "height": 900})
    button, menu = wall.locator(".filter-menu > summary"), wall.locator(".filter-menu > .menu")
    button.click()
    expect(menu).to_be_visible()
    at, box = button.bounding_box(), menu.bounding_box()
    assert at and box
    assert abs(box["x"] - at["x"]) < 2 and 0 <= box["y"] - at["y"] - at["height"] < 20


def test_keys_pick_move_take_all_and_let_go(scene, wall):
    links = wall.locator(".tile a")
    links.nth(0).focus()
    wall.keyboard.press("x")
    wall.keyboard.press("ArrowRight")
    wall.keyboard.press("ArrowRight")
    wall.keyboard.press("x")
    assert picked(wall) == [scene.images[0].pk, scene.images[2].pk]
    wall.keyboard.press("Control+a")
    expect(wall.locator("[data-dock]")).to_contain_text("All picked")
    wall.keyboard.press("q")
    question = wall.locator("dialog[open]")
    expect(question).to_contain_text(f"Send {len(scene.images)} images to the front of the queue?")
    wall.keyboard.press("Escape")
    expect(question).to_have_count(0)
    wall.keyboard.press("Escape")
    assert picked(wall) == [] and not BulkJob.objects.exists()


def test_a_word_that_is_no_tag_is_told_in_the_dialog(wall):
    wall.locator(".pick").first.click()
    wall.keyboard.press("t")
    wall.keyboard.type("unheard")
    wall.locator("[data-dock]").get_by_role("button", name="Add").click()
    expect(wall.locator("dialog[open]")).to_contain_text("unheard")


def test_pages_far_from_the_window_leave_the_document_and_come_back_picked(scene, sign_in, monkeypatch):
    from annotations.views import gallery

    monkeypatch.setattr(gallery, "PAGE_SIZE", 2)
    page = sign_in(
        scene.cast.reviewer, f"/projects/{scene.project.pk}/gallery/", viewport={"width": 390, "height": 200}
    )
    page.locator("image-wall:defined").wait_for(state="attached")
    page.locator(".pick").first.click()
    page.locator("h1").click()  # a page that holds the focus stays
    page.mouse.move(100, 100)
    while (count := page.locator("[data-page]").count()) < len(scene.images) // 2:
        page.mouse.wheel(0, 10_000)
        page.locator("[data-page]").nth(count).wait_for(state="attached")
    page.mouse.wheel(0, 10_000)
    expect(page.locator("[data-page]").first.locator(".tile")).to_have_count(0)
    assert page.locator("[data-ids]").input_value() == str(scene.images[0].pk)
    page.mouse.wheel(0, -100_000)
    expect(page.locator("[data-page]").first.locator(".tile")).to_have_count(2)
    assert picked(page)[0] == scene.images[0].pk


def test_on_an_images_page_a_tag_is_typed_removed_and_taken_back(scene, sign_in):
    image = scene.images[3]
    page = sign_in(scene.cast.reviewer, f"/projects/{scene.project.pk}/gallery/{image.pk}/")
    page.locator("image-answers:defined").wait_for(state="attached")
    page.keyboard.press("t")
    page.keyboard.type("boa")
    expect(page.get_by_role("option").first).to_contain_text("boat")
    page.keyboard.press("Enter")
    expect(page.locator(".answers .tag[data-kind=yes]")).to_have_text("boat")
    expect(page.locator("[data-facts] .told")).to_contain_text("Said yes to “boat”.")
    page.get_by_role("button", name="Say no to dog").click()
    expect(page.locator(".answers .tag[data-kind=no]")).to_have_text("dog")
    page.locator("h1").click()
    page.keyboard.press("z")
    expect(page.locator(".answers .tag[data-kind=no]")).to_have_count(0)
    assert Decision.objects.filter(undone_at=None).count() == 1
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/gallery/{scene.images[4].pk}/")
