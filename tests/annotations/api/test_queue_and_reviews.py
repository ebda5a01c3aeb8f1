"""The API's answers for queue and reviews: shapes and status codes that other programs rely on."""

import uuid

import pytest

from tests.annotations.test_leases import suggest
from tests.factories import make_images, make_tags, review_next


def address(cast, tail):
    return f"/api/v1/projects/{cast.project.pk}/{tail}"


def next_item(client, cast, **body):
    return client.post(address(cast, "queue/next/"), body, format="json").json()["items"][0]


def review_of(item, **said):
    return {
        "client_id": str(uuid.uuid4()),
        "image": item["image"]["id"],
        "lease": item["lease"]["token"],
        "revision": item["image"]["revision"],
        "tags": [],
    } | said


def send(client, cast, body):
    return client.post(address(cast, "reviews/"), body, format="json")


def test_an_item_has_the_shape_of_the_contract(cast, client_of):
    words = make_tags(cast.project, "dog")
    image = make_images(cast.project, 1, caption="A puppy.")[0]
    suggest(cast.project, image, [words["dog"]], offered=[words["dog"]])
    client = client_of(cast.annotator)
    answer = client.post(address(cast, "queue/next/"), {"mode": "uncertain"}, format="json").json()
    assert answer["queue"] == {"remaining": 1, "leased_by_me": 1}
    item = answer["items"][0]
    assert set(item) >= {"image", "lease", "suggestions", "model_version", "why", "blind"}
    assert set(item["image"]) >= {
        "id",
        "url",
        "thumbnail_url",
        "width_px",
        "height_px",
        "caption",
        "revision",
    }
    assert set(item["lease"]) == {"token", "expires_at"}
    assert item["suggestions"] == [
        {
            "tag": {"id": words["dog"], "name": "dog"},
            "score": 0.9,
            "offered": True,
            "sources": [{"kind": "vision", "score": 0.9}],
        }
    ]
    assert (item["calibrated"], item["blind"]) == (False, False)
    assert item["model_version"] == {"id": None, "number": 0}


def test_what_remains_counts_unsure_images_for_those_who_get_them(cast, client_of):
    make_images(cast.project, 2)
    client = client_of(cast.annotator)
    send(client, cast, review_of(next_item(client, cast), outcome="unsure"))

    def left(user):
        return (
            client_of(user).post(address(cast, "queue/next/"), {}, format="json").json()["queue"]["remaining"]
        )

    assert (left(cast.annotator), left(cast.reviewer)) == (1, 2)


def test_a_review_is_created_once_and_repeated_with_200(cast, client_of):
    words = make_tags(cast.project, "dog")
    make_images(cast.project, 1)
    client = client_of(cast.annotator)
    body = review_of(next_item(client, cast), tags=["dog"])
    first, again = send(client, cast, body), send(client, cast, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["yes"] == [words["dog"]]
    assert send(client, cast, body | {"tags": []}).json()["error"]["code"] == "client_id_reused"


def test_an_unknown_tag_is_422_and_names_it(cast, client_of):
    make_images(cast.project, 1)
    client = client_of(cast.annotator)
    answer = send(client, cast, review_of(next_item(client, cast), tags=["unicorn"]))
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "unknown_tag"
    assert "unicorn" in answer.json()["error"]["message"]


def test_a_stale_revision_is_409_with_the_present_state(cast, client_of):
    image = make_images(cast.project, 1)[0]
    client = client_of(cast.annotator)
    item = next_item(client, cast)
    client_of(cast.manager).patch(
        address(cast, f"images/{image.pk}/"), {"revision": 1, "caption": "A dog."}, format="json"
    )
    answer = send(client, cast, review_of(item))
    assert answer.status_code == 409
    assert answer.json()["error"]["fields"] | {"review": 0} == {
        "image": image.pk,
        "state": "pending",
        "revision": 2,
        "review": 0,
    }


@pytest.mark.parametrize("change", [{}, {"caption": "A dog."}, {"caption": "A dog.", "metadata": {}}])
def test_a_change_that_changes_nothing_lets_who_holds_the_image_answer(cast, client_of, change):
    image = make_images(cast.project, 1, caption="A dog.")[0]
    client = client_of(cast.annotator)
    item = next_item(client, cast)
    same = client_of(cast.manager).patch(
        address(cast, f"images/{image.pk}/"), {"revision": 1} | change, format="json"
    )
    assert (same.status_code, same.json()["revision"]) == (200, 1)
    assert send(client, cast, review_of(item)).status_code == 201


def test_a_list_of_reviews_is_answered_in_order_and_one_bad_one_stops_nothing(cast, client_of):
    make_tags(cast.project, "dog")
    make_images(cast.project, 2)
    client = client_of(cast.annotator)
    items = client.post(address(cast, "queue/next/"), {"count": 2}, format="json").json()["items"]
    answers = send(
        client,
        cast,
        [
            review_of(items[0], tags=["dog"]),
            review_of(items[1], tags=["unicorn"]),
            {"image": 1},
            review_of(items[1]),
        ],
    )
    assert answers.status_code == 200
    assert [answer["status"] for answer in answers.json()] == [201, 422, 400, 201]
    assert "lease" in answers.json()[2]["error"]["message"]


def test_undo_answers_the_item_with_a_new_lease(cast, client_of):
    make_images(cast.project, 1)
    client = client_of(cast.annotator)
    item = next_item(client, cast)
    stored = send(client, cast, review_of(item)).json()
    answer = client.post(address(cast, f"reviews/{stored['id']}/undo/")).json()
    assert answer["image"]["id"] == item["image"]["id"]
    assert answer["lease"]["token"] != item["lease"]["token"]
    assert answer["review"]["undone_at"] is not None
    assert send(client, cast, review_of(answer)).status_code == 201


def test_malformed_bodies_are_400_and_say_what_is_wrong(cast, client_of):
    make_images(cast.project, 1)
    client = client_of(cast.annotator)
    item = next_item(client, cast)
    for body, field in (
        (review_of(item, revision="x"), "revision"),
        (review_of(item, outcome="maybe"), "outcome"),
        (review_of(item, tags="dog"), "tags"),
        (review_of(item, tags=[{"id": 1}]), "tags"),
        (review_of(item, client_id="7"), "client_id"),
        (review_of(item, seconds=-1), "seconds"),
        (review_of(item, lease="no token"), "lease"),
    ):
        answer = send(client, cast, body)
        assert answer.status_code == 400, body
        assert field in answer.json()["error"]["message"]


def test_lists_are_paged_by_key(cast, client_of):
    make_images(cast.project, 5)
    client = client_of(cast.annotator)
    for ordering in ("created", "newest", "priority", "shuffle"):
        seen, where = [], address(cast, f"images/?limit=2&ordering={ordering}")
        while where:
            answer = client.get(where).json()
            seen += [row["id"] for row in answer["results"]]
            assert answer["count"] == 5
            where = answer["next"]
        assert len(seen) == len(set(seen)) == 5


def test_a_holdout_image_shows_no_suggestions_before_its_review(cast, client_of):
    words = make_tags(cast.project, "dog")
    image = make_images(cast.project, 1, holdout=True)[0]
    suggest(cast.project, image, [words["dog"]], offered=[words["dog"]])
    client = client_of(cast.manager)
    assert client.get(address(cast, f"images/{image.pk}/")).json()["suggestions"] == []
    assert client.get(address(cast, "images/?suggested=dog")).json()["results"] == []
    send(client, cast, review_of(next_item(client, cast), tags=["dog"]))
    assert client.get(address(cast, f"images/{image.pk}/")).json()["suggestions"] != []


def test_annotators_see_their_own_history_and_reviewers_everybodys(cast, client_of):
    image = make_images(cast.project, 1)[0]
    review_next(cast, cast.second)
    seen = {
        user.username: [
            entry["user"]
            for entry in client_of(user).get(address(cast, f"images/{image.pk}/")).json()["history"]
        ]
        for user in (cast.annotator, cast.second, cast.reviewer)
    }
    assert seen == {"annotator": [], "second": ["second"], "reviewer": ["second"]}


def test_type_ahead_finds_a_word_within_a_name_before_what_may_be_a_typo(cast, client_of):
    make_tags(cast.project, "golden retriever", "t-shirt", "retrieval", "car", "naïve café", "overstrained")
    make_tags(cast.project, "沙滩上的人")
    client = client_of(cast.annotator)

    def found(text: str) -> list[str]:
        query = {"q": text, "limit": 5}
        return [row["name"] for row in client.get(address(cast, "tags/"), query).json()["results"]]

    assert found("retrie") == ["retrieval", "golden retriever"]
    assert found("shirt") == ["t-shirt"]
    assert found("train") == ["overstrained"]
    assert found("café") == ["naïve café", "car"]
    assert found("滩上") == ["沙滩上的人"]
    assert found("en re") == ["golden retriever"]


def test_type_ahead_forgives_a_typo_and_knows_aliases(cast, client_of):
    client = client_of(cast.manager)
    client.post(
        address(cast, "tags/"),
        [{"name": "motorcycle", "aliases": ["motorbike"]}, {"name": "mountain"}, {"name": "100% wool"}],
        format="json",
    )

    def found(text):
        rows = client.get(address(cast, "tags/"), {"q": text}).json()["results"]
        return [(row["name"], row["matched_alias"]) for row in rows]

    assert found("mot") == [("motorcycle", None)]
    assert found("motorcycel")[0] == ("motorcycle", None)
    assert found("motorb") == [("motorcycle", "motorbike")]
    assert found("100%") == [("100% wool", None)]
    assert found("zzz") == []
