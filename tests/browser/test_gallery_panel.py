"""The panel beside the wall: opened, walked and closed by keyboard, and answered in as on the image's own page."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from annotations.models import Decision
from annotations.views import gallery

WIDE = {"width": 1440, "height": 900}


@pytest.fixture
def wall(scene, sign_in):
    """The gallery as a reviewer sees it, on a wide screen."""
    page = sign_in(scene.cast.reviewer, f"/projects/{scene.project.pk}/gallery/", viewport=WIDE)
    page.locator("image-wall:defined").wait_for(state="attached")
    return page


def panel_of(page, image):
    return page.get_by_role("region", name=image.name)


def link_of(page, image):
    return page.locator(f'.walls .tile a[href*="/gallery/{image.pk}/"]')


def test_space_opens_arrows_walk_and_escape_goes_back_to_the_tile(scene, wall):
    first, second, third = scene.images[:3]
    link_of(wall, second).focus()
    wall.keyboard.press("Space")
    panel = panel_of(wall, second)
    expect(panel).to_be_visible()
    expect(panel).to_be_focused()
    expect(link_of(wall, second)).to_have_attribute("aria-current", "true")
    status = wall.locator("[data-peek-say]")
    expect(status).to_have_text(f"{second.name}, pending. {scene.caption}")
    wall.keyboard.press("ArrowRight")
    expect(panel_of(wall, third)).to_be_focused()
    expect(status).to_contain_text(third.name)
    wall.keyboard.press("ArrowLeft")
    expect(panel_of(wall, second)).to_be_focused()
    wall.keyboard.press("ArrowLeft")
    expect(panel_of(wall, first)).to_be_focused()
    wall.keyboard.press("ArrowLeft")  # nothing is before it
    expect(panel_of(wall, first)).to_be_focused()
    wall.keyboard.press("Escape")
    expect(wall.locator("[data-peek]")).to_be_hidden()
    expect(link_of(wall, first)).to_be_focused()
    expect(wall.locator("[aria-current=true]:not(nav *)")).to_have_count(0)
    assert "/gallery/?" not in wall.url and wall.url.endswith("/gallery/")


def test_space_again_closes_and_while_the_wall_has_the_focus_the_panel_follows_it(scene, wall):
    link_of(wall, scene.images[0]).focus()
    wall.keyboard.press("Space")
    expect(panel_of(wall, scene.images[0])).to_be_focused()
    wall.keyboard.press("Space")
    expect(link_of(wall, scene.images[0])).to_be_focused()
    wall.keyboard.press("Space")
    expect(panel_of(wall, scene.images[0])).to_be_focused()
    link_of(wall, scene.images[0]).focus()
    wall.keyboard.press("ArrowRight")
    expect(panel_of(wall, scene.images[1])).to_be_visible()
    expect(link_of(wall, scene.images[1])).to_be_focused()


def test_tags_are_changed_in_the_panel_and_the_tile_says_so(scene, wall):
    image = scene.images[2]
    link_of(wall, image).focus()
    wall.keyboard.press("Space")
    panel = panel_of(wall, image)
    expect(panel).to_be_focused()
    wall.keyboard.press("t")
    wall.keyboard.type("vess")
    wall.keyboard.press("Escape")  # leaves the field, not the panel
    expect(panel).to_be_visible()
    wall.keyboard.press("t")
    wall.keyboard.type("boa")
    expect(panel.get_by_role("option").first).to_contain_text("boat")
    wall.keyboard.press("Enter")
    expect(panel.locator(".answers .tag[data-kind=yes]")).to_have_text("boat")
    on_tile = wall.locator(f"#under-{image.pk}")
    expect(on_tile).to_have_text("boat")
    panel.get_by_role("button", name="Say no to boat").press("Enter")
    expect(panel.locator(".answers .tag[data-kind=no]")).to_have_text("boat")
    expect(panel.get_by_role("button", name="Say yes to boat").first).to_be_focused()
    expect(on_tile).to_have_text("")
    assert [decision.value for decision in Decision.objects.order_by("pk")] == ["yes", "no"]
    wall.keyboard.press("Escape")
    expect(link_of(wall, image)).to_be_focused()


def test_the_caption_shows_what_was_read_in_it(scene, wall):
    wall.locator(".tile").first.hover()
    wall.locator("[data-peek-open]").first.click()
    caption = panel_of(wall, scene.images[0]).locator(".caption")
    expect(caption.locator("mark:not([data-weak])")).to_have_text(["dog", "lake"])
    expect(caption.locator("del")).to_have_text("boat")
    expect(caption).to_have_text(scene.caption)


def test_a_walk_past_the_last_loaded_image_brings_the_next_page(scene, sign_in, monkeypatch):
    monkeypatch.setattr(gallery, "PAGE_SIZE", 2)
    page = sign_in(scene.cast.reviewer, f"/projects/{scene.project.pk}/gallery/", viewport=WIDE)
    page.locator("image-wall:defined").wait_for(state="attached")
    link_of(page, scene.images[0]).focus()
    page.keyboard.press("Space")
    for image in scene.images:
        expect(panel_of(page, image)).to_be_focused()
        expect(link_of(page, image)).to_have_attribute("aria-current", "true")
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(link_of(page, scene.images[-1])).to_be_focused()


def test_a_wall_that_is_scrolled_beside_the_panel_stays_where_it_is(scene, sign_in, monkeypatch):
    monkeypatch.setattr(gallery, "PAGE_SIZE", 4)
    page = sign_in(
        scene.cast.reviewer, f"/projects/{scene.project.pk}/gallery/", viewport={"width": 1440, "height": 300}
    )
    page.locator("image-wall:defined").wait_for(state="attached")
    link_of(page, scene.images[0]).focus()
    page.keyboard.press("Space")
    expect(panel_of(page, scene.images[0])).to_be_focused()
    page.mouse.move(400, 150)
    while page.locator("[data-page]").count() < 4:
        before = page.locator("[data-page]").count()
        page.mouse.wheel(0, 5_000)
        page.locator("[data-page]").nth(before).wait_for(state="attached")
        expect(link_of(page, scene.images[0])).not_to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(link_of(page, scene.images[0])).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_open_panel(scene, sign_in, theme):
    page = sign_in(
        scene.cast.reviewer,
        f"/projects/{scene.project.pk}/gallery/",
        viewport=WIDE,
        color_scheme=theme,
        bypass_csp=True,
    )
    page.locator("image-wall:defined").wait_for(state="attached")
    link_of(page, scene.images[0]).focus()
    page.keyboard.press("Space")
    expect(panel_of(page, scene.images[0])).to_be_focused()
    found = Axe().run(page).response["violations"]
    assert [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found] == []


def test_on_a_small_screen_a_tile_leads_to_the_page_and_space_picks(scene, sign_in):
    page = sign_in(
        scene.cast.reviewer, f"/projects/{scene.project.pk}/gallery/", viewport={"width": 900, "height": 700}
    )
    page.locator("image-wall:defined").wait_for(state="attached")
    expect(page.locator("[data-peek-open]").first).to_be_hidden()
    link_of(page, scene.images[0]).focus()
    page.keyboard.press("Space")
    expect(page.locator("[name=picked]:checked")).to_have_count(1)
    expect(page.locator("[data-peek]")).to_be_hidden()
    link_of(page, scene.images[0]).click()
    page.wait_for_url(f"**/gallery/{scene.images[0].pk}/*")


def test_an_image_that_cannot_be_fetched_is_told_with_the_way_to_its_page(scene, wall):
    wall.route("**/gallery/*/?*panel=1", lambda route: route.abort())
    link_of(wall, scene.images[0]).focus()
    wall.keyboard.press("Space")
    panel = wall.get_by_role("region", name="Not to be had just now")
    expect(panel).to_be_focused()
    expect(panel.get_by_role("link", name="Try its page")).to_have_attribute(
        "href", f"{wall.url}{scene.images[0].pk}/"
    )
    wall.keyboard.press("Escape")
    expect(link_of(wall, scene.images[0])).to_be_focused()
