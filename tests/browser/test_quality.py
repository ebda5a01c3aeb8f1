"""Quality in a real browser: one key fixes an answer, another finds it right, and both can be taken back."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotations.models import Decision, Image
from annotations.services import preferences
from mlmodels.models import Extractor, ModelVersion, Suspect, SuspectList
from tests.browser.conftest import Scene
from tests.factories import review_next

SIX = 6


@pytest.fixture
def doubted(scene: Scene) -> Scene:
    """Six reviewed images whose yes to `lake` is suspected."""
    for _ in range(SIX):
        review_next(scene.cast, scene.cast.annotator, yes=("lake",))
    extractor = Extractor.objects.create(key="planted", name="planted", dimensions=8)
    version = ModelVersion.objects.create(
        **{"project": scene.project, "number": 1, "extractor": extractor, "artifact": "1"},
        **{"artifact_sha256": "0" * 64, "verdict": "promoted", "tag_ids": list(scene.tags.values())},
        **{"vocabulary_version": 1, "trained_images": 60, "trained_reviews": 60, "trained_decisions": 60},
        fingerprint="f",
    )
    SuspectList.objects.create(project=scene.project, version=version, read_at=timezone.now())
    for rank, image in enumerate(Image.objects.filter(reviews_done=1).order_by("pk"), 1):
        Suspect.objects.create(
            **{"project": scene.project, "image": image, "tag_id": scene.tags["lake"]},
            **{"kind": "wrong", "rank": rank, "score": rank / 100},
        )
    return scene


def open_quality(sign_in, scene: Scene, **options: object) -> Page:
    page = sign_in(scene.cast.reviewer, f"/projects/{scene.project.pk}/quality/", **options)
    expect(page.locator(".suspect")).to_have_count(SIX)
    page.wait_for_function("customElements.get('answer-wall') !== undefined")
    return page


def values() -> list[tuple[str, bool]]:
    """Of the words on suspects in the order of storing, and whether they were taken back."""
    rows = Decision.objects.filter(scope="adjudicate").order_by("pk")
    return [(row.value, row.undone_at is not None) for row in rows]


def test_one_key_fixes_another_finds_right_and_a_third_takes_back(sign_in, doubted):
    page = open_quality(sign_in, doubted)
    tiles, left = page.locator(".suspect"), page.get_by_role("navigation", name="Kind of mistake")
    hint = page.locator("[data-undo-hint]")
    expect(left).to_contain_text(f"Likely wrong {SIX}")
    expect(hint).to_be_hidden()

    page.keyboard.press("f")
    expect(tiles.nth(0)).to_contain_text("lake is removed")
    expect(tiles.nth(1)).to_be_focused()
    expect(left).to_contain_text(f"Likely wrong {SIX - 1}")
    expect(hint).to_be_visible()
    page.keyboard.press("k")
    expect(tiles.nth(1)).to_contain_text("lake is right")
    expect(tiles.nth(2)).to_be_focused()
    page.keyboard.press("z")
    expect(tiles.nth(1)).to_be_focused()
    expect(tiles.nth(1).locator("[data-act=fix]")).to_be_visible()
    expect(left).to_contain_text(f"Likely wrong {SIX - 1}")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(3)).to_be_focused()
    page.keyboard.press("F")
    expect(tiles.nth(3)).to_contain_text("lake is removed")

    assert values() == [("no", False), ("yes", True), ("no", False)]
    page.reload()
    expect(tiles).to_have_count(SIX - 2)
    expect(hint).to_be_hidden()


def test_where_single_keys_are_off_letters_do_nothing_and_buttons_everything(sign_in, doubted):
    preferences.set_single_keys(actor=doubted.cast.reviewer, are_on=False)
    page = open_quality(sign_in, doubted)

    page.keyboard.press("f")
    page.locator(".suspect").nth(2).locator("[data-act=fix]").press("Enter")

    expect(page.locator(".suspect").nth(2)).to_contain_text("lake is removed")
    assert values() == [("no", False)]


def test_fingers_answer_by_buttons_on_a_phone(sign_in, doubted):
    page = open_quality(
        sign_in, doubted, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
    )
    first = page.locator(".suspect").first

    first.locator("[data-act=keep]").tap()
    expect(first).to_contain_text("lake is right")
    first.locator("[data-act=undo]").tap()
    expect(first.locator("[data-act=keep]")).to_be_visible()

    assert values() == [("yes", True)]


def test_a_dead_network_is_told_and_the_answer_can_be_given_again(sign_in, doubted):
    page = open_quality(sign_in, doubted)

    page.context.set_offline(True)
    page.keyboard.press("f")
    expect(page.locator("[data-said]")).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    page.keyboard.press("f")

    expect(page.locator(".suspect").first).to_contain_text("lake is removed")
    assert values() == [("no", False)]
