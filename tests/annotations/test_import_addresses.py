"""Imports from addresses, fetched from a real server on 127.0.0.1: each picture once, whatever happens between."""

import threading

import pytest

from annotations import tasks
from annotations.importers import fetching, uploads
from annotations.models import Image, ImportItem, ImportJob, JobState
from annotations.services import import_batches, imports, jobs, storage
from tests.annotations import files, web
from tests.annotations.test_import_reliability import KilledError, fall_silent, killed_after_batches


@pytest.fixture(autouse=True)
def our_network(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_NETWORKS = web.LOOPBACK
    monkeypatch.setattr(fetching, "PAUSES_S", (0.01, 0.01))


@pytest.fixture
def server():
    with web.serving({f"/{seed}.jpg": web.picture(files.picture(seed)) for seed in range(12)}) as running:
        yield running


@pytest.fixture
def start(cast, client_of):
    """Send a JSON body as the manager; answers the response."""

    def send(body: dict, *, user=None):
        address = f"/api/v1/projects/{cast.project.pk}/imports/"
        return client_of(user or cast.manager).post(address, body, format="json")

    return send


@pytest.fixture
def landed(start):
    def send(body: dict) -> ImportJob:
        response = start(body)
        assert response.status_code == 202, response.json()
        tasks.run_import(response.json()["id"])
        return ImportJob.objects.get(pk=response.json()["id"])

    return send


def told(job: ImportJob) -> list[tuple[str, str]]:
    return [(error["item"], error["code"]) for error in job.errors]


def test_a_list_of_addresses_lands_and_bad_ones_are_named(server, landed):
    server.pages |= {
        "/gone.jpg": web.status(404),
        "/page": web.picture(b"<!doctype html>", kind="text/html"),
        "/text.jpg": web.picture(b"these are notes, not pixels"),
        "/away.jpg": web.redirect("http://10.0.0.1/a.jpg"),
    }
    urls = [server.url(path) for path in ("/1.jpg", "/gone.jpg", "/page", "/2.jpg?size=3", "/text.jpg")]
    urls += ["nonsense", "http://192.168.0.9/a.jpg", server.url("/away.jpg"), server.url("/1.jpg")]
    job = landed({"urls": urls})
    assert job.state == JobState.DONE
    assert job.result == {"added": 2, "updated": 0, "duplicates": 1, "refused": 6}
    assert (job.done, job.total) == (9, 9)
    assert told(job) == [
        ("nonsense", "bad_address"),
        (urls[1], "address_missing"),
        (urls[2], "not_an_image"),
        (urls[4], "not_an_image"),
        (urls[6], "private_address"),
        (urls[7], "private_address"),
    ]
    assert sorted(Image.objects.values_list("name", "source")) == [("1.jpg", "urls"), ("2.jpg", "urls")]
    assert storage.read(Image.objects.get(name="2.jpg").storage_key) == files.picture(2)
    assert not storage.exists(job.options["area"])


def test_items_bring_words_and_a_name_with_their_address(cast, server, landed):
    item = {"url": server.url("/1.jpg"), "caption": "A dog", "tags": ["dog"], "metadata": {"shelf": 3}}
    job = landed(
        {"items": [item, {"url": server.url("/2.jpg"), "name": "walk/cat.jpg"}, {"url": "ftp://x/a"}]}
    )
    assert job.result == {"added": 2, "updated": 0, "duplicates": 0, "refused": 1}
    assert told(job) == [("ftp://x/a", "bad_address")]
    dog, cat = Image.objects.order_by("pk")
    assert (dog.name, dog.caption, dog.metadata) == ("1.jpg", "A dog", {"shelf": 3})
    assert (cat.name, cat.path) == ("cat.jpg", "walk/cat.jpg")
    assert cast.project.tags.get().name == "dog"


def test_captions_are_matched_by_the_name_at_the_end_of_the_address(server, landed):
    job = landed({"urls": [server.url("/1.jpg")], "captions": {"1.jpg": "A dog by the water"}})
    assert job.errors == []
    assert Image.objects.get().caption == "A dog by the water"


def test_an_address_as_long_as_signed_ones_are_is_kept_whole(server, landed):
    job = landed({"urls": [server.url("/1.jpg?signature=" + "x" * 3_000)]})
    assert job.result["added"] == 1


@pytest.mark.parametrize(
    ("urls", "status", "code"),
    [
        ([], 400, "nothing_sent"),
        ("\n \n", 400, "nothing_sent"),
        ({"a": 1}, 400, "bad_urls"),
        (7, 400, "bad_urls"),
        (["http://example.org/a"] * (uploads.MAX_FILES + 1), 413, "too_many_files"),
    ],
)
def test_what_is_no_list_of_addresses_is_refused(start, urls, status, code):
    response = start({"urls": urls})
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("annotator", 403), ("outsider", 404)])
def test_only_managers_import_from_addresses(cast, start, server, who, status):
    response = start({"urls": [server.url("/1.jpg")]}, user=getattr(cast, who))
    assert response.status_code == status
    assert not server.asked


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_what_was_brought_before_a_worker_died_is_not_asked_for_again(server, start, monkeypatch, batches):
    monkeypatch.setattr(imports, "BATCH_SIZE", 4)
    paths = [f"/{seed}.jpg" for seed in range(12)]
    job = ImportJob.objects.get(pk=start({"urls": [server.url(path) for path in paths]}).json()["id"])
    with monkeypatch.context() as patch:
        killed_after_batches(patch, batches)
        with pytest.raises(KilledError):
            tasks.run_import(job.pk)
    brought = set(server.asked)
    assert len(brought) >= 4 * (batches + 1)
    assert Image.objects.count() == 4 * batches
    fall_silent(job)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result["added"], Image.objects.count()) == (JobState.DONE, 12, 12)
    assert server.asked == dict.fromkeys(paths, 1)
    assert not storage.exists(job.options["area"])


def test_a_wish_to_stop_is_heard_while_servers_hold_everything_back(cast, server, start, monkeypatch):
    monkeypatch.setattr(jobs, "BEAT_EVERY_S", 0.05)
    server.pages["/held"] = web.held(threading.Event(), web.picture(files.picture(20)))
    job = ImportJob.objects.get(pk=start({"urls": [server.url("/held")] * 3}).json()["id"])
    beats = []

    def beat_and_wish(held, **changes):
        beats.append(held.pk)
        if len(beats) == 2:
            imports.cancel(ImportJob.objects.get(pk=job.pk), actor=cast.manager)
        return beat(held, **changes)

    beat = jobs.beat
    monkeypatch.setattr(jobs, "beat", beat_and_wish)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, Image.objects.count()) == (JobState.CANCELLED, 0, 0)
    assert len(beats) == 2
    assert not storage.exists(job.options["area"])


def test_fast_servers_do_not_wait_for_a_slow_one(server, start, monkeypatch):
    monkeypatch.setattr(jobs, "BEAT_EVERY_S", 0.05)
    released = threading.Event()
    server.pages["/slow.jpg"] = web.held(released, web.picture(files.picture(20)))
    paths = ["/slow.jpg", *(f"/{seed}.jpg" for seed in range(3))]
    job = ImportJob.objects.get(pk=start({"urls": [server.url(path) for path in paths]}).json()["id"])
    store, batches = import_batches.store, []

    def storing(held, looked):
        batches.append([found.item.name for found in looked])
        if sum(map(len, batches)) == 3:
            released.set()
        return store(held, looked)

    monkeypatch.setattr(import_batches, "store", storing)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result["added"]) == (JobState.DONE, 4)
    assert batches[-1] == ["slow.jpg"]


@pytest.mark.django_db(transaction=True)
def test_refused_pictures_leave_nothing_in_staging(server, start, monkeypatch):
    server.pages["/text.jpg"] = web.picture(b"these are notes, not pixels")
    job = ImportJob.objects.get(pk=start({"urls": [server.url("/text.jpg")]}).json()["id"])
    left = []
    close = imports._close

    def closing(held, state):
        folder = storage.local_path(f"{held.options['area']}/brought")
        left.extend(folder.iterdir())
        close(held, state)

    monkeypatch.setattr(imports, "_close", closing)
    tasks.run_import(job.pk)
    assert ImportItem.objects.get().state == ImportItem.State.REFUSED
    assert left == []
