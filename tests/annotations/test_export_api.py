"""Exports by the API: exactly what people said, streamed to a file, with its losses told before."""

import csv
import hashlib
import io
import json
import uuid
import zipfile
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations import tasks, xmp
from annotations.exporters.frozen import Freezer
from annotations.exporters.registry import FORMATS
from annotations.importers import keywords
from annotations.models import ExportJob, Image, JobState
from annotations.selectors import export_rows
from annotations.services import export_files, exports, image_edits, jobs, snapshots, storage, tags
from tests.annotations import files
from tests.annotations.exporters import outside_readers as readers
from tests.factories import make_images, make_tags, review_next


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def exported(cast, client_of):
    """Export as the manager: the job as the API shows it, and the bytes downloaded."""
    client = client_of(cast.manager)
    address = f"/api/v1/projects/{cast.project.pk}/exports/"

    def export(format: str, **body) -> tuple[dict, bytes]:
        response = client.post(address, {"format": format, **body}, format="json")
        assert response.status_code == 202, response.json()
        tasks.run_export(response.json()["id"])
        job = client.get(response["Location"]).json()
        assert job["state"] == "done", job
        return job, b"".join(client.get(job["download_url"]).streaming_content)

    return export


def unpacked(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(data))


@pytest.fixture
def reviewed(cast):
    """Three images: one with tags and a rejection, one to which nothing applies, one nobody has seen."""
    make_tags(cast.project, "dog", "water", "=cmd", "🐕 rtl שלום")
    make_images(cast.project, 3, caption='A dog, "wet"\nby the lake')
    first = review_next(
        cast, cast.annotator, yes=("water", "dog", "=cmd"), rejected=("🐕 rtl שלום",)
    ).review.image
    empty = review_next(cast, cast.annotator).review.image
    (unseen,) = Image.objects.filter(state="pending")
    return first, empty, unseen


def rows_of(data: bytes) -> list[dict]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_csv_tells_nothing_applies_from_not_reviewed(cast, reviewed, exported):
    job, data = exported("csv")
    by_id = {int(row["id"]): row for row in rows_of(data)}
    first, empty, unseen = reviewed
    assert by_id[first.pk]["tags"] == "'=cmd|dog|water"
    assert (by_id[empty.pk]["tags"], by_id[empty.pk]["state"]) == ("", "reviewed")
    assert (by_id[unseen.pk]["tags"], by_id[unseen.pk]["state"]) == ("", "pending")
    assert by_id[first.pk]["caption"] == 'A dog, "wet"\nby the lake'
    assert job["result"]["items"] == 3


def test_csv_long_holds_explicit_verdicts_with_their_source(cast, reviewed, exported):
    _, data = exported("csv-long")
    first, empty, _ = reviewed
    said = [(row["tag"], row["verdict"]) for row in rows_of(data) if int(row["image_id"]) == first.pk]
    assert said == [("'=cmd", "yes"), ("dog", "yes"), ("water", "yes"), ("🐕 rtl שלום", "no")]
    dog = next(row for row in rows_of(data) if row["tag"] == "dog")
    assert (dog["source"], dog["person"]) == ("person", "annotator")
    assert [row["verdict"] for row in rows_of(data) if int(row["image_id"]) == empty.pk] == [""]


def test_csv_long_writes_implied_noes_when_asked(cast, reviewed, exported):
    _, data = exported("csv-long", options={"implied_no": True})
    empty = reviewed[1]
    assert {row["verdict"] for row in rows_of(data) if int(row["image_id"]) == empty.pk} == {"implied no"}


def test_jsonl_holds_everything_people_said(cast, reviewed, exported):
    _, data = exported("jsonl")
    by_id = {row["id"]: row for row in map(json.loads, data.decode().splitlines())}
    first, empty, unseen = reviewed
    assert by_id[first.pk]["yes"] == ["=cmd", "dog", "water"]
    assert by_id[first.pk]["no"] == ["🐕 rtl שלום"]
    assert by_id[first.pk]["provenance"]["dog"]["person"] == "annotator"
    assert by_id[first.pk]["vocabulary_version"] == cast.project.vocabulary_version
    assert [review["outcome"] for review in by_id[empty.pk]["reviews"]] == ["reviewed"]
    assert (by_id[unseen.pk]["yes"], by_id[unseen.pk]["reviews"]) == ([], [])
    assert by_id[first.pk].keys() >= {"id", "name", "sha256", "width_px", "height_px", "caption", "state"}
    assert by_id[first.pk].keys() >= {"is_holdout", "yes", "no", "disputed", "provenance", "reviews"}


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_the_same_data_gives_the_same_bytes_and_the_result_describes_them(cast, reviewed, exported, format):
    options = {"several": "copy"} if format == "imagefolder" else {}
    job, data = exported(format, options=options)
    again, same = exported(format, options=options)
    assert data == same
    assert job["result"]["sha256"] == again["result"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert job["result"]["bytes"] == len(data)
    assert job["result"]["losses"] == list(FORMATS[format].losses)


def test_the_trash_stays_out_and_a_filter_holds(cast, reviewed, exported):
    image_edits.trash(cast.project, reviewed[1].pk, actor=cast.manager)
    assert exported("csv")[0]["result"]["items"] == 2
    job, data = exported("csv", filter={"state": "reviewed"})
    assert [int(row["id"]) for row in rows_of(data)] == [reviewed[0].pk]
    assert job["progress"] == {"done": 1, "total": 1, "unit": "images"}


def test_a_download_has_type_name_and_ranges(cast, reviewed, exported, client_of):
    job, data = exported("csv")
    client = client_of(cast.manager)
    whole = client.get(job["download_url"])
    assert whole["Content-Type"] == "text/csv"
    assert whole["Content-Disposition"] == f'attachment; filename="outdoors-{job["id"]}.csv"'
    part = client.get(job["download_url"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, data[10:20])
    assert part["Content-Range"] == f"bytes 10-19/{len(data)}"
    tail = client.get(job["download_url"], headers={"Range": "bytes=-7"})
    assert b"".join(tail.streaming_content) == data[-7:]
    beyond = client.get(job["download_url"], headers={"Range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(data)}")
    jsonl, _ = exported("jsonl")
    lines = client.get(jsonl["download_url"], headers={"Accept": "application/x-ndjson"})
    assert (lines.status_code, lines["Content-Type"]) == (200, "application/x-ndjson")


def test_the_manifest_says_what_the_file_holds_and_could_not_hold(cast, reviewed, exported, client_of):
    job, data = exported("csv")
    manifest = client_of(cast.manager).get(job["download_url"].replace("download", "manifest")).json()
    assert manifest["sha256"] == hashlib.sha256(data).hexdigest()
    assert (manifest["items"], manifest["format"]) == (3, "csv")
    assert manifest["losses"]


def test_an_archive_brings_pictures_and_says_what_it_holds(cast, reviewed, exported, client_of):
    """The picture of one image is gone: it is named, and the others come."""
    pictures = {image.pk: files.picture(image.pk) for image in reviewed}
    for image in reviewed[:2]:
        storage.put(image.storage_key, pictures[image.pk])
    job, data = exported("jsonl", images=True)
    archive = unpacked(data)
    rows = {row["id"]: row for row in map(json.loads, archive.read("images.jsonl").splitlines())}
    assert [archive.read(rows[image.pk]["file"]) for image in reviewed[:2]] == [
        pictures[image.pk] for image in reviewed[:2]
    ]
    assert (job["result"]["pictures"], job["result"]["lost_pictures"]) == (2, [reviewed[2].name])
    manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["images"], manifest["format"], manifest["with_pictures"]) == (3, "jsonl", True)
    assert manifest["snapshot_sha256"] == job["result"]["snapshot_sha256"]
    assert manifest["vocabulary_version"] == cast.project.vocabulary_version
    assert [tag["name"] for tag in manifest["vocabulary"]] == ["=cmd", "dog", "water", "🐕 rtl שלום"]
    assert manifest["losses"] == list(FORMATS["jsonl"].losses)
    download = client_of(cast.manager).get(job["download_url"])
    assert download["Content-Type"] == "application/zip"
    assert download["Content-Disposition"].endswith('.zip"')


@pytest.mark.parametrize("wanted", ["inside", "beside"])
def test_keywords_are_written_into_copies_or_beside_them(cast, reviewed, exported, wanted):
    """One of the pictures is a BMP, which holds none inside: it comes as it was sent, and is named."""
    first, empty, _ = reviewed
    sent = {image.pk: files.picture(image.pk) for image in reviewed}
    sent[empty.pk] = files.picture(empty.pk, format="BMP")
    for image in reviewed:
        storage.put(image.storage_key, sent[image.pk])
    job, data = exported("imagenet-txt", images=True, options={"keywords": wanted})
    archive = unpacked(data)
    written = archive.read(f"images/{first.name}")
    beside = archive.read(f"images/{first.name}.xmp") if wanted == "beside" else b""
    said = xmp.read(beside) if beside else keywords.read(written)
    assert (said.caption, set(said.tags)) == (first.caption, {"=cmd", "dog", "water"})
    assert archive.read(f"images/{empty.name}") == sent[empty.pk]
    assert job["result"]["without_keywords"] == ([empty.name] if wanted == "inside" else [])
    assert (written == sent[first.pk]) == (wanted == "beside")


@pytest.mark.parametrize("format", FORMATS)
def test_a_tag_renamed_after_use_is_exported_under_its_new_name_alone(
    cast, reviewed, exported, tmp_path, format
):
    """As an outside reader finds it; the snapshot of before goes on saying the old name."""
    for image in reviewed:
        storage.put(image.storage_key, files.picture(image.pk))
    before = snapshots.start(cast.project, actor=cast.manager, name="before")
    tasks.run_snapshot(before.pk)
    tags.update(cast.project.tags.get(name="dog"), {"name": "Hound, wet"}, actor=cast.manager)
    options = {"several": "copy"} if format == "imagefolder" else {}
    for number, (more, said) in enumerate((({}, "Hound, wet"), ({"snapshot": before.pk}, "dog"))):
        _, data = exported(format, images=True, options=options, **more)
        unpacked(data).extractall(tmp_path / str(number))
        found = set().union(*readers.READERS[format](tmp_path / str(number)).values())
        found = {unquote(tag) for tag in found} if format == "voc" else found
        assert found & {"dog", "Hound, wet"} == {said}


def test_what_does_not_fit_a_format_is_refused_by_the_job_with_a_reason(cast, client_of):
    """What a format can hold shows only when the rows are known."""
    make_tags(cast.project, "🐕" * 100)
    client = client_of(cast.manager)
    address = f"/api/v1/projects/{cast.project.pk}/exports/"
    job = client.post(address, {"format": "voc"}, format="json").json()
    tasks.run_export(job["id"])
    answer = client.get(f"{address}{job['id']}/").json()
    assert (answer["state"], "Rename the tag" in answer["reason"]) == ("refused", True)


def test_a_full_disk_is_said_and_leaves_nothing(cast, reviewed, monkeypatch):
    monkeypatch.setattr(storage, "writer", files.full_disk)
    job = exports.start(cast.project, actor=cast.manager, format="csv")
    tasks.run_export(job.pk)
    job.refresh_from_db()
    assert (job.state, job.file_key) == ("failed", "")
    assert job.reason.startswith("The disk is full")


def test_a_file_that_does_not_read_back_is_never_offered(cast, reviewed, monkeypatch):
    """The written file is damaged between the writing and the check, as a failing disk would."""
    measured = export_files._measured

    def damaged(key):
        path = storage.local_path(key)
        path.write_bytes(path.read_bytes()[:-30])
        return measured(key)

    monkeypatch.setattr(export_files, "_measured", damaged)
    job = exports.start(cast.project, actor=cast.manager, format="coco")
    tasks.run_export(job.pk)
    job.refresh_from_db()
    assert (job.state, job.file_key) == ("refused", "")
    assert "does not read back" in job.reason
    folder = storage.local_path(f"projects/{cast.project.pk}/exports")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("format", ["csv", "csv-long", "jsonl"])
def test_one_changed_letter_is_found_too(cast, reviewed, monkeypatch, format):
    """Such a file parses, and has as many rows as it should."""
    measured = export_files._measured

    def changed(key):
        path = storage.local_path(key)
        path.write_bytes(path.read_bytes().replace(b"lake", b"cake", 1))
        return measured(key)

    monkeypatch.setattr(export_files, "_measured", changed)
    job = exports.start(cast.project, actor=cast.manager, format=format)
    tasks.run_export(job.pk)
    job.refresh_from_db()
    assert (job.state, job.file_key) == ("refused", "")
    assert "does not read back (other bytes came back)" in job.reason


def test_a_cancelled_export_stops_while_it_writes(cast, reviewed, monkeypatch):
    monkeypatch.setattr(exports, "_BEAT_EVERY_S", 0.0)
    job = exports.start(cast.project, actor=cast.manager, format="csv")
    begin = exports._Watch.begin

    def cancelled_now(watch, total, *, of_pictures):
        begin(watch, total, of_pictures=of_pictures)
        exports.cancel(ExportJob.objects.get(pk=job.pk), actor=cast.manager)

    monkeypatch.setattr(exports._Watch, "begin", cancelled_now)
    tasks.run_export(job.pk)
    job.refresh_from_db()
    assert (job.state, job.file_key) == ("cancelled", "")


def test_a_cancelled_export_stops_while_its_rows_are_read(cast, reviewed, monkeypatch):
    """Long before its file is begun: a million rows are frozen first."""
    monkeypatch.setattr(exports, "_BEAT_EVERY_S", 0.0)
    job = exports.start(cast.project, actor=cast.manager, format="coco")
    read = export_rows._rows

    def cancelled_now(*args):
        exports.cancel(ExportJob.objects.get(pk=job.pk), actor=cast.manager)
        return read(*args)

    monkeypatch.setattr(export_rows, "_rows", cancelled_now)
    monkeypatch.setattr(export_files, "write", None)
    tasks.run_export(job.pk)
    job.refresh_from_db()
    assert (job.state, job.file_key) == ("cancelled", "")


@pytest.mark.parametrize("format", ["csv", "coco"])
def test_an_export_whose_rows_end_every_worker_is_given_up(cast, reviewed, monkeypatch, format):
    def deadly(*args):
        raise KeyboardInterrupt

    job = exports.start(cast.project, actor=cast.manager, format=format)
    monkeypatch.setattr(export_rows, "_rows", deadly)
    for _ in range(jobs.MAX_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            tasks.run_export(job.pk)
        ExportJob.objects.update(heartbeat_at="2000-01-01T00:00:00Z")
    assert jobs.give_up(ExportJob) == 1
    job.refresh_from_db()
    assert job.state == "failed" and "Its worker died" in job.reason


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("format", ["csv", "coco"])
def test_an_export_is_of_one_moment_and_tells_of_itself_meanwhile(cast, reviewed, monkeypatch, format):
    """Its rows are read on a connection of their own: what the worker and others write goes on, and is not in it."""
    monkeypatch.setattr(exports, "_BEAT_EVERY_S", 0.0)
    monkeypatch.setattr(export_rows, "CHUNK", 1)
    freezer_add, told = Freezer.add, []

    def while_images_come(freezer, rows):
        make_images(cast.project, 1, first=100 + len(told))
        told.append(ExportJob.objects.get().heartbeat_at)
        freezer_add(freezer, rows)

    monkeypatch.setattr(Freezer, "add", while_images_come)
    job = exports.start(cast.project, actor=cast.manager, format=format)
    tasks.run_export(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result["items"]) == ("done", 3)
    assert Image.objects.count() == 3 + len(told)
    assert len(told) == len(set(told)) == 3


@pytest.mark.parametrize(
    ("format", "options"),
    [("csv", {}), ("csv-long", {}), ("csv-long", {"implied_no": True}), ("jsonl", {})],
)
def test_what_is_written_in_passing_is_what_frozen_rows_give(cast, reviewed, exported, format, options):
    job, data = exported(format, options=options)
    snapshot = snapshots.start(cast.project, actor=cast.manager, name="the same")
    tasks.run_snapshot(snapshot.pk)
    frozen, same = exported(format, options=options, snapshot=snapshot.pk)
    assert same == data
    told = ("items", "bytes", "sha256", "snapshot_sha256", "vocabulary_version")
    assert {name: job["result"][name] for name in told} == {name: frozen["result"][name] for name in told}


def test_an_interrupted_download_goes_on_only_with_the_same_file(cast, reviewed, exported, client_of):
    """If-Range: the rest of the same file, or the whole of another one."""
    job, data = exported("csv")
    client = client_of(cast.manager)
    rest = client.get(
        job["download_url"], headers={"Range": "bytes=10-", "If-Range": f'"{job["result"]["sha256"]}"'}
    )
    assert (rest.status_code, b"".join(rest.streaming_content)) == (206, data[10:])
    other = client.get(job["download_url"], headers={"Range": "bytes=10-", "If-Range": '"another"'})
    assert (other.status_code, b"".join(other.streaming_content)) == (200, data)


def test_an_export_is_started_by_a_form_too(cast, client_of):
    address = f"/api/v1/projects/{cast.project.pk}/exports/"
    response = client_of(cast.manager).post(address, {"format": "csv"}, format="multipart")
    assert response.status_code == 202, response.json()
    assert ExportJob.objects.get().format == "csv"


def test_losses_are_told_before_any_export(cast, client_of):
    answer = client_of(cast.manager).get(f"/api/v1/projects/{cast.project.pk}/exports/formats/").json()
    assert [format["name"] for format in answer["results"]] == list(FORMATS)
    assert all(format["losses"] for format in answer["results"])
    tree = next(format for format in answer["results"] if format["name"] == "imagefolder")
    assert (tree["pictures"], set(tree["choices"]["several"])) == ("always", {"copy", "primary", "skip"})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"format": "excel"}, 422, "unsupported_format"),
        ({}, 422, "unsupported_format"),
        ({"format": "csv", "snapshot": 3}, 404, "not_found"),
        ({"format": "csv", "snapshot": "first"}, 400, "bad_snapshot"),
        ({"format": "csv", "images": "some"}, 400, "bad_images"),
        ({"format": "csv", "images": 3}, 400, "bad_images"),
        ({"format": "csv", "filter": {"colour": "red"}}, 400, "bad_filter"),
        ({"format": "csv", "filter": {"state": "sleeping"}}, 400, "bad_filter"),
        ({"format": "csv", "filter": ["state"]}, 400, "bad_filter"),
        ({"format": "csv", "options": {"implied_no": True}}, 400, "bad_option"),
        ({"format": "coco", "options": {"boxes": "yes"}}, 400, "bad_option"),
        ({"format": "imagefolder"}, 400, "option_missing"),
        ({"format": "coco", "options": {"keywords": "inside"}}, 400, "bad_option"),
        ({"format": "parquet", "images": True, "options": {"keywords": "inside"}}, 400, "bad_option"),
        ({"format": "imagefolder", "options": {"several": "all"}}, 400, "bad_option"),
        ({"format": "imagefolder", "options": {"several": ["copy"]}}, 400, "bad_option"),
        ({"format": ["csv"]}, 422, "unsupported_format"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_a_reason(cast, client_of, body, status, code):
    address = f"/api/v1/projects/{cast.project.pk}/exports/"
    response = client_of(cast.manager).post(address, body, format="json")
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(("who", "status"), [("annotator", 403), ("reviewer", 403), ("outsider", 404)])
def test_only_managers_export(cast, client_of, who, status):
    client = client_of(getattr(cast, who))
    address = f"/api/v1/projects/{cast.project.pk}/exports/"
    assert client.post(address, {"format": "csv"}, format="json").status_code == status
    assert client.get(address).status_code == status


def test_the_same_client_id_exports_once(cast, client_of):
    body = {"format": "csv", "client_id": str(uuid.uuid4())}
    address = f"/api/v1/projects/{cast.project.pk}/exports/"
    answers = [client_of(cast.manager).post(address, body, format="json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]
    assert ExportJob.objects.count() == 1


def test_a_file_is_there_only_when_the_export_is_done(cast, client_of):
    client = client_of(cast.manager)
    job = client.post(f"/api/v1/projects/{cast.project.pk}/exports/", {"format": "csv"}, format="json").json()
    assert job["download_url"] is None
    response = client.get(f"/api/v1/projects/{cast.project.pk}/exports/{job['id']}/download/")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "not_done")


def test_an_export_delivered_twice_or_killed_is_written_once(cast, reviewed, exported, monkeypatch):
    job, data = exported("csv")
    tasks.run_export(job["id"])
    row = ExportJob.objects.get(pk=job["id"])
    assert storage.read(row.file_key) == data

    class KilledError(BaseException):
        pass

    def killed(*args, **kwargs):
        raise KilledError

    second = ExportJob.objects.create(project=cast.project, format="csv", result={"losses": []})
    with monkeypatch.context() as patch:
        patch.setattr("annotations.services.exports._publish", killed)
        with pytest.raises(KilledError):
            tasks.run_export(second.pk)
    ExportJob.objects.filter(pk=second.pk).update(heartbeat_at="2000-01-01T00:00:00Z")
    tasks.run_export(second.pk)
    second.refresh_from_db()
    assert (second.state, storage.read(second.file_key)) == (JobState.DONE, data)


def test_a_worker_that_lost_its_export_leaves_no_file(cast, reviewed):
    job = ExportJob.objects.create(project=cast.project, format="csv", result={"losses": []})
    slow = jobs.claim(ExportJob, job.pk)
    ExportJob.objects.filter(pk=job.pk).update(claim=uuid.uuid4())
    with pytest.raises(jobs.ClaimLost):
        exports.run(slow)
    folder = storage.local_path(f"projects/{cast.project.pk}/exports")
    assert not folder.exists() or not list(folder.iterdir())


def test_queries_do_not_grow_with_images(cast, exported):
    counted = []
    for count in (2, 20):
        make_images(cast.project, count, first=count * 10)
        with CaptureQueriesContext(connection) as queries:
            exported("jsonl")
        counted.append(len(queries))
    assert counted[0] == counted[1]
