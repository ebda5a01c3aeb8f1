"""Imports by table: mapping and preview, where pictures are found, and what comes of each row."""

import io
import json
import tarfile
import zipfile
from datetime import timedelta

import pytest

from annotations import tasks
from annotations.models import Decision, Image, ImportJob, OutsideSuggestion, Project
from annotations.services import image_edits, import_rows, imports, jobs, storage
from tests.annotations import files
from tests.annotations.import_tables.said import codes, tags_of
from tests.factories import make_images, make_tags


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
