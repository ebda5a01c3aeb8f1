"""Data sets in every format that export writes, and in those of other tools, read back into an empty project."""

import hashlib
import io
import json
import unicodedata
import zipfile

import pytest

from annotations import tasks
from annotations.exporters.registry import FORMATS
from annotations.models import Image, ImportJob
from annotations.selectors import truth
from annotations.services import storage
from tests.annotations import files
from tests.annotations.exporters import datasets


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_ROOTS = []


@pytest.fixture
def landed(cast, client_of):
    """Import what is sent as the manager; answers the finished job."""

    def send(archive=None, *, name="a.zip", **fields):
        sent = {"archive": (name, archive), **fields} if archive is not None else fields
        address = f"/api/v1/projects/{cast.project.pk}/imports/"
        response = client_of(cast.manager).post(address, files.form(sent), content_type=files.FORM)
        assert response.status_code == 202, response.json()
        tasks.run_import(response.json()["id"])
        return ImportJob.objects.get(pk=response.json()["id"])

    return send


def zipped(**members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data if isinstance(data, bytes) else json.dumps(data))
    return target.getvalue()


def codes(job):
    return [(error["item"], error["code"]) for error in job.errors]


def verdicts(cast):
    """The tags of each image by its sha256: those that apply, and those that were said not to."""
    ids = dict(Image.objects.filter(project=cast.project).values_list("pk", "sha256"))
    names = dict(cast.project.tags.values_list("pk", "name"))
    said = truth.verdicts(cast.project, list(ids))
    return {
        sha256: ({names[tag] for tag in said[pk].yes}, {names[tag] for tag in said[pk].no})
        for pk, sha256 in ids.items()
    }


def tags(cast):
    by_sha256 = {sha256: yes for sha256, (yes, _) in verdicts(cast).items()}
    names = Image.objects.filter(project=cast.project).values_list("name", "sha256")
    return {name: by_sha256[sha256] for name, sha256 in names}


def rows(folder):
    """The awkward rows with the sha256 that their pictures have."""
    return [
        one._replace(sha256=hashlib.sha256(storage.read(one.picture_key)).hexdigest())
        for one in datasets.awkward_rows(folder)
    ]


# Formats with a place for explicit no's; the list of VOC has implied ones too.
WITH_NO = {
    "csv-long",
    "jsonl",
    "label-studio",
    "datumaro",
    "open-images",
    "voc",
    "hf-imagefolder",
    "parquet",
    "tfrecord",
}
WITH_STATE = {"csv", "csv-long", "jsonl", "label-studio", "datumaro", "hf-imagefolder", "parquet", "tfrecord"}
ONLY_TAGGED = {"imagefolder"}


@pytest.fixture
def landed_from(cast, client_of, settings, tmp_path):
    """The same for a folder of the server."""

    def send(folder, **fields):
        settings.IMPORT_ROOTS = [str(tmp_path)]
        body = {"path": folder.relative_to(tmp_path).as_posix(), **fields}
        address = f"/api/v1/projects/{cast.project.pk}/imports/"
        response = client_of(cast.manager).post(address, body, format="json")
        assert response.status_code == 202, response.json()
        tasks.run_import(response.json()["id"])
        return ImportJob.objects.get(pk=response.json()["id"])

    return send


@pytest.mark.parametrize("way", ["archive", "folder"])
@pytest.mark.parametrize("format", FORMATS)
def test_what_export_writes_comes_back_with_the_same_verdicts(
    cast, landed, landed_from, tmp_path, format, way
):
    said = rows(tmp_path)
    options = {"several": "copy"} if format == "imagefolder" else {}
    with datasets.frozen(said, tmp_path, options=options, with_pictures=True) as dataset:
        if way == "archive":
            job = landed(datasets.write(format, dataset, tmp_path).read_bytes())
        else:
            job = landed_from(datasets.unpacked(format, dataset, tmp_path))
    assert job.state == "done", job.reason
    # A tag in dispute is told, wherever a format has a place for it.
    assert {code for _, code in codes(job)} <= {"disputed_tag"}, job.errors
    expected = [one for one in said if one.yes or format not in ONLY_TAGGED]
    found = verdicts(cast)
    assert {one.sha256 for one in expected} == found.keys()
    for one in expected:
        yes, no = found[one.sha256]
        assert yes == set(one.yes), one.name
        if format in WITH_NO:
            assert set(one.no) <= no, one.name
        elif format not in WITH_STATE:
            assert not no, one.name
    reviewed = set(Image.objects.filter(state="reviewed").values_list("sha256", flat=True))
    complete = {one.sha256 for one in said if one.state == "reviewed"}
    assert reviewed == (complete if format in WITH_STATE else set())


def test_our_tree_of_folders_comes_back_without_its_list_where_that_is_asked_for(cast, landed, tmp_path):
    said = [one for one in rows(tmp_path) if one.yes]
    with datasets.frozen(said, tmp_path, options={"several": "copy"}, with_pictures=True) as dataset:
        folder = datasets.unpacked("imagefolder", dataset, tmp_path)
    (folder / "classes.txt").unlink()
    members = {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }
    job = landed(zipped(**members), format="imagefolder")
    assert (job.state, job.errors) == ("done", [])
    assert verdicts(cast) == {
        # Without the list nothing tells how a name of a folder was spelled in bytes.
        one.sha256: ({unicodedata.normalize("NFC", tag) for tag in one.yes}, set())
        for one in said
    }
    assert {image.metadata.get("split") for image in Image.objects.all()} <= {"train", "test"}


@pytest.mark.parametrize(
    "format", [name for name in FORMATS if name not in ("hf-imagefolder", "imagefolder")]
)
def test_data_without_pictures_speaks_of_the_images_of_the_project(cast, landed, tmp_path, format):
    said = [
        datasets.row(1, ("dog", "co:lon"), path="walk/a.jpg"),
        datasets.row(2, ("cat",), path="b.jpg", is_holdout=True),
    ]
    pictures = {one.path or one.name: files.picture(one.id) for one in said}
    landed(files=list(pictures.items()))
    said = [one._replace(sha256=hashlib.sha256(pictures[one.path or one.name]).hexdigest()) for one in said]
    with datasets.frozen(said, tmp_path, tags=("dog", "co:lon", "cat")) as dataset:
        written = datasets.write(format, dataset, tmp_path).read_bytes()
    exporter = FORMATS[format]
    job = landed(manifest=(exporter.one_file.name, written)) if exporter.one_file else landed(written)
    assert job.errors == []
    assert job.result == {"added": 0, "updated": 2, "duplicates": 0, "refused": 0}
    assert tags(cast) == {"a.jpg": {"dog", "co:lon"}, "b.jpg": {"cat"}}


@pytest.mark.parametrize("format", ["coco", "label-studio", "cvat", "datumaro", "vertex"])
def test_a_data_file_alone_comes_with_its_pictures_or_is_looked_at(cast, landed, client_of, tmp_path, format):
    said = [datasets.row(1, ("dog",), path="a.jpg", sha256=hashlib.sha256(files.picture(1)).hexdigest())]
    with datasets.frozen(said, tmp_path, tags=("dog",)) as dataset:
        folder = datasets.unpacked(format, dataset, tmp_path)
    data = next(
        file
        for ending in ("*.json", "*.jsonl", "*.xml")
        for file in folder.rglob(ending)
        if file.name != "manifest.json"
    )
    sent = {"manifest": (data.name, data.read_bytes()), "files": [("a.jpg", files.picture(1))]}
    address = f"/api/v1/projects/{cast.project.pk}/imports/?preview=true"
    looked = client_of(cast.manager).post(
        address, files.form({**sent, "preview": "true"}), content_type=files.FORM
    )
    assert looked.status_code == 200, looked.json()
    assert [item["tags"] for item in looked.json()["items"]] == [["dog"]]
    job = landed(**sent)
    assert (job.errors, tags(cast)) == ([], {"a.jpg": {"dog"}})


def test_a_broken_document_of_an_archive_is_named_and_its_pictures_land(cast, landed):
    document = json.dumps({"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1}]})
    job = landed(zipped(**{"instances_train.json": document.encode()[:-3], "train/a.jpg": files.picture(1)}))
    assert codes(job) == [("instances_train.json", "damaged_document")]
    assert job.result == {"added": 1, "updated": 0, "duplicates": 0, "refused": 1}
