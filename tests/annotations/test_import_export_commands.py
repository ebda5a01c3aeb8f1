"""The commands that bring pictures in and take verdicts out."""

import io
import json
import zipfile

import pytest
from django.core.management import CommandError, call_command

from annotations.models import Image
from tests.annotations import files, web


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


def test_a_folder_with_captions_comes_in_and_goes_out(cast, tmp_path):
    folder = files.folder_of(tmp_path / "photos", 3)
    (folder / "broken.jpg").write_bytes(b"no picture")
    table = tmp_path / "items.csv"
    table.write_text("filename,caption,tags,split\np0000.jpg,A dog,dog|animal,train\np0001.jpg,,,val\n")
    out, err = io.StringIO(), io.StringIO()
    call_command("import_images", "Outdoors", folder, "--captions", table, stdout=out, stderr=err)
    assert "3 added" in out.getvalue()
    assert "1 refused" in out.getvalue()
    assert "broken.jpg" in err.getvalue()
    assert Image.objects.get(name="p0000.jpg").caption == "A dog"
    assert (folder / "p0000.jpg").exists()

    target = tmp_path / "out.jsonl"
    call_command("export", str(cast.project.pk), "jsonl", target, stdout=out, stderr=err)
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert {row["name"]: row["yes"] for row in rows} == {
        "p0000.jpg": ["animal", "dog"],
        "p0001.jpg": [],
        "p0002.jpg": [],
    }

    tree = tmp_path / "tree.zip"
    asked = {"images": True, "option": ["several=primary"]}
    call_command("export", str(cast.project.pk), "imagefolder", tree, stdout=out, stderr=err, **asked)
    with zipfile.ZipFile(tree) as archive:
        assert [name for name in archive.namelist() if name.endswith(".jpg")] == ["train/animal/p0000.jpg"]


def test_addresses_come_in_beside_files(cast, settings, tmp_path):
    """From a real web server on 127.0.0.1."""
    settings.IMPORT_NETWORKS = web.LOOPBACK
    folder = files.folder_of(tmp_path / "photos", 1)
    with web.serving({"/a.jpg": web.picture(files.picture(7))}) as server:
        urls = [server.url("/a.jpg"), server.url("/gone.jpg")]
        out, err = io.StringIO(), io.StringIO()
        call_command("import_images", "Outdoors", folder, *urls, stdout=out, stderr=err)
    assert "2 added" in out.getvalue() and "1 refused" in out.getvalue()
    assert f"{urls[1]}: Its server answers 404" in err.getvalue()
    assert Image.objects.get(name="a.jpg").source == "command"


def test_mistakes_end_with_an_error_that_says_what_to_do(cast, tmp_path):
    with pytest.raises(CommandError, match="no project"):
        call_command("import_images", "Nowhere", tmp_path)
    with pytest.raises(CommandError, match="at least one picture"):
        call_command("import_images", "Outdoors", tmp_path)
    with pytest.raises(CommandError, match="needs several"):
        call_command("export", "Outdoors", "imagefolder", tmp_path / "out.zip", stderr=io.StringIO())
    with pytest.raises(CommandError, match="NAME=VALUE"):
        call_command("export", "Outdoors", "coco", tmp_path / "out.zip", option=["boxes"])
    with pytest.raises(CommandError, match="no snapshot"):
        call_command("export", "Outdoors", "coco", tmp_path / "out.zip", snapshot="first")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export", "Outdoors", "csv", tmp_path / "missing" / "out.csv", stderr=io.StringIO())
