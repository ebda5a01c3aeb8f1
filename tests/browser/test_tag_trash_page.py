"""Tags in the trash on a phone: a name without a break is read beside or above its buttons, never letter by letter."""

import pytest

from annotations.models import Tag
from annotations.services import tag_trash
from tests.browser.test_gallery_odd_pictures import overhang
from tests.factories import make_tags

LONG = "t" * 200


@pytest.fixture
def deleted(scene):
    names = (LONG, "short", "two words")
    make_tags(scene.project, *names)
    for tag in Tag.objects.filter(project=scene.project, name__in=names):
        tag_trash.delete(tag, actor=scene.cast.admin)
    return scene


@pytest.mark.parametrize("width", [390, 1440])
def test_a_very_long_name_keeps_its_room_and_the_buttons_theirs(deleted, sign_in, width):
    page = sign_in(
        deleted.cast.admin,
        f"/projects/{deleted.project.pk}/tags/trash/",
        viewport={"width": width, "height": 844},
    )
    card = page.get_by_role("region", name="Deleted tags").bounding_box()
    for row in page.locator(".list > li").all():
        words = row.locator(".grow").bounding_box()
        assert words["width"] >= 0.6 * card["width"]
        for control in row.locator(".button").all():
            inner = control.bounding_box()
            assert inner["height"] < 60 and inner["x"] + inner["width"] <= card["x"] + card["width"]
    assert overhang(page) == 0
