"""Merging two tags from the tag's page: what it touches, the merge, and the way back."""

import pytest
from playwright.sync_api import expect

from annotations.models import Tag
from annotations.selectors import truth
from annotations.services import verify


@pytest.fixture
def answered(scene):
    """Lake is yes on three images and no on one; boat is yes on two of those three and on the one."""
    first, second, third, fourth = (image.pk for image in scene.images[:4])
    for word, yes, no in (
        ("lake", [first, second, third], [fourth]),
        ("boat", [first, second, fourth], [third]),
    ):
        verify.answer_tag(scene.project, scene.cast.reviewer, word=word, yes=yes, no=no)
    return scene


def verdicts(scene):
    return truth.verdicts(scene.project, [image.pk for image in scene.images])


def test_a_tag_is_merged_by_keyboard_after_its_preview_and_the_merge_taken_back(answered, sign_in):
    scene, before = answered, verdicts(answered)
    page = sign_in(scene.cast.manager, f"/projects/{scene.project.pk}/tags/{scene.tags['lake']}/")
    page.get_by_role("link", name="Merge").click()
    page.locator("tag-field:defined").wait_for(state="attached")
    page.get_by_role("combobox", name="Merge into").focus()
    page.keyboard.type("boa")
    expect(page.get_by_role("option").first).to_have_accessible_name("boat")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Merge lake into boat?")
    expect(page.get_by_role("row", name="lake 3 1")).to_be_visible()
    expect(page.get_by_role("row", name="boat, merged 4 0")).to_be_visible()
    expect(page.get_by_text("2 images differ")).to_be_visible()
    expect(page.locator(".pictures img")).to_have_count(2)
    assert verdicts(scene) == before
    page.get_by_role("button", name="Merge 4 decisions").click()

    page.wait_for_url(f"**/tags/{scene.tags['boat']}/")
    expect(page.get_by_text("Merged lake into boat.")).to_be_visible()
    expect(page.get_by_label("Aliases")).to_have_value("lake")
    yes = [pk for pk, one in verdicts(scene).items() if scene.tags["boat"] in one.yes]
    assert yes == [image.pk for image in scene.images[:4]]
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_text("Taken back")).to_be_visible()
    expect(page.get_by_label("Aliases")).to_have_value("")
    assert Tag.objects.get(pk=scene.tags["lake"]).retired_at is None
    assert verdicts(scene) == before


def test_a_merge_needs_no_script(answered, sign_in):
    scene = answered
    page = sign_in(
        scene.cast.manager,
        f"/projects/{scene.project.pk}/tags/{scene.tags['lake']}/merge/",
        java_script_enabled=False,
    )
    page.get_by_label("Merge into").fill("boat")
    page.get_by_role("button", name="Show what it touches").click()
    page.get_by_label("Keep “lake” as an alias of boat").uncheck()
    page.get_by_role("button", name="Merge 4 decisions").click()
    expect(page.get_by_text("Merged lake into boat.")).to_be_visible()
    assert Tag.objects.get(pk=scene.tags["lake"]).merged_into_id == scene.tags["boat"]
    assert not Tag.objects.get(pk=scene.tags["boat"]).aliases.exists()
