"""Actions on many images: what they do, who may, that a kill heals, and that they can be taken back."""

import uuid

import pytest

from annotations import tasks
from annotations.models import BulkJob, Decision, Image, JobState, QueueEntry
from annotations.selectors import counters, truth
from annotations.selectors.bulk import recent
from annotations.services import bulk, jobs
from tests.factories import make_images, make_tags, review_next


@pytest.fixture
def start(cast, client_of):
    """Posts an action as somebody and runs it, as a worker would."""

    def post(user, body, status=202):
        answer = client_of(user).post(f"/api/v1/projects/{cast.project.pk}/images/bulk/", body, format="json")
        assert answer.status_code == status, answer.json()
        if status == 202:
            tasks.run_bulk(answer.json()["id"])
            return BulkJob.objects.get(pk=answer.json()["id"])
        return answer.json()

    return post


def verdicts(cast, images):
    found = truth.verdicts(cast.project, [image.pk for image in images])
    return [found[image.pk] for image in images]


def test_a_tag_is_added_to_all_of_a_filter_and_taken_back(cast, start, client_of):
    ids = make_tags(cast.project, "dog", "cat")
    boats = make_images(cast.project, 3, caption="A boat.")
    others = make_images(cast.project, 2, first=3)
    job = start(cast.reviewer, {"filter": {"q": "boat"}, "add": ["dog"], "remove": ["cat"], "count": 3})
    assert (job.state, job.done, job.total) == (JobState.DONE, 3, 3)
    assert job.result == {"changed": 3, "left_out": 0}
    for said in verdicts(cast, boats):
        assert said.yes == {ids["dog"]} and said.no == {ids["cat"]}
    assert not any(said.yes for said in verdicts(cast, others))
    assert set(Decision.objects.values_list("scope", flat=True)) == {"tag"}
    assert set(Image.objects.values_list("state", flat=True)) == {"pending"}
    undone = client_of(cast.reviewer).post(f"/api/v1/projects/{cast.project.pk}/images/bulk/{job.pk}/undo/")
    assert undone.status_code == 202
    tasks.run_bulk(undone.json()["id"])
    assert not any(said.yes or said.no for said in verdicts(cast, boats))
    assert Decision.objects.count() == 6  # the rows stay
    again = client_of(cast.reviewer).post(f"/api/v1/projects/{cast.project.pk}/images/bulk/{job.pk}/undo/")
    assert again.status_code == 409


def test_taking_back_leaves_what_was_there_before(cast, start):
    """An image that had the tag gets no second yes, and keeps the first when the action is taken back."""
    ids = make_tags(cast.project, "dog")
    images = make_images(cast.project, 2)
    recorded = review_next(cast, cast.annotator, yes=("dog",))
    job = start(cast.reviewer, {"ids": [image.pk for image in images], "add": [ids["dog"]]})
    assert job.result == {"changed": 1, "left_out": 1}
    undo = bulk.undo(cast.membership(cast.reviewer), job)
    tasks.run_bulk(undo.pk)
    by_id = truth.verdicts(cast.project, [image.pk for image in images])
    assert {pk for pk, said in by_id.items() if said.yes} == {recorded.review.image_id}
    told = recent(cast.project)[0]
    assert (told.done, told.changed, told.left_out) == ("Took back", 1, 0), (
        "nobody has changed the other since"
    )


def test_images_go_to_the_trash_and_come_back_with_all_counts(cast, start):
    images = [*make_images(cast.project, 3), *make_images(cast.project, 1, first=3, holdout=True)]
    review_next(cast, cast.annotator)
    before = counters.read(cast.project.pk)
    queued = set(QueueEntry.objects.values_list("image_id", flat=True))
    job = start(cast.manager, {"filter": {}, "delete": True})
    assert not Image.objects.filter(deleted_at=None).exists() and not QueueEntry.objects.exists()
    assert counters.read(cast.project.pk)["images"] == 0
    tasks.run_bulk(bulk.undo(cast.membership(cast.manager), job).pk)
    assert Image.objects.filter(deleted_at=None).count() == len(images)
    assert set(QueueEntry.objects.values_list("image_id", flat=True)) == queued
    assert counters.read(cast.project.pk) == before


def test_what_was_deleted_otherwise_stays_deleted(cast, start, client_of):
    gone, here = make_images(cast.project, 2)
    client_of(cast.manager).delete(f"/api/v1/projects/{cast.project.pk}/images/{gone.pk}/")
    job = start(cast.manager, {"ids": [gone.pk, here.pk], "delete": True})
    assert job.total == 1
    tasks.run_bulk(bulk.undo(cast.membership(cast.manager), job).pk)
    assert list(Image.objects.filter(deleted_at=None)) == [here]


def test_sent_to_the_front_an_image_is_asked_about_next(cast, start):
    images = make_images(cast.project, 5)
    reviewed = review_next(cast, cast.annotator).review.image_id
    wanted = next(image for image in reversed(images) if image.pk != reviewed)
    job = start(cast.reviewer, {"ids": [wanted.pk, reviewed], "queue": True})
    assert job.result == {"changed": 1, "left_out": 1}
    first = QueueEntry.objects.order_by("-priority", "rank", "image_id").first()
    assert first.image_id == wanted.pk
    tasks.run_bulk(bulk.undo(cast.membership(cast.reviewer), job).pk)
    assert not QueueEntry.objects.exclude(priority=0).exists()


@pytest.mark.parametrize(("who", "returned"), [("reviewer", False), ("manager", True)])
def test_broken_images_are_returned_by_managers_only(cast, start, who, returned):
    make_images(cast.project, 1)
    image_id = review_next(cast, cast.annotator, outcome="broken").review.image_id
    start(getattr(cast, who), {"filter": {}, "queue": True})
    assert QueueEntry.objects.filter(image=image_id).exists() is returned
    assert counters.read(cast.project.pk).get("pending", 0) == int(returned)


def test_the_same_client_id_starts_one_action(cast, client_of):
    make_tags(cast.project, "dog")
    make_images(cast.project, 2)
    body = {"filter": {}, "add": ["dog"], "client_id": str(uuid.uuid4())}
    address = f"/api/v1/projects/{cast.project.pk}/images/bulk/"
    first, again = (client_of(cast.reviewer).post(address, body, format="json") for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"] and BulkJob.objects.count() == 1
    other = client_of(cast.reviewer).post(address, body | {"add": [], "queue": True}, format="json")
    assert other.status_code == 409 and other.json()["error"]["code"] == "client_id_reused"


def test_a_killed_worker_leaves_nothing_twice(cast, monkeypatch):
    """The step that was cut off is rolled back; the successor goes on behind the last whole one."""
    make_tags(cast.project, "dog")
    make_images(cast.project, 5)
    monkeypatch.setattr(bulk, "STEP_IMAGES", 2)
    job = bulk.start(cast.membership(cast.reviewer), filter={}, add=["dog"])
    held = jobs.claim(BulkJob, job.pk)
    steps = iter([None, RuntimeError("killed")])
    whole = jobs.beat

    def beat(job, **changes):
        whole(job, **changes)
        if error := next(steps, None):
            raise error

    monkeypatch.setattr(jobs, "beat", beat)
    with pytest.raises(RuntimeError):
        bulk.run(held)
    monkeypatch.setattr(jobs, "beat", whole)
    assert Decision.objects.count() == 2
    BulkJob.objects.filter(pk=job.pk).update(heartbeat_at="2020-01-01T00:00:00Z")
    tasks.run_bulk(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.DONE, 5)
    assert Decision.objects.count() == Decision.objects.values("image").distinct().count() == 5


def test_a_cancelled_action_stops_and_can_be_taken_back(cast, client_of, monkeypatch):
    make_tags(cast.project, "dog")
    make_images(cast.project, 4)
    monkeypatch.setattr(bulk, "STEP_IMAGES", 2)
    job = bulk.start(cast.membership(cast.reviewer), filter={}, add=["dog"])
    held = jobs.claim(BulkJob, job.pk)
    bulk._one_step(held, bulk._do_step)
    address = f"/api/v1/projects/{cast.project.pk}/images/bulk/{job.pk}/cancel/"
    assert client_of(cast.reviewer).post(address).status_code == 200
    bulk.run(held)
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.CANCELLED, 2)
    tasks.run_bulk(bulk.undo(cast.membership(cast.reviewer), job).pk)
    assert not Decision.objects.filter(undone_at=None).exists()


def test_images_that_fit_the_filter_later_are_not_touched(cast):
    make_tags(cast.project, "dog")
    first = make_images(cast.project, 1)[0]
    job = bulk.start(cast.membership(cast.reviewer), filter={}, add=["dog"])
    make_images(cast.project, 1, first=1)
    tasks.run_bulk(job.pk)
    assert list(Decision.objects.values_list("image_id", flat=True)) == [first.pk]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"filter": {}}, 400, "nothing_to_do"),
        ({"add": ["dog"]}, 400, "bad_choice"),
        ({"filter": {}, "ids": [1], "add": ["dog"]}, 400, "bad_choice"),
        ({"filter": {"colour": "red"}, "add": ["dog"]}, 400, "bad_filter"),
        ({"filter": {"tag": ["dog"]}, "add": ["dog"]}, 400, "bad_query"),
        ({"filter": {}, "add": ["unheard"]}, 422, "unknown_tag"),
        ({"filter": {}, "add": ["dog"], "remove": ["dog"]}, 400, "contradiction"),
        ({"filter": {}, "add": ["dog"], "delete": True}, 400, "contradiction"),
        ({"filter": {}, "add": ["dog"], "count": 7}, 409, "count_changed"),
    ],
)
def test_what_makes_no_sense_is_refused_and_stores_nothing(cast, start, body, status, code):
    make_tags(cast.project, "dog")
    make_images(cast.project, 1)
    assert start(cast.manager, body, status)["error"]["code"] == code
    assert not BulkJob.objects.exists()


def test_reviewers_tag_and_only_managers_delete(cast, start):
    make_tags(cast.project, "dog")
    make_images(cast.project, 1)
    start(cast.annotator, {"filter": {}, "add": ["dog"]}, 403)
    start(cast.reviewer, {"filter": {}, "delete": True}, 403)
    start(cast.outsider, {"filter": {}, "add": ["dog"]}, 404)
    assert start(cast.manager, {"filter": {}, "delete": True}).state == JobState.DONE


def test_ids_of_another_project_are_none_of_ours(cast, start):
    from annotations.models import Project

    make_tags(cast.project, "dog")
    foreign = make_images(Project.objects.get(name="Elsewhere"), 1)[0]
    assert start(cast.reviewer, {"ids": [foreign.pk], "add": ["dog"]}).total == 0
    assert not Decision.objects.exists()
