"""The server's part of the review page: a light answer for the keyboard page, a form that needs no script."""

import json
import re

from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Decision, Lease, Review
from tests.factories import make_images, make_tags


def fields_of(html):
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))


def test_the_keyboard_page_gets_its_settings_and_takes_no_lease(cast, browser_of, here):
    make_images(cast.project, 3)
    client = browser_of(cast.annotator)
    with CaptureQueriesContext(connection) as captured:
        html = client.get(here + "review/").content.decode()
    config = json.loads(
        re.search(r'id="review-config" type="application/json">(.*?)</script>', html).group(1)
    )
    assert config["project"] == cast.project.pk
    assert config["user"] == {"id": cast.annotator.pk, "name": "annotator"}
    assert config["can_create_tags"] is False
    assert not Lease.objects.exists()
    assert len(captured) == 4  # session, person, membership with its project, hotkeys


def test_the_plain_form_stores_a_review_and_shows_the_next_image(cast, browser_of, here):
    ids = make_tags(cast.project, "dog", "cat")
    make_images(cast.project, 2)
    client = browser_of(cast.annotator)
    sent = fields_of(client.get(here + "review/?plain=1").content.decode())
    answer = client.post(
        here + "review/?plain=1", sent | {"tags": [ids["dog"]], "added": " cat, ", "outcome": "reviewed"}
    )
    assert answer["Location"] == here + "review/?plain=1"
    review = Review.objects.get()
    assert (review.user, review.image_id) == (cast.annotator, int(sent["image"]))
    assert set(Decision.objects.filter(value="yes").values_list("tag__name", flat=True)) == {"dog", "cat"}
    after = fields_of(client.get(here + "review/?plain=1").content.decode())
    assert after["image"] != sent["image"]


def test_the_form_sent_twice_is_stored_once(cast, browser_of, here):
    make_images(cast.project, 1)
    client = browser_of(cast.annotator)
    sent = fields_of(client.get(here + "review/?plain=1").content.decode()) | {"outcome": "reviewed"}
    for _ in range(2):
        assert client.post(here + "review/?plain=1", sent).status_code == 302
    assert Review.objects.count() == 1


def test_an_unknown_tag_is_a_message_and_the_image_stays(cast, browser_of, here):
    make_images(cast.project, 1)
    client = browser_of(cast.annotator)
    sent = fields_of(client.get(here + "review/?plain=1").content.decode())
    page = client.post(
        here + "review/?plain=1", sent | {"added": "unicorn", "outcome": "reviewed"}, follow=True
    )
    assert "No active tag of this project is called “unicorn”" in page.content.decode()
    assert fields_of(page.content.decode())["image"] == sent["image"]
    assert not Review.objects.exists()


def test_a_broken_form_is_a_message(cast, browser_of, here):
    client = browser_of(cast.annotator)
    for sent in ({}, {"outcome": "reviewed"}, {"outcome": "reviewed", "image": "x", "revision": "1"}):
        assert client.post(here + "review/?plain=1", sent).status_code == 302
    assert not Review.objects.exists()
