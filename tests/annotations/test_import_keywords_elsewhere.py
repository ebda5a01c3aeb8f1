"""Keywords inside pictures that come by addresses and from S3: read before the first one lands, each fetched once."""

import threading

import pytest

from annotations import tasks
from annotations.exporters import keywords
from annotations.importers import buckets, fetching
from annotations.models import Decision, Image, ImportJob, JobState
from annotations.selectors import import_reports, truth
from annotations.services import import_keywords, imports, jobs, storage
from tests.annotations import files, web
from tests.annotations.test_import_buckets import BUCKET, endpoint, s3
from tests.annotations.test_import_reliability import KilledError, fall_silent, killed_after_batches

__all__ = ["endpoint", "s3"]


@pytest.fixture(autouse=True)
def our_network(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_NETWORKS = web.LOOPBACK
    monkeypatch.setattr(fetching, "PAUSES_S", (0.01, 0.01))


def picture(seed, *, caption="", tags=()):
    return keywords.embedded(files.picture(seed), caption=caption, tags=tags)


INSIDE = {
    "1.jpg": picture(1, caption="A dog 🐕", tags=["dog"]),
    "2.jpg": picture(2, tags=["cat", "wet, green grass"]),
    "3.jpg": files.picture(3),
}
TAGS = {"1.jpg": ["dog"], "2.jpg": ["cat", "wet, green grass"], "3.jpg": []}


@pytest.fixture
def server():
    with web.serving({f"/{name}": web.picture(data) for name, data in INSIDE.items()}) as running:
        yield running


@pytest.fixture
def start(cast, client_of):
    def send(**body) -> ImportJob:
        address = f"/api/v1/projects/{cast.project.pk}/imports/"
        answer = client_of(cast.manager).post(address, {"file_keywords": True, **body}, format="json")
        assert answer.status_code == 202, answer.json()
        return ImportJob.objects.get(pk=answer.json()["id"])

    return send


def ran(job):
    tasks.run_import(job.pk)
    job.refresh_from_db()
    return job


def tags():
    said = {image.name: [] for image in Image.objects.all()}
    for decision in Decision.objects.order_by("pk").select_related("image", "tag"):
        assert (decision.value, decision.source) == ("yes", "import")
        said[decision.image.name].append(decision.tag.name)
    return said


def test_keywords_of_addresses_become_tags_and_each_picture_is_asked_for_once(server, start):
    job = ran(start(urls=[server.url(f"/{name}") for name in INSIDE], captions={"2.jpg": "Sent"}))
    assert (job.state, job.errors, job.result["added"]) == (JobState.DONE, [], 3)
    assert tags() == TAGS
    captions = dict(Image.objects.values_list("name", "caption"))
    assert captions == {"1.jpg": "A dog 🐕", "2.jpg": "Sent", "3.jpg": ""}
    assert server.asked == {f"/{name}": 1 for name in INSIDE}
    assert not storage.exists(job.options["area"])


def test_keywords_of_a_bucket_become_tags(s3, start):
    for name, data in INSIDE.items():
        s3.put_object(Bucket=BUCKET, Key=f"walk/{name}", Body=data)
    job = ran(start(s3="pictures/walk/"))
    assert (job.state, job.errors, tags()) == (JobState.DONE, [], TAGS)
    assert Image.objects.get(name="1.jpg").caption == "A dog 🐕"


def test_without_being_asked_nothing_inside_is_read(server, start):
    ran(start(urls=[server.url("/1.jpg")], file_keywords=False))
    assert (tags(), Image.objects.get().caption) == ({"1.jpg": []}, "")


def test_items_with_an_address_have_the_tags_that_were_sent_first(server, start):
    ran(start(items=[{"url": server.url("/2.jpg"), "tags": ["boat", "cat"]}]))
    assert tags() == {"2.jpg": ["boat", "cat", "wet, green grass"]}


def test_a_complete_import_answers_the_tags_of_pictures_that_land_later(cast, server, start, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_SIZE", 1)
    ran(start(urls=[server.url("/1.jpg"), server.url("/2.jpg")], complete=True))
    assert set(Image.objects.values_list("state", flat=True)) == {"reviewed"}
    first = Image.objects.get(name="1.jpg")
    said = truth.verdicts(cast.project, [first.pk])[first.pk]
    assert cast.project.tags.get(name="cat").pk in said.implied_no


def test_an_address_that_cannot_be_had_is_refused_once_and_not_asked_for_again(server, start):
    server.pages["/gone.jpg"] = web.status(404)
    server.pages["/busy.jpg"] = web.status(503)
    server.pages["/text.jpg"] = web.picture(b"these are notes")
    names = ("/gone.jpg", "/1.jpg", "/busy.jpg", "/text.jpg")
    job = ran(start(urls=[server.url(name) for name in names]))
    assert (job.state, job.done, job.total) == (JobState.DONE, 4, 4)
    assert job.result == {"added": 1, "updated": 0, "duplicates": 0, "refused": 3}
    assert [(error["item"], error["code"]) for error in job.errors] == [
        (server.url("/gone.jpg"), "address_missing"),
        (server.url("/busy.jpg"), "address_busy"),
        (server.url("/text.jpg"), "not_an_image"),
    ]
    assert server.asked == {"/gone.jpg": 1, "/1.jpg": 1, "/busy.jpg": 3, "/text.jpg": 1}


@pytest.mark.parametrize("windows", [0, 1, 2])
def test_a_worker_killed_while_it_reads_is_followed_by_one_that_fetches_nothing_twice(
    server, start, monkeypatch, windows
):
    monkeypatch.setattr(import_keywords, "AT_ONCE", 1)
    server.pages["/gone.jpg"] = web.status(404)
    job = start(urls=[server.url(f"/{name}") for name in ("gone.jpg", *INSIDE)])
    store, calls = import_keywords._store, []

    def dying(*args):
        if len(calls) == windows:
            raise KilledError
        calls.append(1)
        store(*args)

    with monkeypatch.context() as patch:
        patch.setattr(import_keywords, "_store", dying)
        with pytest.raises(KilledError):
            tasks.run_import(job.pk)
    fall_silent(job)
    ran(job)
    assert job.result == {"added": 3, "updated": 0, "duplicates": 0, "refused": 1}
    assert (tags(), len(job.errors)) == (TAGS, 1)
    # Of a refusal that was not stored nothing is known: it is asked for again.
    assert server.asked == {f"/{name}": 1 for name in INSIDE} | {"/gone.jpg": 1 if windows else 2}


def test_one_killed_while_it_lands_is_followed_the_same(server, start, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_SIZE", 1)
    job = start(urls=[server.url(f"/{name}") for name in INSIDE])
    with monkeypatch.context() as patch:
        killed_after_batches(patch, 1)
        with pytest.raises(KilledError):
            tasks.run_import(job.pk)
    fall_silent(job)
    ran(job)
    assert (job.result["added"], tags()) == (3, TAGS)
    assert server.asked == {f"/{name}": 1 for name in INSIDE}


def test_a_wish_to_stop_is_heard_while_a_server_holds_everything_back(cast, server, start, monkeypatch):
    monkeypatch.setattr(jobs, "BEAT_EVERY_S", 0.05)
    server.pages["/held.jpg"] = web.held(threading.Event(), web.picture(files.picture(20)))
    job = start(urls=[server.url("/held.jpg"), server.url("/1.jpg")])
    beats, beat = [], jobs.beat

    def beat_and_wish(held, **changes):
        beats.append(held.pk)
        if len(beats) == 2:
            imports.cancel(ImportJob.objects.get(pk=job.pk), actor=cast.manager)
        return beat(held, **changes)

    monkeypatch.setattr(jobs, "beat", beat_and_wish)
    ran(job)
    assert (job.state, job.done, Image.objects.count()) == (JobState.CANCELLED, 0, 0)
    assert not storage.exists(job.options["area"])


def test_a_bucket_that_refuses_everything_ends_the_import_with_a_sentence(s3, start, monkeypatch):
    s3.put_object(Bucket=BUCKET, Key="walk/1.jpg", Body=INSIDE["1.jpg"])

    def unreadable(self, text, key, limits):
        s3.delete_object(Bucket=BUCKET, Key="walk/1.jpg")
        s3.delete_bucket(Bucket=BUCKET)
        return fetch(self, text, key, limits)

    fetch = buckets.Buckets.fetch
    monkeypatch.setattr(buckets.Buckets, "fetch", unreadable)
    job = ran(start(s3="pictures/walk/"))
    assert (job.state, job.reason) == (JobState.FAILED, "There is no bucket “pictures”. Correct the name.")


def test_the_report_says_how_far_the_reading_is(cast, browser_of, server, start):
    job = start(urls=[server.url(f"/{name}") for name in INSIDE])
    import_keywords.gather(jobs.claim(ImportJob, job.pk))
    report = import_reports.of_job(cast.project, job.pk)
    assert (report.looked_into, report.total, report.landed) == (3, 3, 0)
    page = browser_of(cast.manager).get(f"/projects/{cast.project.pk}/import/{job.pk}/").content.decode()
    assert "<b>3</b> of 3 images looked into for keywords" in page


@pytest.mark.parametrize("tab", ["addresses", "s3"])
def test_the_pages_of_both_ask_for_it_by_a_box(cast, browser_of, server, s3, tab):
    here, client = f"/projects/{cast.project.pk}/import/", browser_of(cast.manager)
    assert 'name="file_keywords" value="true">' in client.get(f"{here}?from={tab}").content.decode()
    s3.put_object(Bucket=BUCKET, Key="walk/1.jpg", Body=INSIDE["1.jpg"])
    sent = {"addresses": {"urls": server.url("/1.jpg")}, "s3": {"s3": "pictures/walk/"}}[tab]
    assert client.post(here, {**sent, "file_keywords": "true"}).status_code == 302
    ran(ImportJob.objects.get())
    assert tags() == {"1.jpg": ["dog"]}
    refused = client.post(
        here, {**dict.fromkeys(sent, "other/x" if tab == "s3" else " "), "file_keywords": "true"}
    )
    assert refused.status_code == 400
    assert 'name="file_keywords" value="true" checked>' in refused.content.decode()
