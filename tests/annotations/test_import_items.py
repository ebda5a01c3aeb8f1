"""Items of a JSON body: a bad one is named and skipped, and what other models say is shown until ours has looked."""

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations import draw_shares, tasks
from annotations.models import Decision, Image, ImportJob, Lease, OutsideSuggestion, QueueEntry, Role
from annotations.selectors import queue
from annotations.services import leases
from tests.annotations import files
from tests.annotations.test_leases import suggest
from tests.factories import answer_lease, make_images, make_tags


@pytest.fixture(autouse=True)
def shelf(cast, settings, tmp_path, monkeypatch):
    """Four pictures on the server; no image is drawn blind, since that would show nothing."""
    monkeypatch.setattr(draw_shares, "BLIND_SHARE", 0.0)
    cast.project.holdout_percent = 0
    cast.project.save(update_fields=["holdout_percent"])
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_ROOTS = [str(files.folder_of(tmp_path / "shelf", 4))]


@pytest.fixture
def landed(cast, client_of):
    def send(*items, **fields) -> ImportJob:
        address = f"/api/v1/projects/{cast.project.pk}/imports/"
        response = client_of(cast.manager).post(address, {"items": items, **fields}, format="json")
        assert response.status_code == 202, response.json()
        tasks.run_import(response.json()["id"])
        return ImportJob.objects.get(pk=response.json()["id"])

    return send


def suggested(*pairs):
    return [{"tag": tag, "score": score} for tag, score in pairs]


def shown(cast, count=1):
    """What a person is shown of each image: the tag, its score, whether it is offered, and its sources."""
    claimed = leases.claim_next(
        cast.project, cast.annotator, role=Role.ANNOTATOR, count=count, rng=random.Random(1)
    )
    return {
        lease.image_id: [
            (one["tag"]["name"], one["score"], one["offered"], [source["kind"] for source in one["sources"]])
            for one in queue.item(lease)["suggestions"]
        ]
        for lease in claimed
    }


@pytest.mark.parametrize(
    ("item", "name", "code"),
    [
        ({}, "items[1]", "bad_item"),
        ("p0001.jpg", "items[1]", "bad_item"),
        (None, "items[1]", "bad_item"),
        ({"path": 7}, "items[1]", "bad_item"),
        ({"path": "nope.jpg"}, "nope.jpg", "file_missing"),
        ({"path": "../secret.jpg"}, "../secret.jpg", "path_not_allowed"),
        ({"path": "a\0b.jpg"}, "ab.jpg", "path_not_allowed"),
        ({"path": "p0001.jpg", "tags": [1]}, "p0001.jpg", "bad_captions"),
        ({"path": "p0001.jpg", "caption": 3}, "p0001.jpg", "bad_captions"),
        ({"path": "p0001.jpg", "suggestions": {"dog": 1}}, "p0001.jpg", "bad_suggestions"),
        ({"path": "p0001.jpg", "suggestions": [{"score": 1}]}, "p0001.jpg", "bad_suggestions"),
        ({"path": "p0001.jpg", "suggestions": suggested(("dog", 1.5))}, "p0001.jpg", "bad_score"),
        ({"path": "p0001.jpg", "suggestions": suggested(("dog", True))}, "p0001.jpg", "bad_score"),
        ({"path": "p0001.jpg", "suggestions": suggested(("dog", "0.5"))}, "p0001.jpg", "bad_score"),
        ({"url": "ftp://example.org/a.jpg"}, "ftp://example.org/a.jpg", "bad_address"),
    ],
)
def test_a_bad_item_is_named_and_the_rest_lands(landed, item, name, code):
    job = landed({"path": "p0000.jpg", "caption": "one"}, item, {"path": "p0002.jpg"})
    assert [(error["item"], error["code"]) for error in job.errors] == [(name, code)]
    assert job.result == {"added": 2, "updated": 0, "duplicates": 0, "refused": 1}
    assert (job.done, job.total) == (3, 3)


def test_a_server_without_folders_says_so_of_each_item(landed, settings):
    settings.IMPORT_ROOTS = []
    job = landed({"path": "p0000.jpg"}, {"path": "p0001.jpg"})
    assert [(error["item"], error["code"]) for error in job.errors] == [
        ("p0000.jpg", "no_import_roots"),
        ("p0001.jpg", "no_import_roots"),
    ]


def test_suggestions_of_another_model_are_shown_as_such(cast, landed):
    make_tags(cast.project, "dog", "cat", "owl")
    said = suggested(("cat", 0.2), ("dog", 0.91), ("Dog ", 0.4), ("eel", 0.9))
    job = landed({"path": "p0000.jpg", "suggestions": said, "model_version": "clip-7"})
    assert [(error["item"], error["code"]) for error in job.errors] == [("p0000.jpg", "unknown_tag")]
    assert "“eel”" in job.errors[0]["message"] and job.result["refused"] == 0
    assert not cast.project.tags.filter(name="eel").exists() and not Decision.objects.exists()
    image = Image.objects.get()
    assert shown(cast)[image.pk] == [("dog", 0.91, True, ["import"]), ("cat", 0.2, False, ["import"])]
    stored = OutsideSuggestion.objects.get()
    assert (stored.model, stored.scores) == ("clip-7", [0.91, 0.2])


def test_they_join_what_the_prior_says_and_yield_to_a_head_of_ours(cast, landed):
    ids = make_tags(cast.project, "dog", "cat", "owl")
    landed({"path": "p0000.jpg", "suggestions": suggested(("dog", 0.95), ("owl", 0.3)), "model_version": 7})
    image = Image.objects.get()
    suggest(cast.project, image, [ids["dog"], ids["cat"]], offered=[ids["cat"]])
    assert shown(cast)[image.pk] == [
        ("dog", 0.95, True, ["vision", "import"]),
        ("cat", 0.8, True, ["vision"]),
        ("owl", 0.3, False, ["import"]),
    ]
    image.suggestion_set.model_number = 1
    image.suggestion_set.save(update_fields=["model_number"])
    token = Lease.objects.get(user=cast.annotator).token
    held, _ = leases.renew(cast.project, cast.annotator, [token], refresh=True)
    assert [[source["kind"] for source in one["sources"]] for one in held[0].shown] == [
        ["vision"],
        ["vision"],
    ]


def test_a_blind_item_shows_nothing_of_them(cast, landed):
    make_tags(cast.project, "dog")
    landed({"path": "p0000.jpg", "suggestions": suggested(("dog", 0.9))})
    Image.objects.update(is_holdout=True)
    QueueEntry.objects.update(is_holdout=True)
    assert OutsideSuggestion.objects.exists()
    assert list(shown(cast).values()) == [[]]


def test_what_was_offered_and_not_sent_is_an_explicit_no(cast, landed):
    make_tags(cast.project, "dog", "cat")
    landed({"path": "p0000.jpg", "suggestions": suggested(("dog", 0.9), ("cat", 0.8)), "model_version": "m"})
    lease = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR)[0]
    answer_lease(cast, cast.annotator, lease, yes=("dog",))
    said = {one.tag.name: (one.value, one.suggestion) for one in Decision.objects.select_related("tag")}
    assert said["cat"][0] == "no"
    assert said["dog"][1]["sources"] == [{"kind": "import", "score": 0.9, "model": "m"}]


def test_a_tag_that_people_rejected_is_not_suggested_again(cast, landed):
    ids = make_tags(cast.project, "dog", "cat")
    landed({"path": "p0000.jpg", "suggestions": suggested(("dog", 0.9), ("cat", 0.8))})
    image = Image.objects.get()
    Decision.objects.create(
        project=cast.project, image=image, tag_id=ids["dog"], user=cast.reviewer, value="no", scope="tag"
    )
    assert [name for name, *_ in shown(cast)[image.pk]] == ["cat"]


def test_suggestions_sent_again_are_stored_once_and_others_replace_them(cast, landed):
    make_tags(cast.project, "dog", "cat")
    item = {"path": "p0000.jpg", "suggestions": suggested(("dog", 0.9)), "model_version": "m"}
    assert landed(item).result["added"] == 1
    assert landed(item).result == {"added": 0, "updated": 0, "duplicates": 1, "refused": 0}
    changed = landed({**item, "suggestions": suggested(("cat", 0.5))})
    assert changed.result == {"added": 0, "updated": 1, "duplicates": 0, "refused": 0}
    assert OutsideSuggestion.objects.get().scores == [0.5]
    landed({**item, "model_version": "other"})
    assert OutsideSuggestion.objects.count() == 2


def test_queries_for_them_do_not_grow_with_images(cast):
    ids = make_tags(cast.project, "dog")
    images = make_images(cast.project, 22)
    OutsideSuggestion.objects.bulk_create(
        OutsideSuggestion(image=image, model="m", tag_ids=[ids["dog"]], scores=[0.9]) for image in images
    )
    counted = []
    for count, user in ((2, cast.annotator), (20, cast.second)):
        with CaptureQueriesContext(connection) as queries:
            leases.claim_next(
                cast.project, user, role=Role.ANNOTATOR, count=count, mode="random", rng=random.Random(1)
            )
        counted.append(len(queries))
    assert counted[0] == counted[1]
