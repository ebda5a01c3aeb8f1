"""Imports from S3, read with boto3 from moto's own server: a real one in a thread, on 127.0.0.1."""

import json
import socket
import threading
from collections.abc import Iterator

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from annotations import audit_words, tasks
from annotations.audit_words import Names
from annotations.importers import buckets
from annotations.importers.base import BringError
from annotations.importers.guarded_network import Limits
from annotations.models import AuditEvent, Image, ImportItem, ImportJob, JobState
from annotations.services import imports, listings, storage
from tests.annotations import files, web
from tests.annotations.test_import_reliability import KilledError, fall_silent, killed_after_batches

BUCKET = "pictures"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def s3(endpoint, settings, tmp_path, monkeypatch):
    """An empty bucket and a client for it; the server checks no credentials unless a test asks for it."""
    requests.post(f"{endpoint}/moto-api/reset", timeout=10)
    use_key(monkeypatch, "test", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.S3_ENDPOINT = endpoint
    settings.IMPORT_BUCKETS = [BUCKET]
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket=BUCKET)
    return client


def use_key(monkeypatch, key: str, secret: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)


def put(s3, *seeds: int, folder: str = "walk") -> None:
    for seed in seeds:
        s3.put_object(Bucket=BUCKET, Key=f"{folder}/{seed:03}.jpg", Body=files.picture(seed))


@pytest.fixture
def start(cast, client_of):
    def send(place: str, **more):
        address = f"/api/v1/projects/{cast.project.pk}/imports/"
        return client_of(cast.manager).post(address, {"s3": place, **more}, format="json")

    return send


@pytest.fixture
def landed(start):
    def send(place: str, **more) -> ImportJob:
        response = start(place, **more)
        assert response.status_code == 202, response.json()
        tasks.run_import(response.json()["id"])
        return ImportJob.objects.get(pk=response.json()["id"])

    return send


def told(job: ImportJob) -> list[tuple[str, str]]:
    return [(error["item"], error["code"]) for error in job.errors]


def test_pictures_below_a_prefix_land_under_their_names_in_it(s3, landed):
    put(s3, 1, 2)
    put(s3, 3, folder="walk/late")
    put(s3, 4, folder="walk-elsewhere")
    for key in ("walk/", "walk/notes.txt", "walk/.hidden.jpg"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    s3.put_object(Bucket=BUCKET, Key="walk/broken.jpg", Body=b"these are notes")
    job = landed("pictures/walk/")
    assert (job.state, job.done, job.total) == (JobState.DONE, 4, 4)
    assert job.result == {"added": 3, "updated": 0, "duplicates": 0, "refused": 1}
    assert told(job) == [("s3://pictures/walk/broken.jpg", "not_an_image")]
    rows = Image.objects.order_by("name").values_list("name", "path", "source")
    assert list(rows) == [("001.jpg", "", "s3"), ("002.jpg", "", "s3"), ("003.jpg", "late/003.jpg", "s3")]
    assert storage.read(Image.objects.get(name="001.jpg").storage_key) == files.picture(1)
    assert not storage.exists(job.options["area"])


def test_the_audit_trail_names_the_place(start):
    start("pictures/walk/")
    event = AuditEvent.objects.get(action="imports.list")
    said = audit_words.sentence(event.action, event.details, Names(tags={}, images={}, flagged={}))
    assert said == "started an import from “s3://pictures/walk/”"


@pytest.mark.parametrize("place", ["pictures", "s3://pictures", "pictures/", "pictures/wa"])
def test_a_whole_bucket_and_part_of_a_name_are_prefixes_too(s3, landed, place):
    put(s3, 1)
    assert landed(place).result["added"] == 1
    assert Image.objects.get().path == "walk/001.jpg"


def test_a_listing_of_many_pages_is_never_in_memory_as_a_whole(s3, landed, monkeypatch):
    monkeypatch.setattr(buckets, "PAGE_SIZE", 3)
    put(s3, *range(10))
    sizes = []
    store = listings._store
    monkeypatch.setattr(
        listings, "_store", lambda job, page: (sizes.append(len(page.files)), store(job, page))
    )
    job = landed("pictures/walk")
    assert sizes == [3, 3, 3, 1]
    assert (job.total, job.result["added"]) == (10, 10)


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_worker_killed_while_it_lists_is_followed_by_one_that_goes_on(s3, start, monkeypatch, pages):
    monkeypatch.setattr(buckets, "PAGE_SIZE", 3)
    put(s3, *range(10))
    job = ImportJob.objects.get(pk=start("pictures/walk").json()["id"])
    store, calls = listings._store, []

    def dying(*args):
        if len(calls) == pages:
            raise KilledError
        calls.append(1)
        store(*args)

    with monkeypatch.context() as patch:
        patch.setattr(listings, "_store", dying)
        with pytest.raises(KilledError):
            tasks.run_import(job.pk)
    assert ImportItem.objects.count() == 3 * pages
    fall_silent(job)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.total, job.result["added"]) == (JobState.DONE, 10, 10)
    assert ImportItem.objects.count() == Image.objects.count() == 10


def test_a_worker_killed_while_it_reads_is_followed_by_one_that_goes_on(s3, start, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_SIZE", 4)
    put(s3, *range(10))
    job = ImportJob.objects.get(pk=start("pictures/walk").json()["id"])
    with monkeypatch.context() as patch:
        killed_after_batches(patch, 1)
        with pytest.raises(KilledError):
            tasks.run_import(job.pk)
    s3.delete_object(Bucket=BUCKET, Key="walk/000.jpg")
    fall_silent(job)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result["added"], Image.objects.count()) == (JobState.DONE, 10, 10)


def test_a_wish_to_stop_is_heard_while_a_bucket_is_listed(cast, s3, start, monkeypatch):
    monkeypatch.setattr(buckets, "PAGE_SIZE", 3)
    put(s3, *range(10))
    job = ImportJob.objects.get(pk=start("pictures/walk").json()["id"])
    store = listings._store

    def and_then_cancel(held, page):
        store(held, page)
        imports.cancel(ImportJob.objects.get(pk=job.pk), actor=cast.manager)

    monkeypatch.setattr(listings, "_store", and_then_cancel)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.total, Image.objects.count()) == (JobState.CANCELLED, 3, 0)


def test_without_a_setting_no_bucket_is_read(start, settings):
    settings.IMPORT_BUCKETS = []
    response = start("pictures/walk")
    assert (response.status_code, response.json()["error"]["code"]) == (422, "no_import_buckets")
    assert "TAGGER_IMPORT_BUCKETS" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "place", ["other", "other/walk", "pictures-2/walk", "shared", "shared/open-2/a", "shared/o"]
)
def test_what_is_not_allowed_is_not_read(start, settings, place):
    settings.IMPORT_BUCKETS = ["pictures", "shared/open"]
    response = start(place)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bucket_not_allowed")
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize("place", ["pictures/any", "shared/open", "shared/open/", "shared/open/walk"])
def test_a_setting_allows_a_bucket_or_a_folder_of_one(start, settings, place):
    settings.IMPORT_BUCKETS = ["pictures", "s3://shared/open/"]
    assert start(place).status_code == 202


@pytest.mark.parametrize("place", ["", "/", "/walk", "s3://"])
def test_what_names_no_bucket_is_refused(start, place):
    assert start(place).json()["error"]["code"] == "bad_bucket"


def test_captions_beside_a_bucket_are_refused_not_dropped(start):
    response = start("pictures/walk", captions={"001.jpg": "A dog"})
    assert (response.status_code, response.json()["error"]["code"]) == (422, "captions_with_s3")


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_missing_credentials_are_said_at_once(start, monkeypatch, missing):
    monkeypatch.delenv(missing)
    response = start("pictures/walk")
    assert (response.status_code, response.json()["error"]["code"]) == (422, "no_s3_credentials")


def test_nothing_below_a_prefix_is_said(landed):
    job = landed("pictures/wlak")
    assert job.state == JobState.FAILED
    assert job.reason == "Expected pictures below “pictures/wlak”, got none. Correct the prefix."


def test_a_bucket_that_is_not_there_is_said(landed, settings):
    settings.IMPORT_BUCKETS = ["no-such-bucket"]
    job = landed("no-such-bucket/walk")
    assert (job.state, job.reason) == (
        JobState.FAILED,
        "There is no bucket “no-such-bucket”. Correct the name.",
    )


def test_an_endpoint_that_nobody_serves_is_said(landed, settings):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.S3_ENDPOINT = f"http://127.0.0.1:{probe.getsockname()[1]}"
    job = landed("pictures/walk")
    assert job.state == JobState.FAILED
    assert "cannot be read" in job.reason
    assert "TAGGER_S3_ENDPOINT" in job.reason


def test_an_object_that_went_after_it_was_listed_is_named_and_the_rest_lands(s3, landed, monkeypatch):
    put(s3, 1, 2)
    store = listings._store

    def and_then_delete(*args):
        store(*args)
        s3.delete_object(Bucket=BUCKET, Key="walk/001.jpg")

    monkeypatch.setattr(listings, "_store", and_then_delete)
    job = landed("pictures/walk")
    assert (job.state, job.result["added"], job.result["refused"]) == (JobState.DONE, 1, 1)
    assert told(job) == [("s3://pictures/walk/001.jpg", "object_missing")]


def test_an_object_that_is_too_large_is_named_by_its_stated_length(s3, landed, monkeypatch):
    monkeypatch.setattr(buckets, "MAX_BYTES", 100)
    put(s3, 1)
    assert told(landed("pictures/walk")) == [("s3://pictures/walk/001.jpg", "too_large")]


@pytest.mark.parametrize("cuts", [1, 3])
def test_an_object_whose_bytes_break_off_is_asked_for_again(settings, cuts):
    """From a web server that speaks just enough of S3: moto's never breaks off."""

    def cut(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + files.picture(1)[:500])

    pages = [cut] * cuts + [web.picture(files.picture(1))]
    with web.serving({"/pictures/walk/001.jpg": web.in_turn(*pages)}) as server:
        settings.S3_ENDPOINT = server.url("")
        fetch = buckets.Buckets().fetch
        limits = Limits(60, threading.Event())
        if cuts < buckets.TRIES:
            fetch("pictures/walk/001.jpg", "staging/x/1", limits)
            assert storage.read("staging/x/1") == files.picture(1)
        else:
            with pytest.raises(BringError) as refused:
                fetch("pictures/walk/001.jpg", "staging/x/1", limits)
            assert refused.value.code == "object_broken"
            assert not list(storage.local_path("staging/x").iterdir())


@pytest.fixture
def guarded(endpoint, monkeypatch):
    """From now on the server checks who asks: a user who may list and read all of the bucket but `walk/secret`."""
    iam = boto3.client("iam", endpoint_url=endpoint)
    iam.create_user(UserName="tagger")
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/walk/secret/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
    iam.put_user_policy(UserName="tagger", PolicyName="read", PolicyDocument=policy)
    key = iam.create_access_key(UserName="tagger")["AccessKey"]

    def check():
        requests.post(f"{endpoint}/moto-api/reset-auth", data="0", timeout=10)
        return key["AccessKeyId"], key["SecretAccessKey"]

    yield check
    requests.post(f"{endpoint}/moto-api/reset-auth", data="inf", timeout=10)


def test_one_object_that_may_not_be_read_is_named_and_the_rest_lands(s3, guarded, landed, monkeypatch):
    put(s3, 1, 2)
    put(s3, 3, folder="walk/secret")
    use_key(monkeypatch, *guarded())
    job = landed("pictures/walk")
    assert (job.state, job.result["added"], job.result["refused"]) == (JobState.DONE, 2, 1)
    assert told(job) == [("s3://pictures/walk/secret/003.jpg", "object_forbidden")]


@pytest.mark.parametrize("wrong", ["key", "secret"])
def test_wrong_credentials_end_an_import_with_a_reason_and_keep_what_landed(
    s3, guarded, landed, monkeypatch, wrong
):
    put(s3, 1)
    landed("pictures/walk")
    key, secret = guarded()
    use_key(monkeypatch, "AKIAWRONG" if wrong == "key" else key, "wrong" if wrong == "secret" else secret)
    job = landed("pictures/walk")
    assert job.state == JobState.FAILED
    assert "AWS_ACCESS_KEY_ID" in job.reason
    assert "wrong" not in job.reason
    assert Image.objects.count() == 1
