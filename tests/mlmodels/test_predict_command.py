"""`predict FOLDER`: pictures outside the project get what the app would say of them, and keep what is theirs."""

import csv
import errno
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from scipy.special import logit

from annotations import xmp
from annotations.importers import keywords
from annotations.models import Image, LiveModel
from annotations.services.tag_tables import Source, TagTable
from mlmodels.core.vision.extractor import Extractor as VisionExtractor
from mlmodels.models import Extractor, ModelVersion
from mlmodels.services import heads, prediction
from tests.mlmodels.conftest import LOOKS, scene

NUMBERS = range(41, 47)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Six good pictures, in two folders, a broken one, one that is none, and what is passed over."""
    here = tmp_path / "pictures"
    (here / "below").mkdir(parents=True)
    for number in NUMBERS:
        place = here / "below" if number % 2 else here
        (place / f"{number}.jpg").write_bytes(scene(number))
    (here / "cut.jpg").write_bytes(scene(1)[:2000])
    (here / "page.png").write_bytes(b"<html>not here</html>")
    (here / "notes.txt").write_text("nothing")
    return here


@pytest.fixture
def good(folder) -> Path:
    (folder / "cut.jpg").unlink()
    (folder / "page.png").unlink()
    return folder


def predict(cast, folder, *options):
    out, told = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command(
            "predict",
            str(folder),
            "--project",
            cast.project.name,
            *map(str, options),
            stdout=out,
            stderr=told,
        )
    except CommandError as error:
        code, said = error.returncode, str(error)
        told.write(said)
    return code, out.getvalue(), told.getvalue()


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def app_says(version, data, caption=""):
    found = prediction.predict(
        version.project_id, picture_key=prediction.hand_over(data), caption=caption, limit=0
    )
    return {one["tag"]["name"]: (one["score"], one["offered"]) for one in found.suggestions}


def test_the_table_says_what_the_app_says_and_bad_files_are_named(live_version, cast, folder, tmp_path):
    before = Image.objects.count()
    code, _, told = predict(cast, folder, "--out", tmp_path / "tags.csv", "--all-scores")

    assert code == 3
    assert "cut.jpg: " in told and "page.png: " in told and "web page" in told
    assert "notes.txt" not in told
    found = rows(tmp_path / "tags.csv")
    assert {row["file"] for row in found} == {
        f"below/{number}.jpg" if number % 2 else f"{number}.jpg" for number in NUMBERS
    }
    assert {row["version"] for row in found} == {"1"}
    for number in NUMBERS:
        name = f"below/{number}.jpg" if number % 2 else f"{number}.jpg"
        app = app_says(live_version, scene(number))
        ours = {row["tag"]: row for row in found if row["file"] == name}
        assert ours.keys() == app.keys() == set(LOOKS)
        for tag, (score, offered) in app.items():
            assert float(ours[tag]["score"]) == pytest.approx(score, abs=2e-4)
            assert ours[tag]["offered"] == str(offered).lower()
        scores = [float(row["score"]) for row in ours.values()]
        assert scores == sorted(scores, reverse=True)
    assert Image.objects.count() == before


def test_what_is_no_picture_file_or_cannot_be_told_of_is_named_and_holds_nothing_up(
    live_version, cast, good, tmp_path
):
    (good / "loop.jpg").symlink_to("loop.jpg")
    (good / "lost.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(good / "pipe.jpg")
    (good / os.fsdecode(b"caf\xe9")).mkdir()
    for name in (b"caf\xe9/1.jpg", b"na\xefve.jpg"):
        (good / os.fsdecode(name)).write_bytes(scene(41))

    code, _, told = predict(cast, good, "--out", tmp_path / "tags.csv")

    assert code == 3 and "5 pictures were not tagged" in told and "6 pictures tagged" in told
    for name in (r"caf\udce9/1.jpg", r"na\udcefve.jpg"):
        assert f"{name}: Its name, or that of its folder, is not UTF-8" in told
    assert "loop.jpg: It cannot be read (Too many levels" in told
    assert "lost.jpg: It cannot be read (No such file" in told
    assert "pipe.jpg: It is no ordinary file" in told
    assert len({row["file"] for row in rows(tmp_path / "tags.csv")}) == len(NUMBERS)


def test_a_second_run_goes_on_behind_what_the_table_has(live_version, cast, good, tmp_path, monkeypatch):
    seen: list[int] = []
    embed = VisionExtractor.embed_pixels
    monkeypatch.setattr(
        VisionExtractor, "embed_pixels", lambda self, pixels: seen.append(len(pixels)) or embed(self, pixels)
    )
    table = tmp_path / "tags.csv"
    late = good / "zebra.jpg"
    assert predict(cast, good, "--out", table, "--limit", 2)[0] == 0
    whole = table.read_bytes()
    assert sum(seen) == len(NUMBERS) and len(rows(table)) == 2 * len(NUMBERS)
    late.write_bytes(scene(3))
    code, _, told = predict(cast, good, "--out", table, "--limit", 2)
    assert code == 0 and "6 pictures are in" in told
    assert sum(seen) == len(NUMBERS) + 1
    assert table.read_bytes().startswith(whole) and rows(table)[-1]["file"] == "zebra.jpg"
    assert predict(cast, good, "--out", table)[0] == 0
    assert sum(seen) == len(NUMBERS) + 1


def test_a_caption_is_read_too(live_version, cast, good, tmp_path):
    captions = tmp_path / "captions.json"
    captions.write_text(json.dumps({"42.jpg": "Fire below the sky.", "gone.jpg": "Grass."}))
    _, said, told = predict(cast, good, "--all-scores", "--captions", captions)
    found = {row["tag"]: row for row in csv.DictReader(io.StringIO(said)) if row["file"] == "42.jpg"}
    app = app_says(live_version, scene(42), "Fire below the sky.")
    assert {tag: float(row["score"]) for tag, row in found.items()} == pytest.approx(
        {tag: score for tag, (score, _) in app.items()}, abs=2e-4
    )
    assert "gone.jpg: Expected a file named" in told
    plain = app_says(live_version, scene(42))
    assert logit(app["fire"][0]) - logit(plain["fire"][0]) > 1.0


def test_keywords_go_into_copies_beside_pictures_or_by_that_word_alone_into_them(live_version, cast, good):
    before = {path: path.read_bytes() for path in good.rglob("*.jpg")}
    offered = {
        path: sorted(tag for tag, (_, is_offered) in app_says(live_version, data).items() if is_offered)
        for path, data in before.items()
    }
    assert any(offered.values())
    # Below the folder itself: a second run must not take them for pictures.
    code, said, told = predict(cast, good, "--write-keywords", "copies", "--to", good / "tagged")
    assert (code, said) == (0, "") and "6 pictures tagged" in told
    for path, tags in offered.items():
        copy = (good / "tagged" / path.relative_to(good)).read_bytes()
        assert sorted(keywords.read(copy).tags) == tags
    code, _, told = predict(cast, good, "--write-keywords", "copies", "--to", good / "tagged")
    assert code == 0 and "6 pictures tagged" in told and not (good / "tagged" / "tagged").exists()
    assert {path: path.read_bytes() for path in before} == before
    shutil.rmtree(good / "tagged")

    assert predict(cast, good, "--write-keywords", "sidecars")[0] == 0
    assert {path: path.read_bytes() for path in before} == before
    for path, tags in offered.items():
        assert sorted(xmp.read(path.with_name(f"{path.name}.xmp").read_bytes()).tags) == tags

    assert predict(cast, good, "--write-keywords", "originals")[0] == 0
    for path, tags in offered.items():
        assert sorted(keywords.read(path.read_bytes()).tags) == tags
    assert not list(good.rglob(".*"))


def test_pictures_that_the_table_has_get_their_keywords_too(live_version, cast, good, tmp_path):
    table = tmp_path / "tags.csv"
    assert predict(cast, good, "--out", table)[0] == 0
    before = table.read_bytes()

    code, _, told = predict(cast, good, "--out", table, "--write-keywords", "sidecars")

    assert code == 0 and "6 pictures tagged" in told
    offered = {name: set() for name in (row["file"] for row in rows(table))}
    for row in rows(table):
        offered[row["file"]] |= {row["tag"]} if row["offered"] == "true" else set()
    for name, tags in offered.items():
        assert set(xmp.read((good / f"{name}.xmp").read_bytes()).tags) == tags
    assert table.read_bytes() == before

    copies = ("--out", table, "--write-keywords", "copies", "--to", tmp_path / "copies")
    assert "6 pictures tagged" in predict(cast, good, *copies)[2]
    (tmp_path / "copies" / "42.jpg").unlink()
    code, _, told = predict(cast, good, *copies)
    assert code == 0 and "5 pictures are in" in told and "1 pictures tagged" in told
    assert table.read_bytes() == before


@pytest.fixture
def version(planted) -> ModelVersion:
    """Over planted features: its own file is real, its backbone is not."""
    planted.images(40)
    planted.review(20)
    call_command("train", str(planted.project.pk), stdout=io.StringIO())
    return ModelVersion.objects.get()


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--write-keywords", "copies"], "name the folder"),
            (["--to", "somewhere"], "use it with --write-keywords"),
            (["--write-keywords", "originals", "--to", "somewhere"], "use it with --write-keywords"),
            (["--captions", "nowhere.csv"], "nowhere.csv cannot be read"),
            (["--out", "nowhere/tags.csv"], "There is no folder nowhere for tags.csv"),
            (["--version", "7"], "no model version 7"),
            (["--limit", "0"], "--limit"),
            (["--limit", "3", "--all-scores"], "not allowed with"),
        ],
    )
    def test_what_does_not_fit_together(self, version, cast, good, options, said):
        code, _, told = predict(cast, good, *options)
        assert code == 1 and said in told

    def test_copies_into_the_folder_itself(self, version, cast, good):
        code, _, told = predict(cast, good, "--write-keywords", "copies", "--to", good)
        assert code == 1 and "that the pictures are not in" in told

    def test_without_a_live_version(self, cast, good):
        code, _, told = predict(cast, good)
        assert code == 1 and "train one first" in told

    def test_an_unknown_project(self, transactional_db, good):
        with pytest.raises(CommandError, match="no project with the id or name “12345”"):
            call_command("predict", str(good), "--project", "12345")

    @pytest.mark.parametrize("name", ["pictures/below/none", "empty"])
    def test_a_folder_without_pictures(self, version, cast, tmp_path, name):
        (tmp_path / "empty").mkdir()
        code, _, told = predict(cast, tmp_path / name)
        assert code == 1 and ("which is none" in told or "found none" in told)

    def test_a_version_whose_file_was_changed(self, version, cast, good):
        path = heads.artifact_folder(version) / "manifest.json"
        path.write_text(path.read_text() + " ")
        heads.forget()
        code, out, told = predict(cast, good)
        assert (code, out) == (1, "") and "manifest.json" in told

    def test_weights_that_are_missing(self, version, cast, good, monkeypatch):
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        Extractor.objects.update(name="resnet50")
        code, _, told = predict(cast, good)
        assert code == 1 and "does not load here" in told

    def test_other_weights_of_the_same_name(self, version, cast, good):
        code, _, told = predict(cast, good)
        assert code == 1 and "put the file back" in told

    def test_a_table_of_another_version(self, version, cast, good, tmp_path):
        with TagTable(tmp_path / "tags.csv", source=Source(9, cast.project.pk)) as table:
            table.add("a.jpg", [])
            table.add("b.jpg", [])
        code, _, told = predict(cast, good, "--out", tmp_path / "tags.csv")
        assert code == 1 and "scores of version 9 of project" in told


def test_a_full_disk_ends_it_with_a_sentence_and_the_next_run_goes_on(
    live_version, cast, good, tmp_path, monkeypatch
):
    add, table = TagTable.add, tmp_path / "tags.csv"

    def full(self, name, rows):
        if len(self.done) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        add(self, name, rows)

    with monkeypatch.context() as patched:
        patched.setattr(TagTable, "add", full)
        code, _, told = predict(cast, good, "--out", table)
    assert code == 1 and "The disk is full" in told and len({row["file"] for row in rows(table)}) == 3
    # Another version is live by now: the one that began goes on by its number.
    LiveModel.objects.update(version_id=None, number=0)
    assert predict(cast, good, "--out", table)[0] == 1
    assert predict(cast, good, "--out", table, "--version", live_version.number)[0] == 0
    assert len({row["file"] for row in rows(table)}) == len(NUMBERS)
