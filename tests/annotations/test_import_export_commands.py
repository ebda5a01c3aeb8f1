"""The commands that bring pictures in and take verdicts out."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from annotations.models import Image
from tests.annotations import files


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
    assert [row["yes"] for row in rows] == [["animal", "dog"], [], []]


def test_mistakes_end_with_an_error_that_says_what_to_do(cast, tmp_path):
    with pytest.raises(CommandError, match="no project"):
        call_command("import_images", "Nowhere", tmp_path)
    with pytest.raises(CommandError, match="at least one picture"):
        call_command("import_images", "Outdoors", tmp_path)
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export", "Outdoors", "csv", tmp_path / "missing" / "out.csv", stderr=io.StringIO())
