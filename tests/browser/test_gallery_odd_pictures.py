"""Odd shapes, names without a break and captions from right to left stand in the gallery like all others."""

import pytest

from annotations.models import Image
from annotations.services import verify
from tests.factories import make_tags

ODD = {"strip": (12_000, 40), "needle": (40, 12_000), "dot": (1, 1)}
ARABIC = "\u0643\u0644\u0628 \u0641\u064a \u0627\u0644\u062d\u062f\u064a\u0642\u0629."
LONG = "unbroken" * 25


@pytest.fixture
def odd(scene):
    """The first images as a strip, a needle and a dot, with long tags, a long name and an Arabic caption."""
    names = make_tags(scene.project, "t" * 120, "\u0643\u0644\u0628", "u" * 120)
    for image, (width, height) in zip(scene.images, ODD.values(), strict=False):
        Image.objects.filter(pk=image.pk).update(
            width_px=width, height_px=height, name=f"{LONG}.jpg", caption=ARABIC
        )
        for name in names:
            verify.answer_tag(scene.project, scene.cast.reviewer, word=name, yes=[image.pk], no=[])
    return scene


def overhang(page):
    """Pixels by which anything stands out of the window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("width", [1440, 390])
def test_no_picture_is_wider_than_the_wall_and_no_label_leaves_its_tile(odd, sign_in, width):
    page = sign_in(
        odd.cast.reviewer,
        f"/projects/{odd.project.pk}/gallery/",
        viewport={"width": width, "height": 900},
    )
    wall = page.locator(".wall").first.bounding_box()
    for tile in page.locator(".wall .tile").all():
        box = tile.bounding_box()
        assert 40 <= box["width"] <= min(wall["width"], 400)
        for label in tile.locator(".on-picture:visible").all():
            inner = label.bounding_box()
            assert inner["x"] >= box["x"] and inner["x"] + inner["width"] <= box["x"] + box["width"] + 0.5
    assert overhang(page) == 0


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_of_an_odd_image_fits_and_reads_from_the_right_side(odd, sign_in, width):
    for image in odd.images[: len(ODD)]:
        page = sign_in(
            odd.cast.reviewer,
            f"/projects/{odd.project.pk}/gallery/{image.pk}/",
            viewport={"width": width, "height": 900},
        )
        assert overhang(page) == 0
        assert page.locator("figcaption").evaluate("node => getComputedStyle(node).direction") == "rtl"
        assert page.locator("bdi.tag", has_text="\u0643\u0644\u0628").first.is_visible()
