"""What an export holds: exactly what people said, in bytes that the same data give again."""

import csv
import hashlib
import io
import json
import zipfile
from urllib.parse import unquote

import pytest

from annotations import tasks, xmp
from annotations.exporters.registry import FORMATS
from annotations.importers import keywords
from annotations.services import image_edits, snapshots, storage, tags
from tests.annotations import files
from tests.annotations.exporters import outside_readers as readers


def unpacked(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(data))


def rows_of(data: bytes) -> list[dict]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_csv_tells_nothing_applies_from_not_reviewed(cast, reviewed, exported):
    job, data = exported("csv")
    by_id = {int(row["id"]): row for row in rows_of(data)}
    first, empty, unseen = reviewed
    assert by_id[first.pk]["tags"] == "'=cmd|dog|water"
    assert (by_id[empty.pk]["tags"], by_id[empty.pk]["state"]) == ("", "reviewed")
    assert (by_id[unseen.pk]["tags"], by_id[unseen.pk]["state"]) == ("", "pending")
    assert by_id[first.pk]["caption"] == 'A dog, "wet"\nby the lake'
    assert job["result"]["items"] == 3


def test_csv_long_holds_explicit_verdicts_with_their_source(cast, reviewed, exported):
    _, data = exported("csv-long")
    first, empty, _ = reviewed
    said = [(row["tag"], row["verdict"]) for row in rows_of(data) if int(row["image_id"]) == first.pk]
    assert said == [("'=cmd", "yes"), ("dog", "yes"), ("water", "yes"), ("🐕 rtl שלום", "no")]
    dog = next(row for row in rows_of(data) if row["tag"] == "dog")
    assert (dog["source"], dog["person"]) == ("person", "annotator")
    assert [row["verdict"] for row in rows_of(data) if int(row["image_id"]) == empty.pk] == [""]


def test_csv_long_writes_implied_noes_when_asked(cast, reviewed, exported):
    _, data = exported("csv-long", options={"implied_no": True})
    empty = reviewed[1]
    assert {row["verdict"] for row in rows_of(data) if int(row["image_id"]) == empty.pk} == {"implied no"}


def test_jsonl_holds_everything_people_said(cast, reviewed, exported):
    _, data = exported("jsonl")
    by_id = {row["id"]: row for row in map(json.loads, data.decode().splitlines())}
    first, empty, unseen = reviewed
    assert by_id[first.pk]["yes"] == ["=cmd", "dog", "water"]
    assert by_id[first.pk]["no"] == ["🐕 rtl שלום"]
    assert by_id[first.pk]["provenance"]["dog"]["person"] == "annotator"
    assert by_id[first.pk]["vocabulary_version"] == cast.project.vocabulary_version
    assert [review["outcome"] for review in by_id[empty.pk]["reviews"]] == ["reviewed"]
    assert (by_id[unseen.pk]["yes"], by_id[unseen.pk]["reviews"]) == ([], [])
    assert by_id[first.pk].keys() >= {"id", "name", "sha256", "width_px", "height_px", "caption", "state"}
    assert by_id[first.pk].keys() >= {"is_holdout", "yes", "no", "disputed", "provenance", "reviews"}


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_the_same_data_gives_the_same_bytes_and_the_result_describes_them(cast, reviewed, exported, format):
    options = {"several": "copy"} if format == "imagefolder" else {}
    job, data = exported(format, options=options)
    again, same = exported(format, options=options)
    assert data == same
    assert job["result"]["sha256"] == again["result"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert job["result"]["bytes"] == len(data)
    assert job["result"]["losses"] == list(FORMATS[format].losses)


def test_the_trash_stays_out_and_a_filter_holds(cast, reviewed, exported):
    image_edits.trash(cast.project, reviewed[1].pk, actor=cast.manager)
    assert exported("csv")[0]["result"]["items"] == 2
    job, data = exported("csv", filter={"state": "reviewed"})
    assert [int(row["id"]) for row in rows_of(data)] == [reviewed[0].pk]
    assert job["progress"] == {"done": 1, "total": 1, "unit": "images"}


def test_an_archive_brings_pictures_and_says_what_it_holds(cast, reviewed, exported, client_of):
    """The picture of one image is gone: it is named, and the others come."""
    pictures = {image.pk: files.picture(image.pk) for image in reviewed}
    for image in reviewed[:2]:
        storage.put(image.storage_key, pictures[image.pk])
    job, data = exported("jsonl", images=True)
    archive = unpacked(data)
    rows = {row["id"]: row for row in map(json.loads, archive.read("images.jsonl").splitlines())}
    assert [archive.read(rows[image.pk]["file"]) for image in reviewed[:2]] == [
        pictures[image.pk] for image in reviewed[:2]
    ]
    assert (job["result"]["pictures"], job["result"]["lost_pictures"]) == (2, [reviewed[2].name])
    manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["images"], manifest["format"], manifest["with_pictures"]) == (3, "jsonl", True)
    assert manifest["snapshot_sha256"] == job["result"]["snapshot_sha256"]
    assert manifest["vocabulary_version"] == cast.project.vocabulary_version
    assert [tag["name"] for tag in manifest["vocabulary"]] == ["=cmd", "dog", "water", "🐕 rtl שלום"]
    assert manifest["losses"] == list(FORMATS["jsonl"].losses)
    download = client_of(cast.manager).get(job["download_url"])
    assert download["Content-Type"] == "application/zip"
    assert download["Content-Disposition"].endswith('.zip"')


@pytest.mark.parametrize("wanted", ["inside", "beside"])
def test_keywords_are_written_into_copies_or_beside_them(cast, reviewed, exported, wanted):
    """One of the pictures is a BMP, which holds none inside: it comes as it was sent, and is named."""
    first, empty, _ = reviewed
    sent = {image.pk: files.picture(image.pk) for image in reviewed}
    sent[empty.pk] = files.picture(empty.pk, format="BMP")
    for image in reviewed:
        storage.put(image.storage_key, sent[image.pk])
    job, data = exported("imagenet-txt", images=True, options={"keywords": wanted})
    archive = unpacked(data)
    written = archive.read(f"images/{first.name}")
    beside = archive.read(f"images/{first.name}.xmp") if wanted == "beside" else b""
    said = xmp.read(beside) if beside else keywords.read(written)
    assert (said.caption, set(said.tags)) == (first.caption, {"=cmd", "dog", "water"})
    assert archive.read(f"images/{empty.name}") == sent[empty.pk]
    assert job["result"]["without_keywords"] == ([empty.name] if wanted == "inside" else [])
    assert (written == sent[first.pk]) == (wanted == "beside")


@pytest.mark.parametrize("format", FORMATS)
def test_a_tag_renamed_after_use_is_exported_under_its_new_name_alone(
    cast, reviewed, exported, tmp_path, format
):
    """As an outside reader finds it; the snapshot of before goes on saying the old name."""
    for image in reviewed:
        storage.put(image.storage_key, files.picture(image.pk))
    before = snapshots.start(cast.project, actor=cast.manager, name="before")
    tasks.run_snapshot(before.pk)
    tags.update(cast.project.tags.get(name="dog"), {"name": "Hound, wet"}, actor=cast.manager)
    options = {"several": "copy"} if format == "imagefolder" else {}
    for number, (more, said) in enumerate((({}, "Hound, wet"), ({"snapshot": before.pk}, "dog"))):
        _, data = exported(format, images=True, options=options, **more)
        unpacked(data).extractall(tmp_path / str(number))
        found = set().union(*readers.READERS[format](tmp_path / str(number)).values())
        found = {unquote(tag) for tag in found} if format == "voc" else found
        assert found & {"dog", "Hound, wet"} == {said}


@pytest.mark.parametrize(
    ("format", "options"),
    [("csv", {}), ("csv-long", {}), ("csv-long", {"implied_no": True}), ("jsonl", {})],
)
def test_what_is_written_in_passing_is_what_frozen_rows_give(cast, reviewed, exported, format, options):
    job, data = exported(format, options=options)
    snapshot = snapshots.start(cast.project, actor=cast.manager, name="the same")
    tasks.run_snapshot(snapshot.pk)
    frozen, same = exported(format, options=options, snapshot=snapshot.pk)
    assert same == data
    told = ("items", "bytes", "sha256", "snapshot_sha256", "vocabulary_version")
    assert {name: job["result"][name] for name in told} == {name: frozen["result"][name] for name in told}
