"""A folder of the server is read as an archive with the same files would be, in place and below allowed roots only."""

import errno
import hashlib
import io
import json
import os

import pytest
from django.core.management import call_command

from annotations import tasks
from annotations.importers.formats import recognising
from annotations.models import Image, ImportJob, JobState
from annotations.selectors import truth
from annotations.services import import_rows, jobs, projects, storage
from tests.annotations import files
from tests.annotations.test_import_reliability import KilledError, fall_silent
from tests.annotations.test_import_together import COCO, PICTURES, TABLES, codes

DOCUMENT = json.dumps(COCO).encode()
VOC = b"<annotation><filename>b.jpg</filename><object><name>owl</name></object></annotation>"


@pytest.fixture
def shelf(settings, tmp_path):
    """A folder that the server may read, with two pictures."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_ROOTS = [str(tmp_path / "allowed")]
    return files.written(tmp_path / "allowed" / "shelf", dict(PICTURES))


@pytest.fixture
def post(cast, client_of):
    def send(project=None, **fields):
        address = f"/api/v1/projects/{(project or cast.project).pk}/imports/"
        client = client_of(cast.admin)
        if any(isinstance(value, tuple) for value in fields.values()):
            return client.post(address, files.form(fields), content_type=files.FORM)
        return client.post(address, fields, format="json")

    return send


@pytest.fixture
def landed(post, shelf):
    def send(**fields):
        answer = post(**({"path": "shelf"} | fields))
        assert answer.status_code == 202, answer.json()
        tasks.run_import(answer.json()["id"])
        return ImportJob.objects.get(pk=answer.json()["id"])

    return send


def said(project):
    """All that an import says of the images, by their names."""
    images = {image.pk: image for image in Image.objects.filter(project=project)}
    names = dict(project.tags.values_list("pk", "name"))
    verdicts = truth.verdicts(project, list(images))
    return {
        image.path or image.name: (
            image.caption,
            image.metadata,
            sorted(names[tag] for tag in verdicts[pk].yes),
            sorted(names[tag] for tag in verdicts[pk].no),
        )
        for pk, image in images.items()
    }


def tags(project):
    return {name: set(yes) for name, (_, _, yes, _) in said(project).items()}


def test_a_folder_and_an_archive_of_the_same_files_say_the_same(cast, shelf, post, landed):
    members = dict(PICTURES) | {
        "walk/c.jpg": files.picture(3),
        "walk/d.jpg": files.picture(4),
        "instances_train.json": DOCUMENT,
        "voc/b.xml": VOC,
        "captions.csv": b"name,caption,tags\na.jpg,A dog,wet\ngone.jpg,x,\n",
        "walk/labels.csv": b"path,tags,no,camera\nc.jpg,cat,dog,X\nnowhere.jpg,x,,\n",
        "walk/d.txt": b"grey, asleep",
        "broken.json": b'{"images": [',
        "list.json": b"[1, 2]",
        "notes.csv": b"x^y\n1^2\n",
        "p.parquet": b"PAR1 but not",
        "manifest.json": b"{}",
    }
    files.written(shelf, members | {"README.md": b"x", "notes.txt": b"x", "load.py": b"x", "old.zip": b"x"})
    other = projects.create(cast.admin, name="By archive")
    by_archive = landed(project=other, archive=("a.zip", files.zipped(members)), path="")
    by_path = landed()
    assert (by_path.source, by_path.state) == ("folder", JobState.DONE)
    assert sorted(codes(by_path)) == sorted(codes(by_archive)) == [
        ("broken.json", "not_an_image"),
        ("gone.jpg", "caption_without_file"),
        ("list.json", "bad_json"),
        ("notes.csv", "missing_column"),
        ("p.parquet", "bad_parquet"),
        ("walk/labels.csv, row 3", "picture_not_found"),
    ]  # fmt: skip
    assert by_path.result == by_archive.result == {"added": 4, "updated": 0, "duplicates": 0, "refused": 5}
    assert said(cast.project) == said(other)
    assert tags(cast.project) == {
        "a.jpg": {"dog"}, "b.jpg": {"owl"}, "walk/c.jpg": {"cat"}, "walk/d.jpg": {"asleep", "grey"},
    }  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_folder_is_read_by_the_worker_where_it_lies(cast, shelf, post, name):
    files.written(shelf, {name: TABLES[name]})
    job = ImportJob.objects.get(pk=post(path="shelf").json()["id"])
    assert job.options["unread"] and not job.items.exists()
    staged = {file.name for file in storage.local_path(job.options["area"]).rglob("*") if file.is_file()}
    assert staged == {"listed.json", "unread.json"}
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.errors, job.total) == (JobState.DONE, [], 2)
    assert tags(cast.project) == {"a.jpg": {"dog"}, "b.jpg": set()}
    assert (shelf / name).read_bytes() == TABLES[name] and not storage.exists(job.options["area"])


def test_a_table_alone_speaks_of_the_images_of_the_project(cast, shelf, landed):
    landed()
    files.written(shelf.parent / "words", {"t.csv": b"path,tags\na.jpg,dog\n"})
    job = landed(path="words")
    assert job.result == {"added": 0, "updated": 1, "duplicates": 0, "refused": 0}
    assert tags(cast.project)["a.jpg"] == {"dog"}


def test_folders_name_the_tag_beside_what_a_table_says(cast, shelf, landed):
    members = {"dog/1.jpg": files.picture(5), "cat/2.jpg": files.picture(6)}
    files.written(
        shelf.parent / "tree", members | {"t.csv": b"path,tags,no\ndog/1.jpg,wet,\ncat/2.jpg,,cat\n"}
    )
    job = landed(path="tree", format="imagefolder")
    assert (job.errors, tags(cast.project)) == ([], {"dog/1.jpg": {"dog", "wet"}, "cat/2.jpg": set()})


@pytest.mark.parametrize(
    "sent",
    [("words.csv", b"name,caption\na.jpg,Said\n"), ("t.jsonl", b'{"path": "a.jpg", "text": "Said"}\n')],
)
@pytest.mark.parametrize("beside", [{}, {"instances.json": DOCUMENT}])
def test_a_file_of_captions_may_be_sent_with_the_folder(cast, shelf, landed, sent, beside):
    files.written(shelf, beside)
    job = landed(captions_file=sent, path="shelf")
    assert (job.source, job.errors, job.result["added"]) == ("folder", [], 2)
    assert Image.objects.get(name="a.jpg").caption == "Said"
    assert tags(cast.project)["a.jpg"] == ({"dog"} if beside else set())


def test_captions_that_cannot_be_read_refuse_the_folder_as_they_do_an_archive(shelf, post):
    files.written(shelf, {"captions.csv": b"name,caption\na.jpg,Caf\xe9\n"})
    for fields in (
        {"path": "shelf"},
        {"archive": ("a.zip", files.zipped({"captions.csv": b"name,caption\na.jpg,\xe9"}))},
    ):
        answer = post(**fields)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "not_utf8")
    assert not ImportJob.objects.exists()


def test_data_that_is_hidden_or_lies_outside_is_not_looked_at(cast, shelf, landed):
    outside = files.written(shelf.parent.parent / "secret", {"t.csv": TABLES["data.csv"]})
    (shelf / "link.csv").symlink_to(outside / "t.csv")
    (shelf / "folder").symlink_to(outside)
    files.written(shelf, {".t.csv": TABLES["data.csv"], ".hidden/t.csv": TABLES["data.csv"]})
    job = landed()
    assert (job.errors, job.result["added"]) == ([], 2)
    assert tags(cast.project) == {"a.jpg": set(), "b.jpg": set()}


def test_a_table_of_the_folder_leads_to_no_file_outside(cast, shelf, landed):
    secret = files.written(shelf.parent.parent / "secret", {"s.jpg": files.picture(9)}) / "s.jpg"
    files.written(shelf, {"t.csv": f"path,tags\n{secret},dog\n../../secret/s.jpg,dog\n".encode()})
    job = landed()
    assert codes(job) == [("t.csv, row 2", "path_not_allowed"), ("t.csv, row 3", "path_not_allowed")]
    assert Image.objects.count() == 2


def test_data_that_cannot_be_opened_is_named_and_holds_nothing_up(cast, shelf, landed, monkeypatch):
    monkeypatch.setattr(recognising, "MAX_DATA_BYTES", 1_000)
    os.mkfifo(shelf / "pipe.csv")
    (shelf / "lost.json").symlink_to(shelf / "nowhere")
    files.written(shelf, {"long.csv": b"path,tags\na.jpg,dog\n" + b"\n" * 1_000, "instances.json": DOCUMENT})
    job = landed()
    assert codes(job) == [
        ("long.csv", "too_large"),
        ("lost.json", "file_missing"),
        ("pipe.csv", "not_a_file"),
    ]
    assert (job.result["added"], job.result["refused"]) == (2, 3)
    assert tags(cast.project) == {"a.jpg": {"dog"}, "b.jpg": set()}


def test_pictures_that_nobody_can_open_are_named_and_the_rest_lands(cast, shelf, landed):
    (shelf / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(shelf / "pipe.jpg")
    files.written(shelf / os.fsdecode(b"caf\xe9"), {"c.jpg": files.picture(9)})
    job = landed()
    assert sorted(codes(job)) == [
        (r"caf\udce9/c.jpg", "not_utf8"),
        ("loop.jpg", "file_missing"),
        ("pipe.jpg", "not_a_file"),
    ]
    assert (job.result["added"], job.result["refused"]) == (2, 3)


def test_a_link_to_itself_is_no_folder(post, shelf):
    (shelf / "loop").symlink_to("loop")
    answer = post(path="shelf/loop")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "no_such_folder")


def test_a_folder_that_cannot_be_listed_is_named(cast, shelf, landed, monkeypatch):
    """Tests may run as root, to whom every folder is open."""
    files.written(shelf / "shut", {"c.jpg": files.picture(9)})
    scan = os.scandir

    def scandir(place):
        if str(place).endswith("/shut"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))
        return scan(place)

    monkeypatch.setattr(os, "scandir", scandir)
    job = landed()
    assert codes(job) == [("shut", "folder_not_readable")]
    assert job.result["added"] == 2


def test_pictures_that_a_table_names_by_their_bytes_are_found(cast, shelf, landed):
    digest = hashlib.sha256(dict(PICTURES)["a.jpg"]).hexdigest()
    rows = f"path,sha256,tags\nfirst/ä.jpg,{digest},dog\nb.jpg,{'0' * 64},cat\n"
    files.written(shelf, {"t.csv": rows.encode()})
    job = landed()
    assert codes(job) == [("t.csv, row 3", "another_file")]
    assert tags(cast.project) == {"first/ä.jpg": {"dog"}, "b.jpg": set()}


def test_a_worker_that_dies_is_followed_by_one_that_reads_the_same_files(cast, shelf, post, monkeypatch):
    """Whatever has come into the folder meanwhile."""
    monkeypatch.setattr(import_rows, "PIECE_SIZE", 1)
    files.written(shelf, {"data.csv": b"path,tags\na.jpg,dog\nb.jpg,cat\n", "README.txt": b"x"})
    job = ImportJob.objects.get(pk=post(path="shelf").json()["id"])
    prepared, stored = import_rows.prepared, []

    def dying(*args):
        stored.append(1)
        if len(stored) == 2:
            raise KilledError
        return prepared(*args)

    with monkeypatch.context() as patch:
        patch.setattr(import_rows, "prepared", dying)
        with pytest.raises(KilledError):
            tasks.run_import(job.pk)
    files.written(
        shelf, {"0.jpg": files.picture(7), "more.csv": TABLES["data.csv"], "README.txt": b"changed"}
    )
    fall_silent(job)
    assert jobs.waiting_ids(ImportJob) == [job.pk]
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result["added"], job.errors) == (JobState.DONE, 2, [])
    assert tags(cast.project) == {"a.jpg": {"dog"}, "b.jpg": {"cat"}}


@pytest.mark.parametrize("change", ["written", "gone"])
def test_data_that_changes_before_it_is_read_ends_the_import_with_a_reason(shelf, post, change):
    files.written(shelf, {"data.csv": TABLES["data.csv"]})
    job = ImportJob.objects.get(pk=post(path="shelf").json()["id"])
    if change == "gone":
        (shelf / "data.csv").unlink()
    else:
        files.written(shelf, {"data.csv": TABLES["data.csv"] + b"b.jpg,,cat\n"})
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED and "“data.csv” has changed or gone" in job.reason
    assert not Image.objects.exists()


def test_the_command_reads_the_data_of_folders_too(cast, shelf):
    digest = hashlib.sha256(dict(PICTURES)["b.jpg"]).hexdigest()
    files.written(shelf, {"t.csv": f"sha256,tags\n{digest},owl\n".encode(), "instances.json": DOCUMENT})
    call_command("import_images", "Outdoors", shelf, stdout=io.StringIO(), stderr=io.StringIO())
    assert tags(cast.project) == {"a.jpg": {"dog"}, "b.jpg": {"owl"}}
