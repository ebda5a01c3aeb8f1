"""The API of suspects: pages of either kind, a person's word, the way back, and requests that come twice."""

import uuid

import pytest
from django.utils import timezone

from annotations.models import Decision
from mlmodels.models import Suspect, SuspectCheck, SuspectList
from mlmodels.services import versions
from tests.mlmodels.views.conftest import version_of


@pytest.fixture
def listed(planted):
    """Every yes of ten reviews is suspected, in the order of images and tags."""
    planted.images(12)
    reviewed = planted.review(10)
    version = version_of(planted, 4, trained_images=60)
    versions.go_live(version)
    SuspectList.objects.create(project=planted.project, version=version, read_at=timezone.now())
    pairs = [(image, name) for image in reviewed for name in planted.yes_of(image)]
    Suspect.objects.bulk_create(
        Suspect(
            project=planted.project,
            image=image,
            tag_id=planted.tags[name],
            kind="wrong",
            rank=rank,
            score=rank / 100,
        )
        for rank, (image, name) in enumerate(pairs, 1)
    )
    planted.pairs = [(image.pk, planted.tags[name]) for image, name in pairs]
    return planted


@pytest.fixture
def reviewer(listed, client_of):
    return client_of(listed.cast.reviewer)


@pytest.fixture
def address(listed):
    return f"/api/v1/projects/{listed.project.pk}/suspects/"


def test_a_page_tells_image_tag_score_and_who_said_it(reviewer, listed, address):
    body = reviewer.get(address, {"limit": 1}).json()

    (one,) = body["results"]
    assert (one["image"]["id"], one["tag"]["id"]) == listed.pairs[0]
    assert one["kind"] == "wrong"
    assert one["score"] == 0.01
    (said,) = one["said"]
    assert (said["person"], said["value"], said["alone"]) == ("annotator", "yes", False)
    assert body["model_number"] == 4
    assert (body["learnt_images"], body["needed_images"]) == (60, 50)
    assert body["backbone_has_seen_answers"] is False
    assert body["counts"] == {"wrong": len(listed.pairs), "missing": 0}


def test_pages_follow_each_other_to_the_end(reviewer, listed, address):
    found, following = [], f"{address}?limit=4"
    while following:
        body = reviewer.get(following).json()
        found += [(one["image"]["id"], one["tag"]["id"]) for one in body["results"]]
        following = body["next"]

    assert found == listed.pairs


def test_a_list_can_be_of_one_tag_and_of_the_other_kind(reviewer, listed, address):
    tags = {one["tag"]["name"] for one in reviewer.get(address, {"tag": "boat"}).json()["results"]}

    assert tags == {"boat"}
    assert reviewer.get(address, {"kind": "missing"}).json()["results"] == []
    assert reviewer.get(address, {"kind": "odd"}).json()["error"]["code"] == "bad_kind"
    assert reviewer.get(address, {"tag": "zebra"}).status_code == 422


def test_a_word_is_stored_once_and_taken_back_once(reviewer, listed, address):
    image_id, tag_id = listed.pairs[0]
    body = {"client_id": str(uuid.uuid4()), "image": image_id, "tag": tag_id, "answer": "no"}

    first, second = (reviewer.post(address, body, format="json") for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json()["verdict"] == "no"
    decision = Decision.objects.get(scope="adjudicate")
    assert decision.pk == first.json()["decision"]
    assert SuspectCheck.objects.get().decision == decision
    assert reviewer.get(address).json()["counts"]["wrong"] == len(listed.pairs) - 1

    said = {"client_id": str(uuid.uuid4())}
    undone = [reviewer.post(f"{address}{decision.pk}/undo/", body) for body in (said, said, None)]
    assert [answer.status_code for answer in undone] == [200, 200, 409]
    assert undone[1].json() == undone[0].json() and undone[0].json()["tag"]["id"] == tag_id
    assert reviewer.get(address).json()["counts"]["wrong"] == len(listed.pairs)


def test_a_reviewers_word_settles_what_somebody_else_said_of_the_tag_alone(
    listed, client_of, reviewer, address
):
    image_id, tag_id = listed.pairs[0]
    verify = f"/api/v1/projects/{listed.project.pk}/verify/"
    client_of(listed.cast.manager).post(verify, {"tag": tag_id, "yes": [image_id]}, format="json")
    SuspectList.objects.update(read_at=timezone.now())

    answer = reviewer.post(address, {"image": image_id, "tag": tag_id, "answer": "no"}, format="json")

    assert answer.json()["verdict"] == "no"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"image": 1, "tag": 1}, 400),
        ({"image": 1, "tag": 1, "answer": "perhaps"}, 400),
        ({"image": 10**12, "tag": 1, "answer": "no"}, 404),
        ([], 400),
    ],
)
def test_what_makes_no_sense_is_refused_and_stores_nothing(reviewer, listed, address, body, status):
    assert reviewer.post(address, body, format="json").status_code == status
    assert not SuspectCheck.objects.exists()


def test_an_answer_that_was_no_suspects_cannot_be_undone_here(reviewer, listed, address):
    other = Decision.objects.filter(scope="image").first()

    assert reviewer.post(f"{address}{other.pk}/undo/").status_code == 404
