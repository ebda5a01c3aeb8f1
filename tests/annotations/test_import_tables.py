"""Imports by table through the API: mapping and preview, where pictures are found, and what comes of each row."""

import io
import json
import tarfile
import threading
import zipfile
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations import tasks
from annotations.importers.base import Batch, ItemError, KnownImage, Words
from annotations.importers.formats.spool import Spool
from annotations.models import Decision, Image, ImportItem, ImportJob, OutsideSuggestion, Project
from annotations.selectors import truth
from annotations.services import exports, image_edits, import_rows, imports, jobs, projects, storage
from tests.annotations import files
from tests.factories import make_images, make_tags, review_next


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_ROOTS = []


@pytest.fixture
def post(cast, client_of):
    """Send a table, or only something else, as the manager; answers the response."""

    def send(table=None, *, name="t.csv", pictures=None, query="", **fields):
        sent = {"files": list((pictures or {}).items()), **fields}
        if table is not None:
            sent["manifest"] = (name, table)
        address = f"/api/v1/projects/{cast.project.pk}/imports/{query}"
        return client_of(cast.manager).post(address, files.form(sent), content_type=files.FORM)

    return send


@pytest.fixture
def landed(post):
    def send(table=None, **fields):
        response = post(table, **fields)
        assert response.status_code == 202, response.json()
        tasks.run_import(response.json()["id"])
        return ImportJob.objects.get(pk=response.json()["id"])

    return send


def codes(job):
    return [(error["item"], error["code"]) for error in job.errors]


def tags_of(cast, image):
    said = truth.verdicts(cast.project, [image.pk])[image.pk]
    names = dict(cast.project.tags.values_list("pk", "name"))
    return sorted(names[pk] for pk in said.yes), sorted(names[pk] for pk in said.no)


def test_pictures_sent_along_land_with_what_their_rows_say(cast, landed):
    table = b"path,caption,tags,split,camera\na.jpg,A dog,dog|water,train,X100\nb.jpg,,,test,\n"
    pictures = {"a.jpg": files.picture(1), "b.jpg": files.picture(2), "c.jpg": files.picture(3)}
    job = landed(table, pictures=pictures, mapping=json.dumps({"camera": "metadata"}))
    assert (job.source, job.result, job.errors) == (
        "table", {"added": 3, "updated": 0, "duplicates": 0, "refused": 0}, [],
    )  # fmt: skip
    a, b, c = Image.objects.order_by("name")
    assert (a.caption, a.metadata) == ("A dog", {"split": "train", "camera": "X100"})
    assert (b.caption, b.metadata, c.metadata) == ("", {"split": "test"}, {})
    assert tags_of(cast, a) == (["dog", "water"], [])
    assert not storage.exists(job.options["area"])


def test_pictures_of_an_archive_land_with_what_their_rows_say(cast, landed):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("walk/a.jpg", files.picture(1))
        archive.writestr("../b.jpg", files.picture(2))
    job = landed(b"path,tags\nwalk/a.jpg,dog\nb.jpg,cat\n", archive=("walk.zip", packed.getvalue()))
    assert codes(job) == [("../b.jpg", "unsafe_path"), ("t.csv, row 3", "picture_not_found")]
    assert job.result == {"added": 1, "updated": 0, "duplicates": 0, "refused": 2}
    assert (job.done, job.total) == (3, 3)
    assert tags_of(cast, Image.objects.get()) == (["dog"], [])


def test_images_of_the_project_get_words_without_their_bytes(cast, landed):
    landed(b"path\na.jpg\nwalk/b.jpg\n", pictures={"a.jpg": files.picture(1), "walk/b.jpg": files.picture(2)})
    a, b = Image.objects.order_by("name")
    table = f"sha256,path,caption,tags\n{a.sha256},,By bytes,dog\n,walk/b.jpg,By path,cat\n,b.jpg,By name,\n"
    job = landed(table.encode())
    assert job.result == {"added": 0, "updated": 3, "duplicates": 0, "refused": 0}
    a.refresh_from_db(), b.refresh_from_db()
    assert (a.caption, b.caption, b.revision) == ("By bytes", "By name", 2)
    assert tags_of(cast, a) == (["dog"], [])
    again = landed(table.encode().replace(b"By path", b"By name"))
    assert again.result == {"added": 0, "updated": 0, "duplicates": 3, "refused": 0}
    assert Decision.objects.count() == 2


def test_rows_whose_picture_is_nowhere_or_not_clear_are_named(cast, landed):
    pictures = {"x/a.jpg": files.picture(1), "y/a.jpg": files.picture(2), "t.jpg": files.picture(3)}
    landed(b"path\n", pictures=pictures)
    trashed = Image.objects.get(name="t.jpg")
    image_edits.trash(cast.project, trashed.pk, actor=cast.manager)
    known = Image.objects.get(path="x/a.jpg")
    table = (
        "path,sha256,caption\nnowhere.jpg,,1\na.jpg,,2\n"
        f",{trashed.sha256},3\nt.jpg,,4\nx/a.jpg,{'0' * 64},5\nx/a.jpg,,fine\n"
    )
    job = landed(table.encode())
    assert codes(job) == [
        ("t.csv, row 2", "picture_not_found"),
        ("t.csv, row 3", "ambiguous_name"),
        ("t.csv, row 4", "in_trash"),
        ("t.csv, row 5", "picture_not_found"),
        ("t.csv, row 6", "picture_not_found"),
    ]
    assert job.result == {"added": 0, "updated": 1, "duplicates": 0, "refused": 5}
    known.refresh_from_db()
    assert known.caption == "fine"


def test_an_image_of_another_project_is_not_found(cast, landed):
    (elsewhere,) = make_images(Project.objects.get(name="Elsewhere"), 1)
    job = landed(f"sha256,name,caption\n{elsewhere.sha256},{elsewhere.name},stolen\n".encode())
    assert [code for _, code in codes(job)] == ["picture_not_found"]
    elsewhere.refresh_from_db()
    assert elsewhere.caption == ""


def test_an_image_that_leaves_before_its_row_is_read_is_refused(cast, post):
    (image,) = make_images(cast.project, 1)
    job_id = post(f"sha256,caption\n{image.sha256},late\n".encode()).json()["id"]
    image_edits.trash(cast.project, image.pk, actor=cast.manager)
    tasks.run_import(job_id)
    job = ImportJob.objects.get(pk=job_id)
    assert (job.state, codes(job)) == ("done", [("t.csv, row 2", "in_trash")])


def test_an_image_that_leaves_after_its_row_was_read_is_refused(cast, post):
    (image,) = make_images(cast.project, 1)
    said = f"sha256,caption\n{image.sha256},late\n".encode()
    job = jobs.claim(ImportJob, post(said, complete="true").json()["id"])
    import_rows.complete(job)
    image_edits.trash(cast.project, image.pk, actor=cast.manager)
    imports.run(job)
    job.refresh_from_db()
    assert (job.state, [code for _, code in codes(job)]) == ("done", ["image_gone"])


def test_server_files_land_by_path(cast, landed, settings, tmp_path):
    settings.IMPORT_ROOTS = [str(files.folder_of(tmp_path / "shelf", 2))]
    job = landed(b"path;caption\np0000.jpg;first\np0001.jpg;second\n../secret.jpg;no\n")
    assert codes(job) == [("t.csv, row 4", "path_not_allowed")]
    assert list(Image.objects.order_by("name").values_list("caption", flat=True)) == ["first", "second"]


def test_a_preview_stores_nothing(cast, post):
    table = b"Bild;caption\na.jpg;Ein Hund\n"
    answer = post(
        table, query="?preview=true", mapping='{"Bild": "name"}', pictures={"a.jpg": files.picture()}
    )
    assert answer.status_code == 200
    assert answer.json()["mapping"] == {"Bild": "name", "caption": "caption"}
    assert answer.json()["items"][0]["caption"] == "Ein Hund"
    assert not ImportJob.objects.exists() and not storage.abandoned_staging_areas(
        older_than=timedelta(days=-1)
    )
    assert post(table, preview="true").json()["rows"] == [{"Bild": "a.jpg", "caption": "Ein Hund"}]


def test_a_preview_names_cells_whose_text_is_no_text(post):
    rows = [{"path": "a.jpg", "sha256": "\ud800"}, {"path": "b.jpg", "suggestions": "\ud800"}]
    answer = post("\n".join(map(json.dumps, rows)).encode(), name="t.jsonl", query="?preview=true")
    assert [error["code"] for error in answer.json()["errors"]] == ["bad_sha256", "bad_suggestions"]


@pytest.mark.parametrize(
    ("table", "fields", "code"),
    [
        (b"", {}, "empty_table"),
        (b"path,path\na,b\n", {}, "duplicate_column"),
        (b"path^x\na^b\n", {}, "missing_column"),
        (b"path\na\n", {"mapping": "[1]"}, "bad_mapping"),
        (b"path\na\n", {"mapping": "{"}, "bad_json"),
        (b"path\na\n", {"mapping": '{"x": "path"}'}, "bad_mapping"),
        (b"path\na\n", {"tags_separator": "/"}, "bad_option"),
        (b"path\n", {}, "nothing_sent"),
    ],
)
def test_a_table_that_cannot_be_read_stores_nothing(cast, post, table, fields, code):
    response = post(table, **fields)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)
    assert not ImportJob.objects.exists()


def test_texts_that_postgresql_cannot_hold_do_not_stop_a_table(cast, landed):
    (image,) = make_images(cast.project, 1)
    line = {
        "name": image.name,
        "caption": "a\x00b \ud800",
        "tags": ["d\x00og"],
        "metadata": {"k\x00": "\ud800"},
    }
    odd = {"name": "gone\x00\ud800.jpg", "tags": [], "caption": "x"}
    job = landed(f"{json.dumps(line)}\n{json.dumps(odd)}\n".encode(), name="t.jsonl")
    image.refresh_from_db()
    assert (image.caption, image.metadata) == ("ab ?", {"k": "?"})
    assert [item for item, _ in codes(job)] == ["t.jsonl, line 2, column “name”"]


def test_spellings_of_one_tag_make_one_tag_named_by_the_first(cast, landed):
    make_images(cast.project, 3)
    landed(
        "name,tags\npicture-0000.jpg,Café\npicture-0001.jpg,cafe\u0301\npicture-0002.jpg,CAFÉ|café\n".encode()
    )
    assert list(cast.project.tags.values_list("name", flat=True)) == ["Café"]
    assert Decision.objects.count() == 3


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


def test_pictures_and_tables_of_one_archive_find_each_other(cast, landed):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in (
            ("train/metadata.jsonl", b'{"file_name": "a.jpg", "text": "In train", "no": ["cat"]}\n'),
            ("data.csv", b"path,tags\nwalk/b.jpg,dog\nwalk/gone.jpg,x\n"),
            ("images/walk/b.jpg", files.picture(1)),
            ("train/a.jpg", files.picture(2)),
            ("a.jpg", files.picture(3)),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    job = landed(archive=("all.tar.gz", packed.getvalue()))
    assert (job.source, codes(job)) == ("archive", [("data.csv, row 3", "picture_not_found")])
    said = {image.path or image.name: (image.caption, *tags_of(cast, image)) for image in Image.objects.all()}
    assert said == {
        "images/walk/b.jpg": ("", ["dog"], []),
        "train/a.jpg": ("In train", [], ["cat"]),
        "a.jpg": ("", [], []),
    }


def test_what_another_model_suggests_lands_for_sent_and_known_pictures(cast, landed):
    make_tags(cast.project, "dog", "cat")
    (known,) = make_images(cast.project, 1)
    rows = [
        {
            "path": "a.jpg",
            "suggestions": [{"tag": "dog", "score": 0.9}, {"tag": "cat", "score": 0.2}],
            "model": "m",
        },
        {"path": known.name, "suggestions": {"cat": 0.7, "eel": 0.9}, "model": ""},
        {"path": "b.jpg", "caption": "A boat", "suggestions": {"dog": 2}, "model": "m"},
    ]
    table = "\n".join(map(json.dumps, rows)).encode()
    pictures = {"a.jpg": files.picture(1), "b.jpg": files.picture(2)}
    job = landed(table, name="t.jsonl", pictures=pictures)
    assert sorted(codes(job)) == [
        (known.name, "unknown_tag"), ("t.jsonl, line 3, column “suggestions”", "bad_score"),
    ]  # fmt: skip
    assert job.result == {"added": 2, "updated": 1, "duplicates": 0, "refused": 0}
    names = dict(cast.project.tags.values_list("pk", "name"))
    stored = OutsideSuggestion.objects.order_by("image__name").select_related("image")
    assert [
        (
            one.image.name,
            one.model,
            {names[pk]: score for pk, score in zip(one.tag_ids, one.scores, strict=True)},
        )
        for one in stored
    ] == [("a.jpg", "m", {"dog": 0.9, "cat": 0.2}), (known.name, "another model", {"cat": 0.7})]
    assert Image.objects.get(name="b.jpg").caption == "A boat" and not Decision.objects.exists()
    again = landed(table, name="t.jsonl", pictures=pictures)
    assert again.result == {"added": 0, "updated": 0, "duplicates": 3, "refused": 0}
    assert OutsideSuggestion.objects.count() == 2


class TestOurOwnExports:
    """What we write comes back: into the same project nothing changes, into another one it is all there."""

    AWKWARD = ("=1+1", "a,b", 'quo"te', "pi|pe", "back\\slash", "🐕", "שלום", "@home")

    @pytest.fixture
    def reviewed(self, cast):
        """Two reviewed images, one with nothing on it, and one that got answers to single tags."""
        make_tags(cast.project, *self.AWKWARD, "cat", "dog")
        images = make_images(cast.project, 4, caption="=caption")
        for index, image in enumerate(images):
            storage.put(image.storage_key, files.picture(index))
        for yes, rejected in (((*self.AWKWARD, "dog"), ("cat",)), ((), ())):
            review_next(cast, cast.annotator, yes=yes, rejected=rejected)
        waiting = Image.objects.filter(state="pending").order_by("pk")[0]
        for tag, value in (("dog", "yes"), ("cat", "no")):
            Decision.objects.create(
                project=cast.project,
                image=waiting,
                tag=cast.project.tags.get(name=tag),
                user=cast.reviewer,
                value=value,
                scope=Decision.Scope.TAG,
            )
        return cast.project

    @staticmethod
    def written(project, format):
        job = exports.start(project, actor=None, format=format)
        tasks.run_export(job.pk)
        job.refresh_from_db()
        return storage.read(job.file_key)

    @staticmethod
    def said(project):
        """Of each image, by its name: state, explicit yes and no, and whether the rest is an implied no."""
        names = dict(project.tags.values_list("pk", "name"))
        images = {image.pk: image for image in project.images.all()}
        return {
            images[pk].name: (
                images[pk].state,
                sorted(names[tag] for tag in one.yes),
                sorted(names[tag] for tag in one.no),
                bool(one.implied_no),
            )
            for pk, one in truth.verdicts(project, list(images)).items()
        }

    @pytest.mark.parametrize("format", ["csv-long", "jsonl"])
    def test_they_come_back_into_another_project(self, cast, reviewed, client_of, format):
        elsewhere = projects.create(cast.admin, name="A copy")
        make_images(elsewhere, 4)
        data = self.written(reviewed, format)
        # The copy's pictures are others: their rows find them by name alone.
        for image in Image.objects.filter(project=reviewed):
            data = data.replace(image.sha256.encode(), b"")
        body = files.form({"manifest": (f"export.{'csv' if format == 'csv-long' else 'jsonl'}", data)})
        address = f"/api/v1/projects/{elsewhere.pk}/imports/"
        job_id = client_of(cast.admin).post(address, body, content_type=files.FORM).json()["id"]
        tasks.run_import(job_id)
        job = ImportJob.objects.get(pk=job_id)
        assert (job.errors, job.result["updated"]) == ([], 4)
        expected = self.said(reviewed)
        assert {state for state, *_ in expected.values()} == {"reviewed", "pending"}
        assert self.said(elsewhere) == expected
        captions = set(Image.objects.filter(project=elsewhere).values_list("caption", flat=True))
        assert captions == {"=caption"}
        # The version that a person answered to is none that suggests.
        assert not OutsideSuggestion.objects.exists()

    @pytest.mark.parametrize("format", ["csv", "csv-long", "jsonl"])
    def test_into_the_same_project_they_change_nothing_that_was_said(self, cast, reviewed, landed, format):
        before = self.said(reviewed)
        job = landed(
            self.written(reviewed, format), name=f"export.{format[:3]}" if "csv" in format else "export.jsonl"
        )
        assert job.errors == []
        assert self.said(reviewed) == before
        again = landed(
            self.written(reviewed, format), name=f"export.{format[:3]}" if "csv" in format else "export.jsonl"
        )
        assert again.result == {"added": 0, "updated": 0, "duplicates": 4, "refused": 0}

    def test_an_explicit_no_blocks_the_suggestion(self, cast, landed):
        (image,) = make_images(cast.project, 1)
        make_tags(cast.project, "cat")
        landed(f"name,tag,verdict\n{image.name},cat,no\n".encode())
        assert truth.explicit_no([image.pk]) == {
            image.pk: set(cast.project.tags.values_list("pk", flat=True))
        }

    def test_a_verdict_that_has_changed_replaces_the_imported_one(self, cast, landed):
        (image,) = make_images(cast.project, 1)
        for verdict, decisions in (("yes", 1), ("no", 2), ("no", 2), ("yes", 3)):
            landed(f"name,tag,verdict\n{image.name},cat,{verdict}\n".encode())
            assert Decision.objects.count() == decisions
            assert tags_of(cast, image) == ((["cat"], []) if verdict == "yes" else ([], ["cat"]))
