"""An export at work: what stops it, what it never offers, that it is of one moment and written once."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations import tasks
from annotations.exporters.frozen import Freezer
from annotations.models import ExportJob, Image, JobState
from annotations.selectors import export_rows
from annotations.services import export_files, exports, jobs, storage
from tests.annotations import files
from tests.factories import make_images, make_tags


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
