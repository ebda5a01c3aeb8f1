"""The field for a tag's parent: completed while somebody types, by keyboard alone, and a plain field without script."""

import pytest
from playwright.sync_api import expect

from annotations.models import Tag
from annotations.services import tags


@pytest.fixture
def tag_page(scene, sign_in):
    """The page of the tag “dog”; “vessel” is another word for boat."""
    tags.update(Tag.objects.get(pk=scene.tags["boat"]), {"aliases": ["vessel"]}, actor=scene.cast.manager)
    page = sign_in(scene.cast.manager, f"/projects/{scene.project.pk}/tags/{scene.tags['dog']}/")
    page.locator("tag-field:defined").wait_for(state="attached")
    return page


def parent_of(scene, name):
    parent = Tag.objects.get(pk=scene.tags[name]).parent
    return parent.name if parent else None


def test_an_alias_finds_the_parent_and_two_enters_save_it(scene, tag_page):
    field = tag_page.get_by_role("combobox", name="Parent")
    field.focus()
    expect(tag_page.get_by_role("listbox")).to_be_hidden()
    tag_page.keyboard.type("vess")
    expect(tag_page.get_by_role("option").first).to_have_accessible_name("boat also vessel")
    tag_page.keyboard.press("Enter")
    expect(field).to_have_value("boat")
    expect(field).to_be_focused()
    expect(tag_page.get_by_role("listbox")).to_be_hidden()
    tag_page.keyboard.press("Enter")
    tag_page.wait_for_url("**/tags/")
    assert parent_of(scene, "dog") == "boat"


def test_arrows_open_the_list_escape_shuts_it_and_the_tag_itself_is_not_in_it(scene, tag_page):
    field = tag_page.get_by_role("combobox", name="Parent")
    field.focus()
    tag_page.keyboard.press("ArrowDown")
    options = tag_page.get_by_role("option")
    expect(options).to_have_text(["boat", "hill", "lake", "tree"])
    expect(field).to_have_attribute("aria-expanded", "true")
    tag_page.keyboard.press("ArrowDown")
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    tag_page.keyboard.press("Escape")
    expect(tag_page.get_by_role("listbox")).to_be_hidden()
    expect(field).to_be_focused()
    expect(field).to_have_value("")


def test_what_is_picked_by_mouse_stays_in_the_field(scene, tag_page):
    field = tag_page.get_by_role("combobox", name="Parent")
    field.fill("tr")
    tag_page.get_by_role("option", name="tree").click()
    expect(field).to_have_value("tree")
    tag_page.get_by_role("button", name="Save").click()
    tag_page.wait_for_url("**/tags/")
    assert parent_of(scene, "dog") == "tree"


def test_without_script_it_is_a_plain_field(scene, sign_in):
    page = sign_in(
        scene.cast.manager,
        f"/projects/{scene.project.pk}/tags/{scene.tags['dog']}/",
        java_script_enabled=False,
    )
    page.get_by_label("Parent").fill("boat")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/tags/")
    assert parent_of(scene, "dog") == "boat"
