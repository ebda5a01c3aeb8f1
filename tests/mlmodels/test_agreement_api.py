"""The API of agreement: what it answers, for whom, and that its price does not grow."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.services import tags
from tests.annotations.spoken import reviewed
from tests.factories import make_images, make_tags


@pytest.fixture
def address(cast):
    return f"/api/v1/projects/{cast.project.pk}/agreement/"


@pytest.fixture
def ids(cast):
    return make_tags(cast.project, "dog", "cat", "old")


def judge(cast, ids, count, *, first=0):
    """Images with a dog by two people who differ on every fourth; every second one blind."""
    for place, image in enumerate(make_images(cast.project, count, first=first)):
        reviewed(cast.annotator, image, yes=[ids["dog"]] if place % 2 else [], blind=place % 2 == 0)
        reviewed(cast.second, image, yes=[ids["dog"]] if place % 4 else [], blind=place % 2 == 0)


def test_each_tag_in_use_and_all_together(cast, ids, client_of, address):
    judge(cast, ids, 40)
    tags.retire(cast.project.tags.get(name="old"), actor=cast.manager)
    body = client_of(cast.manager).get(address).json()
    assert (body["blind"], body["next"]) == (False, None)
    dog, cat = body["results"]
    assert dog["tag"] == {"id": ids["dog"], "name": "dog"}
    assert dog["lower"] < dog["alpha"] < dog["upper"]
    assert (dog["images"], dog["differ"], dog["rarer"]) == (40, 10, 20)
    assert dog["yes_share"] == pytest.approx(50 / 80)
    assert dog["reading"] == "unreliable"
    nothing = dict.fromkeys(("alpha", "lower", "upper", "reading"))
    assert cat == nothing | {
        "tag": {"id": ids["cat"], "name": "cat"},
        **{"images": 40, "differ": 0, "yes_share": 0.0, "rarer": 0},
    }
    assert body["overall"].keys() == dog.keys() - {"tag"}
    assert (body["overall"]["images"], body["overall"]["differ"]) == (40, 10)
    assert body["overall"]["alpha"] == pytest.approx(dog["alpha"])


def test_blind_images_alone(cast, ids, client_of, address):
    judge(cast, ids, 40)
    body = client_of(cast.manager).get(address, {"blind": "true"}).json()
    assert (body["blind"], body["overall"]["images"], body["overall"]["differ"]) == (True, 20, 10)
    refused = client_of(cast.manager).get(address, {"blind": "perhaps"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_flag")


def test_nothing_to_compare_is_no_error(cast, ids, client_of, address):
    body = client_of(cast.manager).get(address).json()
    assert (body["overall"]["alpha"], body["overall"]["images"]) == (None, 0)
    assert [row["alpha"] for row in body["results"]] == [None] * 3


def test_queries_do_not_grow_with_images_or_tags(cast, ids, client_of, address):
    client = client_of(cast.manager)

    def count():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    judge(cast, ids, 2)
    few = count()
    make_tags(cast.project, *(f"tag {number}" for number in range(20)))
    cast.project.refresh_from_db()
    judge(cast, ids, 20, first=2)
    assert count() == few
