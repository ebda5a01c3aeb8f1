"""The API of disagreements: lists, the last word, the way back, and requests that come twice."""

import uuid

import pytest

from annotations.models import Decision
from tests.factories import make_images, make_tags, review_by_two


@pytest.fixture
def tag_ids(cast):
    return make_tags(cast.project, "dog", "lake")


@pytest.fixture
def images(cast, tag_ids):
    found = make_images(cast.project, 3)
    for image in found:
        review_by_two(cast, image, ["dog"], ["lake"])
    return found


@pytest.fixture
def reviewer(cast, client_of):
    return client_of(cast.reviewer)


@pytest.fixture
def address(cast):
    return f"/api/v1/projects/{cast.project.pk}/disagreements/"


def test_an_image_is_told_with_both_sides_of_each_tag(reviewer, images, address):
    body = reviewer.get(address, {"limit": 1}).json()

    (one,) = body["results"]
    assert one["image"]["id"] == images[0].pk
    assert [other["tag"]["name"] for other in one["disagreements"]] == ["dog", "lake"]
    said = {told["person"]: (told["value"], told["alone"]) for told in one["disagreements"][0]["said"]}
    assert said == {"annotator": ("yes", False), "second": ("implied", False)}
    assert one["agreed"] == []
    assert body["count"] == 3


def test_pages_follow_each_other_to_the_end(reviewer, images, address, tag_ids):
    found, following = [], f"{address}?limit=2&tag=dog"
    while following:
        body = reviewer.get(following).json()
        found += [one["image"]["id"] for one in body["results"]]
        following = body["next"]

    assert found == [image.pk for image in images]


def test_a_last_word_is_stored_once_and_taken_back(reviewer, images, address, tag_ids):
    body = {"image": images[0].pk, "tag": tag_ids["dog"], "answer": "no", "client_id": str(uuid.uuid4())}
    first, again = reviewer.post(address, body), reviewer.post(address, body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    decision = Decision.objects.get(scope="adjudicate")
    assert first.json() == {"decision": decision.pk, "verdict": "no", "state": "disputed"}
    other = reviewer.post(address, body | {"tag": tag_ids["lake"], "client_id": str(uuid.uuid4())}).json()
    assert other["state"] == "reviewed"

    undone = reviewer.post(f"{address}{decision.pk}/undo/")
    assert undone.status_code == 200
    assert (undone.json()["verdict"], undone.json()["state"]) == ("disputed", "disputed")
    assert reviewer.post(f"{address}{decision.pk}/undo/").status_code == 409


def test_what_is_settled_or_unknown_is_refused_with_a_code(reviewer, images, address, tag_ids):
    body = {"image": images[0].pk, "tag": tag_ids["dog"], "answer": "no"}
    reviewer.post(address, body)

    settled = reviewer.post(address, body)
    assert (settled.status_code, settled.json()["error"]["code"]) == (409, "not_disputed")
    assert reviewer.post(address, body | {"answer": "maybe"}).status_code == 400
    assert reviewer.post(address, body | {"image": 2**40}).status_code == 404
    assert reviewer.get(address, {"tag": "unheard of"}).status_code == 422
    assert Decision.objects.filter(scope="adjudicate").count() == 1


def test_annotators_have_no_last_word(cast, client_of, images, address, tag_ids):
    annotator, outsider = client_of(cast.annotator), client_of(cast.outsider)
    body = {"image": images[0].pk, "tag": tag_ids["dog"], "answer": "no"}

    assert annotator.post(address, body).status_code == 403
    assert annotator.post(f"{address}1/undo/").status_code == 403
    assert outsider.post(address, body).status_code == 404
    assert not Decision.objects.filter(scope="adjudicate").exists()
