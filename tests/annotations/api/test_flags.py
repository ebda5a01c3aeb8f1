"""The API of flags."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Flag, FlagComment
from annotations.services import flags
from tests.factories import Cast, make_images


@pytest.fixture
def address(cast: Cast) -> str:
    return f"/api/v1/projects/{cast.project.pk}/flags/"


def raise_many(cast: Cast, count: int) -> None:
    image = cast.project.images.first() or make_images(cast.project, 1)[0]
    for number in range(count):
        flag = flags.raise_flag(cast.project, image.pk, comment=f"Flag {number}", actor=cast.annotator)
        flags.answer(flag, text="An answer.", actor=cast.second)


def test_a_flag_is_raised_answered_resolved_and_opened_again(cast, client_of, address):
    (image,) = make_images(cast.project, 1)
    annotator, reviewer = client_of(cast.annotator), client_of(cast.reviewer)
    made = annotator.post(address, {"image": image.pk, "comment": "Which breed?"}, format="json")
    assert made.status_code == 201
    flag = made.json()
    assert (flag["author"], flag["comment"], flag["state"]) == ("annotator", "Which breed?", "open")
    assert flag["image"]["thumbnail_url"].endswith(f"/images/{image.pk}/thumbnail/?size=256")
    own = f"{address}{flag['id']}/"
    assert reviewer.post(f"{own}comments/", {"comment": "Any dog."}, format="json").status_code == 201
    assert reviewer.post(f"{own}resolve/").json()["resolved_by"] == "reviewer"
    assert reviewer.post(f"{own}resolve/").json()["error"]["code"] == "already_resolved"
    assert annotator.get(f"{address}?state=open").json()["results"] == []
    shown = annotator.get(own).json()
    assert [(one["author"], one["comment"]) for one in shown["comments"]] == [("reviewer", "Any dog.")]
    assert reviewer.post(f"{own}reopen/").json()["state"] == "open"


def test_what_is_sent_twice_is_stored_once(cast, client_of, address):
    (image,) = make_images(cast.project, 1)
    client = client_of(cast.reviewer)
    body = {"image": image.pk, "comment": "See.", "client_id": str(uuid.uuid4())}
    first, second = (client.post(address, body, format="json") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    other = client.post(address, body | {"comment": "Other."}, format="json")
    assert other.json()["error"]["code"] == "client_id_reused"
    own = f"{address}{first.json()['id']}/"
    answer = {"comment": "Yes.", "client_id": str(uuid.uuid4())}
    assert [client.post(f"{own}comments/", answer, format="json").status_code for _ in range(2)] == [201, 200]
    decision = {"client_id": str(uuid.uuid4())}
    assert [client.post(f"{own}resolve/", decision, format="json").status_code for _ in range(2)] == [
        200,
        200,
    ]
    assert (Flag.objects.count(), FlagComment.objects.count()) == (1, 1)


def test_a_list_answers_each_flag_for_itself(cast, client_of, address):
    (image,) = make_images(cast.project, 1)
    bodies = [
        {"image": image.pk, "comment": "One."},
        {"image": image.pk, "comment": " "},
        {"image": image.pk + 1, "comment": "Three."},
        7,
    ]
    answer = client_of(cast.annotator).post(address, bodies, format="json")
    assert [one["status"] for one in answer.json()] == [201, 400, 404, 400]
    assert answer.json()[0]["flag"]["comment"] == "One."
    assert Flag.objects.count() == 1


def test_somebody_elses_flag_is_not_there_for_an_annotator(cast, client_of, address):
    raise_many(cast, 1)
    own = f"{address}{Flag.objects.get().pk}/"
    client = client_of(cast.second)
    assert client.get(own).status_code == 404
    assert client.post(f"{own}comments/", {"comment": "Me too."}, format="json").status_code == 404


def test_pages_follow_each_other_and_filters_hold(cast, client_of, address):
    raise_many(cast, 5)
    image = cast.project.images.get()
    client = client_of(cast.reviewer)
    first = client.get(f"{address}?limit=3&image={image.pk}").json()
    rest = client.get(first["next"]).json()
    said = [flag["comment"] for page in (first, rest) for flag in page["results"]]
    assert said == [f"Flag {number}" for number in (4, 3, 2, 1, 0)]
    assert rest["next"] is None
    assert client.get(f"{address}?image={image.pk + 1}").json()["results"] == []
    for wrong in ("state=gone", "image=x", f"after={'9' * 40}"):
        assert client.get(f"{address}?{wrong}").status_code == 400


def test_the_list_costs_the_same_for_two_and_for_twenty(cast, client_of, address):
    client = client_of(cast.reviewer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    raise_many(cast, 2)
    few = queries()
    raise_many(cast, 18)
    assert queries() == few
