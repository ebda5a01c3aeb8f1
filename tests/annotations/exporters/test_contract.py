"""What every export format must keep, whatever is in the data: bytes, memory, names, sizes, and its own check."""

import itertools
import json
import zipfile
from dataclasses import replace

import duckdb
import pytest
from pycocotools.coco import COCO

from annotations.exporters import names
from annotations.exporters.base import Dataset, Facts, Pictures, VocabularyTag
from annotations.exporters.cells import guard
from annotations.exporters.frozen import content
from annotations.exporters.registry import FORMATS
from annotations.services import export_files, storage
from tests.annotations.exporters import outside_readers as readers
from tests.annotations.exporters.datasets import awkward_rows, frozen, row, unpacked, write
from tests.annotations.files import picture

OPTIONS = {"imagefolder": {"several": "copy"}}


def found_by_duckdb(folder):
    rows = duckdb.sql(f"SELECT image.path, tags FROM '{folder}/data/*.parquet'").fetchall()
    return {names.stem(path): set(tags) for path, tags in rows}


@pytest.mark.parametrize("format", FORMATS)
def test_equal_contents_give_equal_bytes(format, tmp_path):
    """Whatever the ids, the times and the persons are, where the format has none of them."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    rows = awkward_rows(tmp_path)
    elsewhere = [one._replace(id=one.id + 1_000, provenance={}) for one in reversed(rows)]
    has_ids = format in ("csv", "csv-long", "jsonl", "label-studio")
    written = []
    for folder, said in (("one", rows), ("two", rows if has_ids else elsewhere)):
        with frozen(said, tmp_path / folder, options=OPTIONS.get(format), with_pictures=True) as dataset:
            written.append(write(format, dataset, tmp_path / folder).read_bytes())
    assert written[0] == written[1]


def test_the_sha256_of_a_dataset_covers_its_contents_alone():
    one = row(1, ("dog",))
    assert content(one) == content(
        one._replace(id=7, provenance={}, reviews=({"person": "x"},), picture_key="k")
    )
    for change in (
        {"caption": "other"},
        {"yes": ("cat",)},
        {"no": ("cat",)},
        {"disputed": ("cat",)},
        {"not_asked": ("cat",)},
        {"state": "pending"},
        {"is_holdout": True},
        {"metadata": {"a": 1}},
        {"path": "elsewhere/same.jpg"},
    ):
        assert content(one) != content(one._replace(**change)), change


@pytest.mark.parametrize("format", FORMATS)
def test_rows_are_taken_as_they_come_and_none_are_kept(format):
    """A writer that gathered everything would read all rows before its first pieces."""
    taken = []

    class Rows:
        def __iter__(self):
            for number in range(1, 50_000):
                taken.append(number)
                yield row(
                    number,
                    ("dog",),
                    path=f"{'folder/' * 10}{number}.jpg",
                    caption="a dog " * 40,
                    picture_key="k",
                )

    facts = Facts(49_999, 49_999, {"train": 49_999}, [VocabularyTag("dog")], 7, True, "0" * 64)
    files = FORMATS[format].files(Dataset(Rows(), facts, OPTIONS.get(format, {})))
    if format in ("voc", "imagefolder"):
        return  # lists a tag are spooled to disk; folders hold nothing but pictures
    pieces = itertools.chain.from_iterable(pieces for _, pieces in files)
    size = 0
    while size < 300_000:
        size += len(next(pieces))
    assert 0 < len(taken) < 40_000


@pytest.mark.parametrize("format", FORMATS)
def test_ten_thousand_tags_survive(format, tmp_path):
    tags = tuple(f"tag {number:05}" for number in range(10_000))
    rows = [row(1, tags, path="all.jpg"), row(2, ("tag 00001",), path="one.jpg"), row(3, path="none.jpg")]
    if format in ("imagefolder", "hf-imagefolder"):
        rows = [one._replace(yes=one.yes[:3], picture_key=_picture(tmp_path, one)) for one in rows]
    if format in ("cvat", "coco"):
        rows = [one._replace(picture_key=_picture(tmp_path, one)) for one in rows]
    with_pictures = format in ("imagefolder", "hf-imagefolder", "cvat", "coco")
    options = OPTIONS.get(format)
    with frozen(rows, tmp_path, tags=tags, options=options, with_pictures=with_pictures) as dataset:
        folder = unpacked(format, dataset, tmp_path)
    if format == "voc":
        assert len(list((folder / "ImageSets" / "Main").iterdir())) == 10_001
        return
    found = {key.removesuffix(".jpg"): said for key, said in readers.READERS[format](folder).items()}
    assert found.get("none", set()) == set()
    assert (found["all"], found["one"]) == (set(rows[0].yes), {"tag 00001"})


def _picture(folder, one):
    file = folder / f"{one.id}.jpg"
    file.write_bytes(picture(one.id))
    return f"{storage.SERVER_FILE}{file}"


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_project_gives_a_file_that_reads_back(format, tmp_path):
    with frozen([], tmp_path, tags=("dog",), options=OPTIONS.get(format)) as dataset:
        assert write(format, dataset, tmp_path).stat().st_size >= 0


@pytest.mark.parametrize("format", [name for name in FORMATS if FORMATS[name].pictures is Pictures.BESIDE])
def test_pictures_come_along_untouched(format, tmp_path):
    rows = awkward_rows(tmp_path)
    with frozen(rows, tmp_path, with_pictures=True) as dataset:
        written = write(format, dataset, tmp_path)
        stored = {storage.read(one.picture_key) for one in dataset.rows}
    with zipfile.ZipFile(written) as archive:
        entries = archive.namelist()
        packed = {archive.read(name) for name in entries}
    assert stored <= packed
    assert len(entries) == len({name.casefold() for name in entries})
    assert entries[-1] == "manifest.json"


def test_a_picture_that_is_gone_is_told_and_the_rest_goes_on(tmp_path):
    rows = [one._replace(picture_key="") if one.id == 3 else one for one in awkward_rows(tmp_path)]
    with (
        frozen(rows, tmp_path, with_pictures=True) as dataset,
        (tmp_path / "written").open("wb") as stream,
    ):
        packed = export_files.write(FORMATS["coco"], dataset, stream, manifest={}, on_picture=int)
    assert (packed.pictures, packed.lost) == (len(rows) - 1, ["with space.jpg"])
    with frozen(rows, tmp_path, with_pictures=True) as dataset:
        found = readers.hugging_face(unpacked("hf-imagefolder", dataset, tmp_path))
    assert len(found) == len(rows) - 1


def test_coco_with_boxes_survives_the_area_filter_of_pycocotools(tmp_path):
    with frozen([row(1, ("a b",))], tmp_path, options={"boxes": True}) as dataset:
        folder = unpacked("coco", dataset, tmp_path)
    coco = COCO(str(folder / "annotations" / "labels_train.json"))
    (annotation,) = coco.loadAnns(coco.getAnnIds(areaRng=[1, 64 * 48 + 1]))
    assert annotation["bbox"] == [0, 0, 64, 48]
    assert min(category["id"] for category in coco.dataset["categories"]) == 1


def test_pycocotools_reads_every_split(tmp_path):
    rows = awkward_rows(tmp_path)
    with frozen(rows, tmp_path) as dataset:
        found = readers.pycocotools(unpacked("coco", dataset, tmp_path))
        assert found == {names.stem(one.file): set(one.yes) for one in dataset.rows}


def test_duckdb_reads_the_parquet(tmp_path):
    rows = awkward_rows(tmp_path)
    with frozen(rows, tmp_path, with_pictures=True) as dataset:
        found = found_by_duckdb(unpacked("parquet", dataset, tmp_path))
        assert found == {names.stem(one.file): set(one.yes) for one in dataset.rows}


def test_open_images_has_verified_no_and_implied_ones_when_asked(tmp_path):
    rows = [row(1, ("a b",), no=("a,b",), implied_no=("🐕",))]
    with frozen(rows, tmp_path) as dataset:
        folder = unpacked("open-images", dataset, tmp_path)
    lines = (
        (folder / "annotations" / "train-annotations-human-imagelabels.csv").read_text("utf-8").splitlines()
    )
    assert [line.rsplit(",", 1)[1] for line in lines[1:]] == ["1", "0", "0"]


def test_voc_tells_no_from_not_asked(tmp_path):
    rows = [row(1, ("a b",), no=("a,b",), implied_no=("🐕",), disputed=("=1+1",), path="x.jpg")]
    with frozen(rows, tmp_path) as dataset:
        folder = unpacked("voc", dataset, tmp_path) / "ImageSets" / "Main"
    said = {
        tag: (folder / f"{tag}_train.txt").read_text("utf-8") for tag in ("a b", "a,b", "🐕", "=1+1", "café")
    }
    assert said == {"a b": "x 1\n", "a,b": "x -1\n", "🐕": "x -1\n", "=1+1": "x 0\n", "café": "x 0\n"}


@pytest.mark.parametrize(
    ("several", "expected"),
    [("copy", {"a/x", "b/x", "a/y"}), ("primary", {"a/x", "a/y"}), ("skip", {"a/y"})],
)
def test_a_tree_does_with_several_tags_what_was_chosen(several, expected, tmp_path):
    rows = [row(1, ("a", "b"), path="x.jpg"), row(2, ("a",), path="y.jpg"), row(3, path="z.jpg")]
    rows = [one._replace(picture_key=_picture(tmp_path, one)) for one in rows]
    with frozen(rows, tmp_path, tags=("a", "b"), options={"several": several}, with_pictures=True) as dataset:
        folder = unpacked("imagefolder", dataset, tmp_path)
    found = {str(file.relative_to(folder / "train"))[:-4] for file in (folder / "train").rglob("*.jpg")}
    assert found == expected


@pytest.mark.parametrize("format", ["csv-onehot", "voc"])
def test_a_set_too_large_for_a_format_is_refused_by_its_size(format):
    vocabulary = [VocabularyTag(f"tag {number}") for number in range(10_000)]
    facts = Facts(1_000_000, 0, {"train": 1_000_000}, vocabulary, 1, True, "")
    assert "10,000" in FORMATS[format].refusal(facts)
    assert FORMATS[format].refusal(replace(facts, images=1_000)) is None


@pytest.mark.parametrize("format", ["voc", "imagefolder"])
def test_a_tag_too_long_for_a_file_name_is_named(format):
    facts = Facts(1, 0, {"train": 1}, [VocabularyTag("🐕" * 100)], 1, True, "")
    assert "🐕" in FORMATS[format].refusal(facts)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_file_that_was_damaged_while_written_is_not_handed_out(format, damage, tmp_path):
    rows = [one._replace(picture_key=_picture(tmp_path, one)) for one in (row(1, ("a b",)), row(2))]
    with frozen(rows, tmp_path, options=OPTIONS.get(format), with_pictures=True) as dataset:
        written = write(format, dataset, tmp_path)
    whole = written.read_bytes()
    within = whole.index(b"JFIF") + 60
    damaged = whole[:-40] if damage == "cut" else whole[:within] + b"~~~~" + whole[within + 4 :]
    written.write_bytes(damaged)
    with pytest.raises(export_files.DamagedExport, match="does not read back"):
        export_files.check(f"{storage.SERVER_FILE}{written}", FORMATS[format], images=2, with_pictures=True)


@pytest.mark.parametrize("format", [name for name in FORMATS if FORMATS[name].recount])
def test_an_image_too_few_is_found_when_the_file_is_read_back(format, tmp_path):
    rows = [one._replace(picture_key=_picture(tmp_path, one)) for one in (row(1, ("a b",)), row(2))]
    with frozen(rows, tmp_path, with_pictures=True) as dataset:
        written = write(format, dataset, tmp_path)
    with pytest.raises(export_files.DamagedExport, match="read back 2"):
        export_files.check(f"{storage.SERVER_FILE}{written}", FORMATS[format], images=3, with_pictures=True)


def test_label_studio_keeps_suggestions_with_their_model(tmp_path):
    with frozen([row(1, ("a b",))], tmp_path) as dataset:
        folder = unpacked("label-studio", dataset, tmp_path)
    (task,) = json.loads((folder / "tasks.json").read_text("utf-8"))
    (prediction,) = task["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("3", 0.5)
    assert prediction["result"][0]["value"]["choices"] == ["a b"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\tx"])
def test_formulas_are_disarmed(text):
    assert guard(text) == "'" + text
    assert guard("a" + text) == "a" + text


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("../../etc/passwd", "etc/passwd.jpg"),
        ("a/b.JPEG", "a/b.JPEG"),
        ("a.png", "a.png.jpg"),
        ("con.jpg", "con_.jpg"),
        ("x" * 300 + ".jpg", "x" * 176 + ".jpg"),
        ("", "unnamed.jpg"),
    ],
)
def test_files_are_safe_to_unpack_anywhere(path, file):
    assert names.safe_path(path, "jpg") == file
