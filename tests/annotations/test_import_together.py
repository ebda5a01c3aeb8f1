"""Data files among the pictures of an upload speak of them as they do within an archive, by the API and by the page."""

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotations import tasks
from annotations.exporters.registry import FORMATS
from annotations.models import Image, ImportJob, JobState
from annotations.services import jobs, storage
from tests.annotations import files
from tests.annotations.exporters import datasets
from tests.annotations.importers.test_formats import rows, tags
from tests.annotations.test_import_reliability import KilledError, fall_silent, killed_after_batches

COCO = {
    "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
    "categories": [{"id": 7, "name": "dog"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 7}],
}
PICTURES = [("a.jpg", files.picture(1)), ("b.jpg", files.picture(2))]


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_ROOTS = []


@pytest.fixture
def post(cast, client_of):
    def send(**fields):
        address = f"/api/v1/projects/{cast.project.pk}/imports/"
        return client_of(cast.manager).post(address, files.form(fields), content_type=files.FORM)

    return send


@pytest.fixture
def landed(post):
    def send(**fields):
        answer = post(**fields)
        assert answer.status_code == 202, answer.json()
        tasks.run_import(answer.json()["id"])
        return ImportJob.objects.get(pk=answer.json()["id"])

    return send


def codes(job):
    return [(error["item"], error["code"]) for error in job.errors]


def delimited(rows):
    target = io.StringIO()
    csv.writer(target).writerows(rows)
    return target.getvalue().encode()


TABLES = {
    "data.csv": delimited([["path", "text", "labels"], ["a.jpg", "A dog", "dog"]]),
    "data.tsv": b"path\ttags\tcaption\na.jpg\tdog\tA dog\n",
    "data.jsonl": b'{"path": "a.jpg", "tags": ["dog"], "text": "A dog"}\n',
    "data.json": json.dumps([{"path": "a.jpg", "tags": ["dog"], "text": "A dog"}]).encode(),
}


@pytest.mark.parametrize("field", ["files", "captions_file"])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_among_the_files_says_what_the_pictures_show(cast, landed, name, field):
    table = (name, TABLES[name])
    sent = {"files": [*PICTURES, table]} if field == "files" else {"files": PICTURES, field: table}
    job = landed(**sent)
    assert (job.source, job.state, job.errors) == ("upload", JobState.DONE, [])
    assert job.result == {"added": 2, "updated": 0, "duplicates": 0, "refused": 0}
    assert tags(cast) == {"a.jpg": {"dog"}, "b.jpg": set()}
    assert Image.objects.get(name="a.jpg").caption == "A dog"
    assert not storage.exists(job.options["area"])


@pytest.mark.parametrize("field", ["files", "captions_file"])
def test_a_data_set_among_the_files_says_what_the_pictures_show(cast, landed, field):
    document = ("instances.json", json.dumps(COCO).encode())
    sent = {"files": [*PICTURES, document]} if field == "files" else {"files": PICTURES, field: document}
    job = landed(**sent)
    assert (job.errors, job.result["added"], tags(cast)) == ([], 2, {"a.jpg": {"dog"}, "b.jpg": set()})


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "imagefolder"])
def test_what_export_writes_comes_back_as_files_of_a_folder(cast, landed, tmp_path, format):
    """As a browser sends a folder: the folder's name before every path."""
    said = rows(tmp_path)[4:]
    with datasets.frozen(said, tmp_path, with_pictures=True) as dataset:
        folder = datasets.unpacked(format, dataset, tmp_path)
    members = [
        (f"set/{file.relative_to(folder).as_posix()}".replace('"', "%22"), file.read_bytes())
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "manifest.json"
    ]
    job = landed(files=members)
    assert job.state == JobState.DONE, job.reason
    assert {code for _, code in codes(job)} <= {"disputed_tag"}, job.errors
    assert len(tags(cast)) == len(said)
    assert {"a b"} in tags(cast).values() and {"a,b"} in tags(cast).values()


def test_a_picture_among_the_files_may_have_its_words_beside_it_too(cast, landed):
    beside = [("a.json", b'{"tags": ["wet"]}'), ("t.csv", b"path,caption\na.jpg,A dog\n")]
    job = landed(files=[*PICTURES, *beside])
    assert (job.errors, job.result["added"]) == ([], 2)
    assert tags(cast)["a.jpg"] == {"wet"} and Image.objects.get(name="a.jpg").caption == "A dog"


def test_a_table_alone_speaks_of_the_images_of_the_project(cast, landed):
    landed(files=PICTURES)
    job = landed(files=[("t.csv", b"path,tags\na.jpg,dog\nnowhere.jpg,x\n")])
    assert job.result == {"added": 0, "updated": 1, "duplicates": 0, "refused": 1}
    assert (codes(job), tags(cast)["a.jpg"]) == ([("t.csv, row 3", "picture_not_found")], {"dog"})


def test_what_cannot_be_read_among_the_files_is_named_and_the_rest_lands(cast, landed):
    odd = [
        ("list.json", b"[1, 2]"),
        ("t.csv", b"x^y\n1^2\n"),
        ("p.parquet", b"PAR1 but not"),
        ("n.txt", b"x"),
    ]
    job = landed(files=[*PICTURES, *odd])
    assert (job.state, job.result["added"], job.result["refused"]) == (JobState.DONE, 2, 4)
    assert sorted(codes(job)) == [
        ("list.json", "bad_json"),
        ("n.txt", "not_an_image"),
        ("p.parquet", "bad_parquet"),
        ("t.csv", "missing_column"),
    ]


def test_captions_stay_captions(landed):
    """One that names no picture is told as such, and the first of two lines stands."""
    table = b"name,caption,tags\na.jpg,A dog,dog\na.jpg,Again,\ngone.jpg,x,\n"
    for field in ("captions_file", "files"):
        Image.objects.all().delete()
        name = ("captions.csv", table)
        sent = {"files": PICTURES, field: name} if field != "files" else {"files": [*PICTURES, name]}
        job = landed(**sent)
        assert codes(job) == [("a.jpg", "caption_repeated"), ("gone.jpg", "caption_without_file")]
        assert Image.objects.get(name="a.jpg").caption == "A dog"


@pytest.mark.parametrize("field", ["files", "captions_file"])
@pytest.mark.parametrize("name", ["data.csv", "instances.json"])
def test_in_a_part_of_an_upload_a_data_file_is_refused_with_what_to_do(post, name, field):
    data = (name, TABLES.get(name) or json.dumps(COCO).encode())
    sent = {"files": [*PICTURES[:1], data]} if field == "files" else {"files": PICTURES[:1], field: data}
    answer = post(parts="2", **sent)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "data_in_parts")
    assert f"“{name}” speaks of many pictures" in error["message"] and "one archive" in error["message"]
    assert not ImportJob.objects.exists()
    assert post(parts="1", **sent).status_code == 202
    assert post(parts="many", **sent).json()["error"]["code"] == "bad_option"


def test_captions_go_with_every_part(landed):
    captions = ("words.csv", b"name,caption\na.jpg,A dog\n")
    job = landed(files=PICTURES[:1], captions_file=captions, parts="2")
    assert (job.errors, Image.objects.get().caption) == ([], "A dog")


@pytest.mark.parametrize("batches", [0, 1])
def test_a_worker_that_dies_is_followed_by_one_that_reads_the_same(cast, post, monkeypatch, batches):
    monkeypatch.setattr("annotations.services.imports.BATCH_SIZE", 1)
    answer = post(files=[*PICTURES, ("data.csv", TABLES["data.csv"])])
    job = ImportJob.objects.get(pk=answer.json()["id"])
    with monkeypatch.context() as patch:
        killed_after_batches(patch, batches)
        with pytest.raises(KilledError):
            tasks.run_import(job.pk)
    fall_silent(job)
    assert jobs.waiting_ids(ImportJob) == [job.pk]
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result["added"], job.errors) == (JobState.DONE, 2, [])
    assert tags(cast) == {"a.jpg": {"dog"}, "b.jpg": set()}


@pytest.mark.parametrize("name", ["instances.json", "data.csv", "data.jsonl"])
def test_the_plain_form_of_the_page_reads_them_too(cast, browser_of, name):
    data = TABLES.get(name) or json.dumps(COCO).encode()
    sent = [SimpleUploadedFile(*one) for one in (*PICTURES, (name, data))]
    answer = browser_of(cast.manager).post(f"/projects/{cast.project.pk}/import/", {"files": sent})
    assert answer.status_code == 302
    tasks.run_import(ImportJob.objects.get().pk)
    assert tags(cast) == {"a.jpg": {"dog"}, "b.jpg": set()}
