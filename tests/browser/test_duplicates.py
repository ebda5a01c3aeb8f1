"""Near-duplicates in a real Chromium: decided by keyboard, asked before anything goes, and taken back."""

import pytest
from playwright.sync_api import expect

from annotations.models import DuplicateGroup, Image
from annotations.services import near_pairs, storage, tag_answers
from tests.browser.conftest import picture_bytes
from tests.factories import make_cast, make_copies, make_tags


@pytest.fixture
def cast(transactional_db):
    made = make_cast()
    make_tags(made.project, "dog")
    for number in range(3):
        copies = make_copies(made.project, 3)
        tag_answers.answer(made.project, copies[2], "dog", "yes", actor=made.manager)
        for image in copies:
            storage.put(image.storage_key, picture_bytes(number))
    near_pairs.find(made.project.pk)
    return made


@pytest.fixture
def address(cast):
    return f"/projects/{cast.project.pk}/gallery/duplicates/"


@pytest.fixture
def page(cast, sign_in, address):
    return sign_in(cast.manager, address)


def names(where):
    return [name.inner_text() for name in where.locator(".twin .name").all()]


def in_trash():
    return sorted(Image.objects.filter(deleted_at__isnull=False).values_list("name", flat=True))


def test_groups_are_joined_one_after_the_other_by_keyboard(page):
    first = page.locator("[data-group]").first
    kept, chosen, third = names(first)
    first.locator("input[type=radio]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Keep “{chosen}”, move 2 images to the trash?")).to_be_visible()
    assert in_trash() == []
    expect(page.get_by_role("button", name="Move 2 to the trash")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"2 images moved to the trash, “{chosen}” stays.")).to_be_visible()
    assert in_trash() == sorted([kept, third])
    # The next group is under the keyboard already.
    expect(page.locator("[data-group]").first.locator("input[type=radio]").first).to_be_focused()
    expect(page.locator("[data-group]")).to_have_count(2)
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_text("Taken back: the group asks again.")).to_be_visible()
    expect(page.locator("[data-group]")).to_have_count(3)
    assert in_trash() == []


def test_the_question_can_be_left_with_nothing_done(page):
    first = page.locator("[data-group]").first
    first.get_by_role("button", name="Keep the chosen one").click()
    expect(page.get_by_label("Take over the tag that only the others have")).to_be_checked()
    page.get_by_role("link", name="Cancel").click()
    expect(page.locator("[data-group]").first.get_by_role("button", name="Keep all")).to_be_visible()
    assert in_trash() == []


def test_kept_groups_move_to_their_own_list_and_back(page, address):
    page.locator("[data-group]").first.get_by_role("button", name="Keep all").click()
    expect(page.get_by_text("All 3 stay, and are not asked about again.")).to_be_visible()
    expect(page.locator("[data-group]")).to_have_count(2)
    page.get_by_role("link", name="Kept").click()
    page.wait_for_url("**?state=kept")
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_text("Nothing is kept yet")).to_be_visible()
    assert not DuplicateGroup.objects.filter(state="kept").exists()


def test_without_script_the_forms_do_the_same(cast, sign_in, address):
    page = sign_in(cast.manager, address, java_script_enabled=False)
    page.locator("[data-group]").first.get_by_role("button", name="Keep the chosen one").click()
    page.get_by_role("button", name="Move 2 to the trash").click()
    page.wait_for_url(f"**{address}")
    expect(page.get_by_text("2 images moved to the trash")).to_be_visible()
    expect(page.locator("[data-group]")).to_have_count(2)
    page.locator("[data-group]").first.get_by_role("button", name="Keep all").click()
    expect(page.locator("[data-group]")).to_have_count(1)
