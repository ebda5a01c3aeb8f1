"""The grid over the API: what to ask next, a page of answers stored once, and taking it back."""

import uuid

import pytest

from annotations import tasks
from annotations.models import Decision, RankingAge, VerifiedPage
from tests.annotations.test_verify import rank, suggest
from tests.factories import make_images, make_tags


@pytest.fixture
def api(cast, client_of):
    """The reviewer's client, and the address of the grid."""
    return client_of(cast.reviewer), f"/api/v1/projects/{cast.project.pk}/verify/"


@pytest.fixture
def dogs(cast):
    dog = make_tags(cast.project, "dog")["dog"]
    pictures = make_images(cast.project, 3, caption="Somebody runs.")
    for image, score in zip(pictures, (0.9, 0.62, 0.3), strict=True):
        suggest(cast.project, {image: {dog: score}})
    rank(cast.project)
    return [image.pk for image in pictures], dog


def test_the_next_images_come_with_what_a_tile_needs(api, dogs):
    client, address = api
    ids, dog = dogs
    answer = client.get(address, {"tag": "dog", "limit": 2}).json()
    assert answer["tag"] == {"id": dog, "name": "dog"}
    assert (answer["waiting"], answer["offered"]) == (3, 2)
    assert answer["built_at"]
    assert [(row["id"], row["score"], row["offered"]) for row in answer["results"]] == [
        (ids[0], 0.9, True),
        (ids[1], 0.62, True),
    ]
    first = answer["results"][0]
    assert first["large_thumbnail_url"].endswith(f"/images/{ids[0]}/thumbnail/?size=512")
    assert (first["width_px"], first["height_px"], first["caption"]) == (640, 480, "Somebody runs.")
    assert first["model_number"] == 1


def test_an_order_and_what_to_leave_out(api, dogs):
    client, address = api
    ids, dog = dogs
    answer = client.get(address, {"tag": dog, "order": "uncertain", "without": f"{ids[1]},999"}).json()
    assert [row["id"] for row in answer["results"]] == [ids[2], ids[0]]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 422),
        ({"tag": "unicorn"}, 422),
        ({"tag": "dog", "order": "worst"}, 400),
        ({"tag": "dog", "without": "1,x"}, 400),
        ({"tag": "dog", "without": ",".join(map(str, range(1, 1_002)))}, 400),
        ({"tag": "dog", "limit": 0}, 400),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(api, dogs, query, status):
    client, address = api
    assert client.get(address, query).status_code == status


def test_a_page_sent_twice_is_stored_once_and_answers_the_same(api, dogs):
    client, address = api
    ids, dog = dogs
    body = {
        "client_id": str(uuid.uuid4()),
        "tag": dog,
        "yes": ids[:2],
        "no": ids[2:],
        "seconds": 2.4,
        "model_number": 1,
    }
    first = client.post(address, body, format="json").json()
    assert first == {"page": VerifiedPage.objects.get().pk, "tag": dog, "yes": 2, "no": 1}
    assert client.post(address, body, format="json").json() == first
    assert (VerifiedPage.objects.count(), Decision.objects.count()) == (1, 3)
    assert client.post(address, body | {"yes": ids[:1]}, format="json").status_code == 409


def test_a_page_is_taken_back_once(api, dogs):
    client, address = api
    ids, _ = dogs
    page = client.post(address, {"tag": "dog", "yes": ids}, format="json").json()["page"]
    assert client.get(address, {"tag": "dog"}).json()["results"] == []
    answer = client.post(f"{address}{page}/undo/").json()
    assert (answer["page"], answer["yes"], answer["no"]) == (page, 3, 0)
    assert len(client.get(address, {"tag": "dog"}).json()["results"]) == 3
    again = client.post(f"{address}{page}/undo/")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_undone")
    assert client.post(f"{address}{page + 1}/undo/").status_code == 404


def test_another_project_cannot_take_a_page_back(cast, client_of, api, dogs):
    client, address = api
    page = client.post(address, {"tag": "dog", "yes": dogs[0]}, format="json").json()["page"]
    assert client_of(cast.outsider).post(f"{address}{page}/undo/").status_code == 404
    assert client_of(cast.annotator).post(f"{address}{page}/undo/").status_code == 403
    assert VerifiedPage.objects.get().undone_at is None


def test_asking_brings_an_old_order_up_to_date(
    api, dogs, monkeypatch, django_capture_on_commit_callbacks, cast
):
    client, address = api
    sent = []
    monkeypatch.setattr(tasks.refresh_rankings, "apply_async", lambda **options: sent.append(options["args"]))
    RankingAge.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        client.get(address, {"tag": "dog"})
    assert sent == [[cast.project.pk]]
