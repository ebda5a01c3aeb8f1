"""Thirty answers through everything that goes wrong with a connection: each is stored, and none twice."""

from dataclasses import replace

from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from annotations.models import Review
from annotations.services import storage
from tests.browser.conftest import Scene, go_live, picture_bytes
from tests.factories import make_images
from tests.reviewer import WAIT_MS, Reviewer
from tests.reviewer import sign_in as sign_in_by_page

ANSWERS, BEFORE = 30, 10
HELD = 6
"""The item on screen and five ahead: what a page can answer without a network."""
OUTAGE_MS = 60_000


def answer_all_held(page: Page, reviewer: Reviewer) -> None:
    """Every item that a page without a network can answer."""
    for _ in range(HELD - 1):
        reviewer.accept()
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved-text]")).to_have_text(f"Offline, {HELD} kept here", timeout=WAIT_MS)


def answer_until_cut_off(page: Page, address: str) -> Reviewer:
    """Ten answers that arrive; then the network goes, and all that the page holds is answered."""
    reviewer = Reviewer(page)
    reviewer.open(address)
    for _ in range(BEFORE):
        reviewer.accept()
    reviewer.wait_until_saved()
    expect(page.locator("[data-strip=ready]")).to_have_text(str(HELD - 1), timeout=WAIT_MS)
    page.context.set_offline(True)
    answer_all_held(page, reviewer)
    return reviewer


def with_many_images(scene: Scene) -> str:
    """Thirty images more with suggestions. Answers the address of Review."""
    more = make_images(scene.project, ANSWERS, first=len(scene.images), caption=scene.caption)
    for image in more:
        storage.put(image.storage_key, picture_bytes(1))
    go_live(replace(scene, images=more), number=1, offered=("lake", "dog"))
    return f"/projects/{scene.project.pk}/review/"


def expect_answered_once(count: int) -> None:
    """So many answers are stored, and none twice."""
    answered = list(Review.objects.values_list("image_id", "user__username"))
    assert (len(answered), len(set(answered))) == (count, count)


def test_a_page_goes_on_by_itself_after_a_minute_without_a_network(scene, sign_in):
    page = sign_in(scene.cast.annotator, with_many_images(scene))
    reviewer = answer_until_cut_off(page, page.url)
    page.wait_for_timeout(OUTAGE_MS)
    page.context.set_offline(False)

    reviewer.wait_until_saved()
    expect_answered_once(BEFORE + HELD)
    expect(page.locator("[data-review]")).to_have_attribute("data-state", "item", timeout=WAIT_MS)
    for _ in range(ANSWERS - BEFORE - HELD):
        reviewer.accept()
    reviewer.wait_until_saved()
    expect_answered_once(ANSWERS)


def test_dead_network_expired_session_and_closed_tab_lose_and_double_nothing(scene, sign_in, live_server):
    address = with_many_images(scene)
    page = sign_in(scene.cast.annotator, address)
    answer_until_cut_off(page, address)
    Session.objects.all().delete()
    tab, context = page, page.context
    page = context.new_page()
    tab.close()
    context.set_offline(False)

    sign_in_by_page(page, live_server.url, user="annotator", password="a password for tests")
    reviewer = Reviewer(page)
    reviewer.open(address)
    reviewer.wait_until_saved()
    assert Review.objects.count() == BEFORE + HELD
    for _ in range(ANSWERS - BEFORE - HELD):
        reviewer.accept()
    reviewer.wait_until_saved()
    expect_answered_once(ANSWERS)
