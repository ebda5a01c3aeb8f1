"""Rows of a table on their way: stored piece by piece, read by the worker, by its successor, or no further."""

import io
import json
import threading
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations import tasks
from annotations.importers.base import Batch, ItemError, KnownImage, Words
from annotations.importers.formats.spool import Spool
from annotations.models import Decision, Image, ImportItem, ImportJob
from annotations.services import import_rows, imports, jobs, storage
from tests.annotations import files
from tests.annotations.import_tables.said import codes, tags_of
from tests.factories import make_images


def test_rows_are_stored_in_pieces_and_only_the_first_errors_kept(cast, monkeypatch):
    monkeypatch.setattr(import_rows, "PIECE_SIZE", 50)
    monkeypatch.setattr("annotations.services.jobs.MAX_ERRORS_KEPT", 10)
    images = make_images(cast.project, 120)
    lost = ItemError("t.csv, row 1", "picture_not_found", "There is none.")
    held = 0

    def rows():
        nonlocal held
        for at, image in enumerate(images):
            held = max(held, at - ImportItem.objects.count() * 2)
            yield KnownImage("t.csv", image.name, Words(caption="x"), lost)
            yield lost

    job = imports.start(cast.project, actor=cast.manager, source="table", batch=Batch((), rows=rows()))
    assert (job.total, job.done, len(job.errors)) == (240, 120, 10)
    assert ImportItem.objects.count() == 120
    assert held <= 50


def test_queries_grow_with_pieces_not_with_rows(cast):
    images = make_images(cast.project, 40)
    counted = []
    for count in (2, 40):
        lost = ItemError("t.csv", "picture_not_found", "There is none.")
        rows = [KnownImage("t.csv", image.name, Words(caption="x"), lost) for image in images[:count]]
        with CaptureQueriesContext(connection) as queries:
            imports.start(cast.project, actor=None, source="table", batch=Batch((), rows=rows))
        counted.append(len(queries))
    assert counted[0] == counted[1]


class TestReadByTheWorker:
    """The request keeps the table and answers; its rows are read by the job, piece by piece."""

    @pytest.fixture(autouse=True)
    def small_pieces(self, monkeypatch):
        monkeypatch.setattr(import_rows, "PIECE_SIZE", 10)

    @pytest.fixture
    def waiting(self, cast, post):
        """A table of 30 rows that was sent, the 15th of an image that there is not."""
        images = make_images(cast.project, 29)
        names = (
            [image.name for image in images[:14]] + ["nowhere.jpg"] + [image.name for image in images[14:]]
        )
        table = "name,caption,tags\n" + "".join(f"{name},About {name},dog\n" for name in names)
        answer = post(table.encode())
        assert answer.status_code == 202, answer.json()
        return ImportJob.objects.get(pk=answer.json()["id"])

    def assert_landed(self, job):
        job.refresh_from_db()
        assert (job.state, job.done, job.total) == ("done", 30, 30)
        assert job.result == {"added": 0, "updated": 29, "duplicates": 0, "refused": 1}
        assert codes(job) == [("t.csv, row 16", "picture_not_found")]
        assert job.items.count() == Decision.objects.count() == 29
        assert not storage.exists(job.options["area"])

    def test_the_request_reads_no_row(self, waiting):
        assert (waiting.total, waiting.items.count(), waiting.errors) == (0, 0, [])

    def test_the_rows_land_with_their_report(self, waiting):
        tasks.run_import(waiting.pk)
        self.assert_landed(waiting)

    @pytest.mark.parametrize("stored", [0, 1, 2])
    def test_a_worker_that_dies_between_pieces_leaves_them_to_its_successor(
        self, waiting, monkeypatch, stored
    ):
        def dying(*args):
            if len(done) == stored:
                raise KeyboardInterrupt
            done.append(1)
            return prepared(*args)

        prepared, done = import_rows.prepared, []
        with monkeypatch.context() as patch:
            patch.setattr(import_rows, "prepared", dying)
            with pytest.raises(KeyboardInterrupt):
                tasks.run_import(waiting.pk)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.total) == ("running", 10 * stored)
        ImportJob.objects.update(heartbeat_at="2000-01-01T00:00:00Z")
        tasks.run_import(waiting.pk)
        self.assert_landed(waiting)

    def test_one_that_is_cancelled_while_it_is_read_keeps_what_has_landed(self, cast, waiting, monkeypatch):
        prepared = import_rows.prepared

        def and_then_cancel(job, piece):
            imports.cancel(ImportJob.objects.get(pk=job.pk), actor=cast.manager)
            return prepared(job, piece)

        monkeypatch.setattr(import_rows, "prepared", and_then_cancel)
        tasks.run_import(waiting.pk)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.done, waiting.total) == ("cancelled", 10, 10)
        assert Decision.objects.count() == waiting.items.filter(state="updated").count() == 10
        assert not storage.exists(waiting.options["area"])

    def test_one_that_is_cancelled_before_its_first_row_is_known_is_read_no_further(
        self, cast, post, monkeypatch
    ):
        """COCO says what applies at its end: of a large document minutes pass before anything lands."""
        total = 40_000
        document = {
            "images": [{"id": 1, "file_name": "a.jpg"}],
            "categories": [{"id": 1, "name": "dog"}],
            "annotations": [{"id": at, "image_id": 1, "category_id": 1} for at in range(total)],
        }
        job_id = post(json.dumps(document).encode(), name="instances.json").json()["id"]
        say, said, is_wished = Spool.say, [], threading.Event()

        def slowly(*args):
            is_wished.wait(20)  # the worker reads the wish before the document is read to its end
            said.append(1)
            return say(*args)

        def and_then_cancel(job, **changes):
            imports.cancel(ImportJob.objects.get(pk=job.pk), actor=cast.manager)
            beat(job, **changes)

        def told(job):
            if is_to_stop(job):
                is_wished.set()
            return ImportJob.objects.get(pk=job.pk).cancel_requested

        beat, is_to_stop = jobs.beat, jobs.is_to_stop
        monkeypatch.setattr(jobs, "BEAT_EVERY_S", 0.1)
        monkeypatch.setattr(jobs, "beat", and_then_cancel)
        monkeypatch.setattr(jobs, "is_to_stop", told)
        monkeypatch.setattr(Spool, "say", slowly)
        tasks.run_import(job_id)
        job = ImportJob.objects.get()
        assert (job.state, job.done, job.total, job.items.count()) == ("cancelled", 0, 0, 0)
        assert len(said) < total / 2
        assert not storage.exists(job.options["area"])

    def test_a_disk_that_fills_up_under_a_large_document_is_said(self, cast, post, monkeypatch):
        document = {
            "images": [{"id": at, "file_name": f"{at}.jpg"} for at in range(2_000)],
            "annotations": [],
            "categories": [],
        }
        begin = Spool.__init__

        def small(spool):
            begin(spool)
            spool._rows.execute("PRAGMA max_page_count = 10")

        monkeypatch.setattr(Spool, "__init__", small)
        tasks.run_import(post(json.dumps(document).encode(), name="instances.json").json()["id"])
        job = ImportJob.objects.get()
        assert (job.state, job.reason.startswith("The disk is full.")) == ("failed", True), job.reason
        assert job.total == job.items.count() == 0

    def test_a_document_that_is_read_to_its_end_first_is_so_once(self, cast, post, monkeypatch):
        (image,) = make_images(cast.project, 1)
        document = {
            "images": [{"id": 1, "file_name": image.name}],
            "categories": [{"id": 1, "name": "dog"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1}],
        }
        say, said = Spool.say, []
        monkeypatch.setattr(Spool, "say", lambda *args: (said.append(1), say(*args)))
        tasks.run_import(post(json.dumps(document).encode(), name="instances.json").json()["id"])
        assert ImportJob.objects.get().result["updated"] == 1
        assert len(said) == 1

    def test_a_table_that_breaks_off_lands_what_came_before_and_says_so(self, cast, post):
        (image,) = make_images(cast.project, 1)
        line = json.dumps({"name": image.name, "caption": "kept"})
        answer = post(f"{line}\n{line[:20]}\n".encode(), name="t.jsonl")
        tasks.run_import(answer.json()["id"])
        job = ImportJob.objects.get()
        assert (job.state, job.result["updated"], codes(job)) == (
            "done",
            1,
            [("t.jsonl, line 2", "bad_json")],
        )

    def test_a_format_in_which_nothing_is_found_fails_with_a_sentence(self, post):
        answer = post(b'{"images": [], "annotations": []}', name="instances.json")
        assert answer.status_code == 202, answer.json()
        tasks.run_import(answer.json()["id"])
        job = ImportJob.objects.get()
        assert (job.state, job.reason) == ("failed", "Expected rows that name pictures, got none.")

    def test_an_archive_is_unpacked_once(self, cast, post, monkeypatch):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("a.jpg", files.picture(1))
            archive.writestr("../b.jpg", files.picture(2))
            archive.writestr("words.csv", "path,tags\na.jpg,dog\n")
            archive.writestr("captions.csv", "name,caption\na.jpg,A dog\n")
        answer = post(archive=("all.zip", packed.getvalue()))
        monkeypatch.setattr(zipfile, "ZipFile", None)
        tasks.run_import(answer.json()["id"])
        job = ImportJob.objects.get()
        assert (job.state, codes(job)) == ("done", [("../b.jpg", "unsafe_path")])
        image = Image.objects.get()
        assert (image.caption, tags_of(cast, image)) == ("A dog", (["dog"], []))

    def test_queries_grow_with_batches_not_with_rows(self, cast, post, monkeypatch):
        monkeypatch.setattr(import_rows, "PIECE_SIZE", 100)
        images = make_images(cast.project, 42)
        counted = []
        for some in (images[:2], images[2:]):
            table = "sha256,caption,tags\n" + "".join(f"{one.sha256},x,dog|cat\n" for one in some)
            job_id = post(table.encode()).json()["id"]
            with CaptureQueriesContext(connection) as queries:
                tasks.run_import(job_id)
            counted.append(len(queries))
        assert counted[1] <= counted[0]
        assert Decision.objects.count() == 84
