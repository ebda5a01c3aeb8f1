"""Folders that name the tag, where that is asked for: archives, server folders, uploads, the command and the page."""

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from annotations import tasks
from annotations.importers import tag_folders
from annotations.importers.base import StagedFile
from annotations.models import Image, ImportJob
from annotations.selectors import truth
from mlmodels.core.vision.torchvision_shim import ensure_operators
from tests.annotations import files

TREE = ("rose/1.jpg", "rose/deep/2.png", "tulip/3.jpg", "loose.jpg")


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_ROOTS = []


@pytest.fixture
def post(cast, client_of):
    def send(body=None, **fields):
        address, client = f"/api/v1/projects/{cast.project.pk}/imports/", client_of(cast.manager)
        if body is not None:
            return client.post(address, body, format="json")
        return client.post(address, files.form(fields), content_type=files.FORM)

    return send


@pytest.fixture
def landed(post):
    def send(body=None, **fields):
        response = post(body, **fields)
        assert response.status_code == 202, response.json()
        tasks.run_import(response.json()["id"])
        return ImportJob.objects.get(pk=response.json()["id"])

    return send


def tree(names=TREE, below=""):
    kinds = {"png": "PNG"}
    return {
        f"{below}{name}": files.picture(seed, format=kinds.get(name[-3:], "JPEG"))
        for seed, name in enumerate(names)
    }


def tags(cast):
    images = {image.pk: image.name for image in Image.objects.filter(project=cast.project)}
    names = dict(cast.project.tags.values_list("pk", "name"))
    said = truth.verdicts(cast.project, list(images))
    return {name: sorted(names[tag] for tag in said[pk].yes) for pk, name in images.items()}


def splits():
    return {image.name: image.metadata.get("split") for image in Image.objects.all()}


FLOWERS = {"1.jpg": ["rose"], "2.png": ["rose"], "3.jpg": ["tulip"], "loose.jpg": []}


@pytest.mark.parametrize(("name", "packed"), [("a.zip", files.zipped), ("a.tar.gz", files.tarred)])
@pytest.mark.parametrize("below", ["", "flowers/", "data/flowers/"])
def test_folders_of_an_archive_name_the_tag_of_all_below_them(cast, landed, name, packed, below):
    job = landed(archive=(name, packed(tree(below=below))), format="imagefolder")
    assert (job.state, job.errors, job.result["added"]) == ("done", [], 4)
    assert tags(cast) == FLOWERS


def test_folders_of_the_server_name_the_tag_from_the_folder_that_was_asked_for(
    cast, landed, settings, tmp_path
):
    settings.IMPORT_ROOTS = [str(tmp_path)]
    files.written(tmp_path / "flowers", tree(("rose/deep/1.jpg", "rose/deeper/2.jpg")))
    job = landed({"path": "flowers", "format": "imagefolder"})
    assert (job.source, job.errors, tags(cast)) == ("folder", [], {"1.jpg": ["rose"], "2.jpg": ["rose"]})


def test_what_torchvision_reads_of_a_tree_lands_with_the_same_tags(cast, landed, settings, tmp_path):
    ensure_operators()
    from torchvision.datasets import ImageFolder  # (only now: see the shim)

    settings.IMPORT_ROOTS = [str(tmp_path)]
    root = files.written(
        tmp_path / "t", tree(("cat/1.jpg", "cat/deep/er/2.jpg", "dog/3.jpg", "red fox/4.png", "x.jpg"))
    )
    read = ImageFolder(str(root))
    expected = {path.rpartition("/")[2]: [read.classes[number]] for path, number in read.samples}
    assert len(expected) == 4
    landed({"path": "t", "format": "imagefolder"})
    assert tags(cast) == expected | {"x.jpg": []}


def test_splits_above_the_tags_become_metadata(cast, landed):
    names = ("train/dog/1.jpg", "train/cat/2.jpg", "val2017/dog/3.jpg", "test/cat/deep/4.jpg")
    job = landed(archive=("a.zip", files.zipped(tree(names, below="set/"))), format="imagefolder")
    assert (job.errors, tags(cast)) == (
        [],
        {"1.jpg": ["dog"], "2.jpg": ["cat"], "3.jpg": ["dog"], "4.jpg": ["cat"]},
    )
    assert splits() == {"1.jpg": "train", "2.jpg": "train", "3.jpg": "val", "4.jpg": "test"}


def test_a_tag_may_be_called_like_a_split(cast, landed):
    landed(archive=("a.zip", files.zipped(tree(("bus/1.jpg", "train/2.jpg")))), format="imagefolder")
    assert (tags(cast), set(splits().values())) == ({"1.jpg": ["bus"], "2.jpg": ["train"]}, {None})


def test_without_being_asked_for_no_folder_names_a_tag(cast, landed):
    landed(archive=("a.zip", files.zipped(tree(("train/dog/1.jpg", "val/dog/2.jpg")))))
    assert tags(cast) == {"1.jpg": [], "2.jpg": []}


def test_the_tag_of_the_folder_stands_beside_captions_and_what_a_table_says(cast, landed):
    members = tree(("dog/1.jpg", "dog/2.jpg", "cat/3.jpg")) | {
        "captions.csv": b"name,caption,tags\ndog/1.jpg,A dog,wet|Dog\n",
        "words.csv": b"path,tags,no\ndog/2.jpg,dry,dog\n",
        "cat/3.txt": b"grey, asleep",
    }
    job = landed(archive=("a.zip", files.zipped(members)), format="imagefolder")
    assert job.errors == []
    assert tags(cast) == {"1.jpg": ["Dog", "wet"], "2.jpg": ["dry"], "3.jpg": ["asleep", "cat", "grey"]}
    assert Image.objects.get(name="1.jpg").caption == "A dog"


def test_a_request_of_an_upload_takes_the_root_from_all_of_its_files(cast, landed):
    names = list(tree(("rose/deep/1.jpg", "rose/deep/2.jpg"), below="flowers/").items())
    listed = json.dumps(["flowers/tulip/9.jpg", "flowers/lily/8.jpg"]).encode()
    landed(files=names, elsewhere=("elsewhere.json", listed), format="imagefolder")
    assert tags(cast) == {"1.jpg": ["rose"], "2.jpg": ["rose"]}


def test_a_complete_import_counts_as_reviewed_with_no_for_the_other_folders(cast, landed):
    landed(archive=("a.zip", files.zipped(tree(TREE[:3]))), format="imagefolder", complete="true")
    assert set(Image.objects.values_list("state", flat=True)) == {"reviewed"}
    rose, tulip = (cast.project.tags.get(name=name).pk for name in ("rose", "tulip"))
    image = Image.objects.get(name="3.jpg")
    said = truth.verdicts(cast.project, [image.pk])[image.pk]
    assert tulip in said.yes and rose in said.implied_no


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"path": "x", "format": "coco"}, 400, "bad_option"),
        ({"path": "x", "format": ["imagefolder"]}, 400, "bad_option"),
        ({"urls": ["http://a.test/1.jpg"], "format": "imagefolder"}, 422, "format_not_here"),
        ({"items": [], "format": "imagefolder"}, 422, "format_not_here"),
        ({"s3": "bucket/x/", "format": "imagefolder"}, 422, "format_not_here"),
    ],
)
def test_a_format_that_cannot_be_asked_for_is_refused_with_a_remedy(
    post, settings, tmp_path, body, status, code
):
    settings.IMPORT_ROOTS = [str(files.folder_of(tmp_path / "x", 1).parent)]
    answer = post(body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert not ImportJob.objects.exists()


def test_the_command_reads_folders_and_archives_the_same(cast, tmp_path):
    folder = files.written(tmp_path / "flowers", tree(TREE[:3]))
    packed = tmp_path / "more.zip"
    packed.write_bytes(
        files.zipped({"more/lily/9.jpg": files.picture(9), "more/rose/8.jpg": files.picture(8)})
    )
    call_command(
        "import_images", "Outdoors", folder, packed, "--format", "imagefolder",
        stdout=io.StringIO(), stderr=io.StringIO(),
    )  # fmt: skip
    assert tags(cast) == {
        "1.jpg": ["rose"], "2.png": ["rose"], "3.jpg": ["tulip"], "9.jpg": ["lily"], "8.jpg": ["rose"],
    }  # fmt: skip


def test_the_page_asks_for_it_by_a_box(cast, client_of, browser_of):
    address = f"/projects/{cast.project.pk}/import/"
    browser = browser_of(cast.manager)
    assert 'name="format" value="imagefolder"' in browser.get(address).content.decode()
    archive = SimpleUploadedFile("a.zip", files.zipped(tree(TREE[:3])), "application/zip")
    answer = browser.post(address, {"files": [archive], "format": "imagefolder"})
    assert answer.status_code == 302
    tasks.run_import(ImportJob.objects.get().pk)
    assert tags(cast) == {"1.jpg": ["rose"], "2.png": ["rose"], "3.jpg": ["tulip"]}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.jpg"], [()]),
        (["dog/a.jpg", "dog/b.jpg"], [("dog",), ("dog",)]),
        (["x/dog/a.jpg", "x/dog/b.jpg"], [("dog",), ("dog",)]),
        (["x/dog/a.jpg", "x/b.jpg"], [("dog",), ()]),
        (["50%25/a.jpg", "a%2Fb/b.jpg", "100%/c.jpg"], [("50%",), ("a/b",), ("100%",)]),
        (["train/dog/a.jpg", "train/b.jpg"], [("train",), ("train",)]),
    ],
)
def test_which_folder_names_the_tag(names, expected):
    found = tag_folders.tagged([StagedFile(name, "") for name in names])
    assert [file.of_folder.tags for file in found] == expected
