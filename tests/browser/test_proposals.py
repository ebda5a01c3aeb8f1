"""Proposed tags in a real Chromium: by keyboard and pointer, with a way back, and without script."""

import pytest
from playwright.sync_api import expect

from annotations.models import Proposal, Tag, TagAlias
from annotations.services import proposals, storage
from annotations.types import ProposalSpec
from tests.browser.conftest import picture_bytes
from tests.factories import make_cast, make_images, make_tags

CAPTION = "A hound on a kite over the surf"


@pytest.fixture
def cast(transactional_db):
    made = make_cast()
    ids = make_tags(made.project, "dog", "sea", "boat")
    image = make_images(made.project, 1, caption=CAPTION)[0]
    storage.put(image.storage_key, picture_bytes(1))

    def spec(text, tag_id=None):
        start = CAPTION.index(text)
        place = {"image": image.pk, "start": start, "end": start + len(text), "text": text}
        kind, rule = ("alias", "wordnet") if tag_id else ("tag", "phrase")
        return ProposalSpec(kind, text, tag_id, 7, {"rule": rule, "lift": None, "examples": [place]})

    proposals.replace_open(made.project.pk, [spec("surf"), spec("kite"), spec("hound", ids["dog"])])
    return made


@pytest.fixture
def address(cast):
    return f"/projects/{cast.project.pk}/tags/proposed/"


@pytest.fixture
def page(cast, sign_in, address):
    page = sign_in(cast.manager, address)
    page.wait_for_function("customElements.get('proposal-list') !== undefined")
    return page


def row(page, word):
    return page.locator(f"[data-word='{word}']")


def state(word):
    return Proposal.objects.get(text=word).state


def test_the_whole_list_is_decided_by_keyboard(page):
    row(page, "surf").focus()
    page.keyboard.press("ArrowDown")
    expect(row(page, "kite")).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_text("Dismissed “kite”.")).to_be_visible()
    expect(row(page, "hound")).to_be_focused()
    page.keyboard.press("a")
    expect(page.get_by_text("Adopted “hound”.")).to_be_visible()
    expect(row(page, "surf")).to_be_focused()
    assert (state("kite"), TagAlias.objects.get().name) == ("dismissed", "hound")
    page.keyboard.press("z")
    expect(row(page, "hound")).to_be_visible()
    assert state("hound") == "open" and not TagAlias.objects.exists()


def test_a_word_is_given_to_a_tag_that_is_typed(page):
    row(page, "surf").get_by_role("link", name="Synonym of").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("“surf” is another word for …")
    expect(dialog.get_by_role("option")).to_have_count(3)
    page.keyboard.type("se")
    expect(dialog.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Adopted “surf”.")).to_be_visible()
    expect(dialog).to_have_count(0)
    assert TagAlias.objects.get(tag__name="sea").name == "surf"


def test_escape_leaves_the_question_and_the_list_as_they_were(page):
    row(page, "surf").focus()
    page.keyboard.press("s")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(row(page, "surf")).to_be_focused()
    assert state("surf") == "open"


def test_many_are_picked_adopted_and_taken_back(page):
    adopt = page.get_by_role("button", name="Adopt picked")
    expect(adopt).to_be_hidden()
    row(page, "surf").focus()
    page.keyboard.press(" ")
    page.get_by_role("checkbox", name="Pick kite").check()
    expect(page.get_by_text("2 picked")).to_be_visible()
    adopt.click()
    expect(page.get_by_text("Adopted 2 proposals.")).to_be_visible()
    expect(page.locator("[data-proposed-count]")).to_have_text("1")
    assert Tag.objects.filter(name__in=["surf", "kite"], retired_at=None).count() == 2
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "surf")).to_be_visible()
    assert not Tag.objects.filter(name__in=["surf", "kite"], retired_at=None).exists()


def test_the_list_comes_when_the_captions_are_read(cast, sign_in, address):
    Proposal.objects.all().delete()
    proposals.report_reading(cast.project.pk, read=3, total=9, is_reading=True)
    page = sign_in(cast.manager, address)
    expect(page.get_by_text("3 of 9 captions read")).to_be_visible()
    proposals.replace_open(cast.project.pk, [ProposalSpec("tag", "surf", None, 7, {"rule": "phrase"})])
    proposals.report_reading(cast.project.pk, read=9, total=9, is_reading=False)
    expect(row(page, "surf")).to_be_visible(timeout=10_000)
    expect(page.get_by_text("captions read")).to_have_count(0)


def test_without_script_everything_can_be_decided(cast, sign_in, address):
    page = sign_in(cast.manager, address, java_script_enabled=False)
    expect(page.locator("[data-pick-all]")).to_be_hidden()
    row(page, "hound").get_by_role("button", name="Make it a synonym").click()
    expect(page.get_by_text("Adopted “hound”.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    row(page, "surf").get_by_role("link", name="Synonym of").click()
    page.get_by_label("Tag", exact=True).fill("sea")
    page.get_by_role("button", name="Make it a synonym").click()
    page.get_by_role("checkbox", name="Pick kite").check()
    page.get_by_role("button", name="Dismiss picked").click()
    expect(row(page, "kite")).to_have_count(0)
    assert (state("hound"), state("surf"), state("kite")) == ("open", "accepted", "dismissed")
