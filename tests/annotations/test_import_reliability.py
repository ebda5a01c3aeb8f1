"""Imports under failure: delivered twice, killed between batches, silent, stopped; nothing is lost or doubled."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations import tasks
from annotations.importers.base import Batch, Options, StagedFile, Words
from annotations.models import Decision, Image, ImportJob, JobState, QueueEntry
from annotations.selectors import counters
from annotations.services import draws, image_edits, import_batches, imports, jobs, storage
from tests import plans
from tests.annotations import files
from tests.factories import make_images


class KilledError(BaseException):
    """Stands for SIGKILL: no handler of the task sees it."""


@pytest.fixture(autouse=True)
def small_batches(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(imports, "BATCH_SIZE", 4)


@pytest.fixture
def job(cast) -> ImportJob:
    return start(cast, count=10)


def start(cast, *, count: int, first: int = 0, options: Options | None = None) -> ImportJob:
    area = storage.new_staging_area()
    staged = []
    for seed in range(first, first + count):
        storage.put(f"{area}/{seed}", files.picture(seed))
        staged.append(
            StagedFile(f"{seed}.jpg", f"{area}/{seed}", Words(caption=f"number {seed}", tags=("dog",)))
        )
    return imports.start(
        cast.project,
        actor=cast.manager,
        source="upload",
        batch=Batch(tuple(staged)),
        options=options or Options(),
        area=area,
    )


def fall_silent(job: ImportJob) -> None:
    ImportJob.objects.filter(pk=job.pk).update(
        heartbeat_at=timezone.now() - jobs.STALE_AFTER - timedelta(seconds=1)
    )


def assert_landed_once(cast, job: ImportJob, count: int = 10) -> None:
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == (JobState.DONE, count, count)
    assert job.result == {"added": count, "updated": 0, "duplicates": 0, "refused": 0}
    assert Image.objects.count() == QueueEntry.objects.count() == Decision.objects.count() == count
    kept = counters.read(cast.project.pk)
    assert (kept["images"], kept["pending"], kept["decisions"]) == (count, count, count)
    assert not storage.exists(job.options["area"])


def killed_after_batches(monkeypatch, batches: int) -> None:
    store, calls = import_batches.store, []

    def dying(*args):
        if len(calls) == batches:
            raise KilledError
        calls.append(1)
        return store(*args)

    monkeypatch.setattr(import_batches, "store", dying)


def test_a_task_delivered_twice_has_one_effect(cast, job):
    tasks.run_import(job.pk)
    tasks.run_import(job.pk)
    assert_landed_once(cast, job)


def test_a_message_that_comes_while_another_worker_is_at_it_does_nothing(cast, job):
    held = jobs.claim(ImportJob, job.pk)
    tasks.run_import(job.pk)
    assert not Image.objects.exists()
    imports.run(held)
    assert_landed_once(cast, job)


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_worker_killed_between_batches_loses_and_doubles_nothing(cast, job, monkeypatch, batches):
    with monkeypatch.context() as patch:
        killed_after_batches(patch, batches)
        with pytest.raises(KilledError):
            tasks.run_import(job.pk)
    assert Image.objects.count() == 4 * batches
    tasks.run_import(job.pk)  # too early: the heartbeat is fresh
    assert Image.objects.count() == 4 * batches
    fall_silent(job)
    tasks.run_import(job.pk)
    assert_landed_once(cast, job)


def test_the_sweep_sends_silent_and_forgotten_jobs_again(
    cast, monkeypatch, django_capture_on_commit_callbacks
):
    silent, forgotten, fresh = (start(cast, count=1, first=seed) for seed in (0, 1, 2))
    jobs.claim(ImportJob, silent.pk)
    fall_silent(silent)
    ImportJob.objects.filter(pk=forgotten.pk).update(created_at=timezone.now() - timedelta(minutes=1))
    sent = []
    monkeypatch.setattr(tasks.run_import, "apply_async", lambda **options: sent.extend(options["args"]))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()
    assert sent == [silent.pk, forgotten.pk]
    assert fresh.state == JobState.QUEUED


def test_a_worker_that_lost_its_claim_stores_nothing_more(cast, job):
    slow = jobs.claim(ImportJob, job.pk)
    fall_silent(job)
    quick = jobs.claim(ImportJob, job.pk)
    with pytest.raises(jobs.ClaimLost):
        imports.run(slow)
    assert not Image.objects.exists()
    imports.run(quick)
    assert_landed_once(cast, job)


def test_a_picture_that_ends_its_worker_each_time_is_refused_and_the_rest_lands(cast, job, monkeypatch):
    look = import_batches.look

    def deadly(item, *args):
        if item.name == "5.jpg":
            raise KilledError
        return look(item, *args)

    monkeypatch.setattr(import_batches, "look", deadly)
    for _ in range(20):
        job.refresh_from_db()
        if job.state == JobState.DONE:
            break
        try:
            tasks.run_import(job.pk)
        except KilledError:
            fall_silent(job)
    assert (job.state, job.result["added"], job.result["refused"]) == (JobState.DONE, 9, 1)
    assert [(error["item"], error["code"]) for error in job.errors] == [("5.jpg", "worker_died")]


def test_a_running_import_stops_at_a_wish_and_keeps_what_landed(cast, job, monkeypatch):
    store = import_batches.store

    def and_then_cancel(held, looked):
        done = store(held, looked)
        imports.cancel(ImportJob.objects.get(pk=job.pk), actor=cast.manager)
        return done

    monkeypatch.setattr(import_batches, "store", and_then_cancel)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, Image.objects.count()) == (JobState.CANCELLED, 4, 4)
    assert not storage.exists(job.options["area"])


def test_an_unexpected_error_ends_the_job_with_a_reason(cast, job, monkeypatch):
    def broken(*args):
        raise ZeroDivisionError("the numbers are off")

    monkeypatch.setattr(import_batches, "store", broken)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "ZeroDivisionError: the numbers are off" in job.reason


def test_abandoned_uploads_are_swept_and_needed_ones_stay(cast, job, monkeypatch):
    left = storage.new_staging_area()
    storage.put(f"{left}/1", b"left behind")
    monkeypatch.setattr(tasks, "ABANDONED_AFTER", timedelta(seconds=-5))
    tasks.sweep()
    assert not storage.exists(left)
    assert storage.exists(job.options["area"])


def test_a_trashed_image_that_is_sent_again_comes_back(cast, job):
    tasks.run_import(job.pk)
    image = Image.objects.order_by("id").first()
    image_edits.trash(cast.project, image.pk, actor=cast.manager)
    again = start(cast, count=1)
    tasks.run_import(again.pk)
    again.refresh_from_db()
    assert again.result == {"added": 0, "updated": 1, "duplicates": 0, "refused": 0}
    assert Image.objects.get(pk=image.pk).deleted_at is None
    assert QueueEntry.objects.filter(image=image).exists()
    assert counters.read(cast.project.pk)["images"] == 10


def test_queries_grow_with_batches_not_with_images(cast, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_SIZE", 50)
    counted = []
    for first, count in ((0, 2), (100, 20)):
        job = start(cast, count=count, first=first)
        with CaptureQueriesContext(connection) as queries:
            tasks.run_import(job.pk)
        counted.append(len(queries))
    assert counted[1] <= counted[0]


def test_sides_are_drawn_from_the_bytes_and_stored_with_their_probability(cast):
    job = start(cast, count=40)
    tasks.run_import(job.pk)
    images = Image.objects.all()
    assert {image.holdout_probability for image in images} == {0.15}
    assert 1 <= sum(image.is_holdout for image in images) <= 15
    assert {
        entry.is_holdout == entry.image.is_holdout for entry in QueueEntry.objects.select_related("image")
    } == {True}


def rows_that_an_import_reads(cast, *, first: int) -> int:
    """Of images, by every query that looks some up while one import of four pictures runs."""
    job = start(cast, count=4, first=first)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotations_image")
    with CaptureQueriesContext(connection) as caught:
        tasks.run_import(job.pk)
    looks = [one["sql"] for one in caught.captured_queries if one["sql"].startswith("SELECT")]
    rows = 0
    with connection.cursor() as cursor:
        for sql in (sql for sql in looks if '"annotations_image"' in sql):
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
            rows += plans.rows_read(cursor.fetchone()[0][0]["Plan"])
    return rows


def test_an_import_reads_no_more_images_in_a_larger_project(cast):
    """The draw of the holdout counts what there is: without any it must not look through all images each time."""
    small = rows_that_an_import_reads(cast, first=0)
    make_images(cast.project, 4_000)
    assert rows_that_an_import_reads(cast, first=100) <= small + 10


def test_the_holdout_counts_as_full_with_what_lies_in_the_trash(cast, monkeypatch):
    monkeypatch.setattr(draws, "HOLDOUT_FULL", 4)
    held = make_images(cast.project, 4, holdout=True)
    for image in held[:2]:
        image_edits.trash(cast.project, image.pk, actor=cast.manager)
    tasks.run_import(start(cast, count=1).pk)
    assert Image.objects.get(name="0.jpg").holdout_probability == draws.PERCENT_WHEN_FULL / 100


def test_a_full_disk_is_said_and_what_landed_stays(cast, job, monkeypatch):
    """The device that is always full takes the place of the seventh picture; sent again, nothing lands twice."""
    put, originals = storage.put, set()

    def full(key, data, **options):
        originals.update([key] if "/originals/" in key else [])
        if len(originals) > 6:
            with open("/dev/full", "wb", buffering=0) as device:  # noqa: PTH123
                device.write(data)
        put(key, data, **options)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "put", full)
        tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.reason.startswith("The disk is full.")) == ("failed", True)
    landed = Image.objects.count()
    assert 0 < landed < 10
    again = start(cast, count=10)
    tasks.run_import(again.pk)
    again.refresh_from_db()
    assert again.result == {"added": 10 - landed, "updated": 0, "duplicates": landed, "refused": 0}
