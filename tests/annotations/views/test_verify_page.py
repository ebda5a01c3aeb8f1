"""The server's part of the Verify page: what it shows, why there is nothing, and a form that needs no script."""

import json
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations import tasks
from annotations.models import Decision, Image, RankingAge, VerifiedPage
from annotations.services import live_model
from tagger import processes
from tests.annotations.test_verify import answer, rank, suggest
from tests.factories import make_images, make_tags, review_next


@pytest.fixture
def dogs(cast):
    """Three images that suggest dog, the last below its threshold, and one that suggests cat."""
    ids = make_tags(cast.project, "dog", "cat")
    pictures = make_images(cast.project, 4, caption="Somebody runs.")
    for image, score in zip(pictures, (0.9, 0.8, 0.3), strict=False):
        suggest(cast.project, {image: {ids["dog"]: score}})
    suggest(cast.project, {pictures[3]: {ids["cat"]: 0.7}})
    rank(cast.project)
    return pictures, ids


def open_page(cast, browser_of, here, query="", user=None):
    answer = browser_of(user or cast.reviewer).get(f"{here}verify/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def tiles_of(html):
    """Images on the form in order, with whether each is checked."""
    mould = html.index("<template")
    boxes = re.findall(r'name="no" value="(\d+)"( checked)?>', html[:mould])
    assert [image for image, _ in boxes] == re.findall(r'name="image" value="(\d+)"', html[:mould])
    return {int(image): bool(checked) for image, checked in boxes}


def form_of(html, address):
    form = re.search(
        rf'<form[^>]*method="post"[^>]*action="[^"]*{address}"[^>]*>(.*?)</form>', html, re.DOTALL
    ).group(1)
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


def test_the_tag_that_pays_most_is_chosen_and_others_are_listed(cast, dogs, browser_of, here):
    pictures, ids = dogs
    html = open_page(cast, browser_of, here)
    assert tiles_of(html) == {pictures[0].pk: False, pictures[1].pk: False, pictures[2].pk: True}
    assert f'href="?tag={ids["cat"]}&amp;order=best"' in html
    assert "<span>2 offered</span><span>3 wait</span>" in html
    config = json.loads(
        re.search(r'id="verify-config" type="application/json">(.*?)</script>', html).group(1)
    )
    assert config["tag"] == {"id": ids["dog"], "name": "dog"}
    assert [tile["id"] for tile in config["tiles"]] == [image.pk for image in pictures[:3]]


def test_a_tag_is_chosen_by_id_or_name_and_an_order_by_its_word(cast, dogs, browser_of, here):
    pictures, _ = dogs
    assert list(tiles_of(open_page(cast, browser_of, here, "?tag=cat"))) == [pictures[3].pk]
    html = open_page(cast, browser_of, here, "?tag=dog&order=uncertain")
    assert list(tiles_of(html)) == [pictures[2].pk, pictures[1].pk, pictures[0].pk]
    unknown = browser_of(cast.reviewer).get(here + "verify/?tag=unicorn")
    assert unknown.status_code == 422


def test_the_plain_form_makes_every_image_a_yes_or_a_no(cast, dogs, browser_of, here):
    pictures, _ = dogs
    html = open_page(cast, browser_of, here)
    sent = form_of(html, "verify/") | {
        "image": [image.pk for image in pictures[:3]],
        "no": [pictures[1].pk, pictures[2].pk],
    }
    page = browser_of(cast.reviewer).post(here + "verify/", sent, follow=True)
    assert "1 yes, 2 no stored." in page.content.decode()
    assert dict(Decision.objects.values_list("image_id", "value")) == {
        pictures[0].pk: "yes",
        pictures[1].pk: "no",
        pictures[2].pk: "no",
    }
    assert Decision.objects.first().suggestion["score"] == 0.9
    assert "Nothing waits for a word on this tag" in page.content.decode()


def test_the_form_sent_twice_is_stored_once(cast, dogs, browser_of, here):
    pictures, _ = dogs
    sent = form_of(open_page(cast, browser_of, here), "verify/") | {"image": [pictures[0].pk]}
    for _ in range(2):
        browser_of(cast.reviewer).post(here + "verify/", sent)
    assert VerifiedPage.objects.count() == 1


def test_the_last_page_is_taken_back_by_a_button(cast, dogs, browser_of, here):
    pictures, ids = dogs
    answer(cast, "dog", yes=pictures[:2], no=pictures[2:3])
    html = open_page(cast, browser_of, here, f"?tag={ids['dog']}")
    assert "Take the last page back (2 yes, 1 no)" in html
    back = browser_of(cast.reviewer).post(here + "verify/undo/", form_of(html, "verify/undo/"), follow=True)
    assert "Taken back: 2 yes, 1 no." in back.content.decode()
    assert len(tiles_of(back.content.decode())) == 3
    again = browser_of(cast.reviewer).post(here + "verify/undo/", form_of(html, "verify/undo/"), follow=True)
    assert "taken back already" in again.content.decode()


@pytest.mark.parametrize(
    "broken",
    [{}, {"tag": "dog"}, {"tag": "1", "image": "x"}, {"tag": "1", "image": "9" * 30}, {"tag": "9" * 17}],
)
def test_a_form_that_makes_no_sense_is_a_message(cast, dogs, browser_of, here, broken):
    sent = {"client_id": str(uuid.uuid4())} | broken
    page = browser_of(cast.reviewer).post(here + "verify/", sent)
    assert page.status_code == 302
    assert not Decision.objects.exists()
    assert browser_of(cast.reviewer).post(here + "verify/undo/", {}).status_code == 302


def test_an_annotator_cannot_post_either(cast, dogs, browser_of, here):
    for address in ("verify/", "verify/undo/"):
        assert browser_of(cast.annotator).post(here + address, {}).status_code == 403
        assert browser_of(cast.outsider).post(here + address, {}).status_code == 404


def test_images_of_the_holdout_never_come_up(cast, browser_of, here):
    dog = make_tags(cast.project, "dog")["dog"]
    hidden = make_images(cast.project, 1, holdout=True)
    shown = make_images(cast.project, 1, first=5)
    suggest(cast.project, {image: {dog: 0.9} for image in [*hidden, *shown]})
    rank(cast.project)
    assert list(tiles_of(open_page(cast, browser_of, here))) == [shown[0].pk]


def test_every_empty_page_says_what_to_do_next(cast, browser_of, here):
    def says(text):
        return text in open_page(cast, browser_of, here)

    assert says("No tags yet")
    dog = make_tags(cast.project, "dog")["dog"]
    assert says("No images yet")
    image = make_images(cast.project, 1)[0]
    assert says("No model is live, and nothing is suggested yet")
    live_model.publish(cast.project.pk, version_id=3, number=3, provisional=False, metrics={}, tags={})
    assert says("No suggestions yet")
    suggest(cast.project, {image: {dog: 0.9}})
    assert says("Sorting the images")
    rank(cast.project)
    assert says("on every image but the marked")
    answer(cast, "dog", yes=[image])
    rank(cast.project)
    assert says("All is answered")


def test_a_page_that_waits_for_the_first_order_asks_until_it_is_there(cast, browser_of, here):
    client = browser_of(cast.reviewer)
    asked = {"headers": {"HX-Request": "true"}}
    assert client.get(here + "verify/", **asked).status_code == 204
    rank(cast.project)
    assert client.get(here + "verify/", **asked)["HX-Refresh"] == "true"


def test_opening_the_page_asks_for_an_order_that_is_old(
    cast, dogs, browser_of, here, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(tasks.refresh_rankings, "apply_async", lambda **options: sent.append(options["args"]))
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            open_page(cast, browser_of, here)
        assert sent == ([] if RankingAge.objects.exists() else [[cast.project.pk]])
        RankingAge.objects.all().delete()


def test_seconds_a_fact_stand_on_the_page_once_both_are_measured(cast, dogs, browser_of, here):
    pictures, ids = dogs
    assert "s a fact here" not in open_page(cast, browser_of, here)
    more = make_images(cast.project, 5, first=20)
    suggest(cast.project, {image: {ids["dog"]: 0.9} for image in more})
    for _ in range(5):
        answer(cast, "cat", yes=pictures[:2], seconds=1.2)
        review_next(cast, cast.annotator, yes=("dog",), seconds=2.9)
    rank(cast.project)
    assert "0.6 s a fact here, 2.9 s in review" in open_page(cast, browser_of, here)


def test_queries_do_not_grow_with_tags_and_images(cast, browser_of, here):
    def grow(first, count):
        ids = make_tags(cast.project, *(f"tag {number}" for number in range(first, first + count)))
        pictures = make_images(cast.project, count, first=first)
        suggest(cast.project, {image: dict.fromkeys(list(ids.values())[:20], 0.7) for image in pictures})
        rank(cast.project)

    client = browser_of(cast.reviewer)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(here + "verify/").status_code == 200
        return len(captured)

    grow(0, 2)
    few = queries()
    grow(2, 18)
    assert queries() == few
    assert Image.objects.count() == 20


def test_a_worker_builds_the_order_that_the_page_asks_for(live_workers, cast, browser_of, here):
    dog = make_tags(cast.project, "dog")["dog"]
    suggest(cast.project, {image: {dog: 0.9} for image in make_images(cast.project, 2)})
    assert "Sorting the images" in open_page(cast, browser_of, here)
    assert processes.wait_until(RankingAge.objects.exists, timeout_s=60)
    assert len(tiles_of(open_page(cast, browser_of, here))) == 2
