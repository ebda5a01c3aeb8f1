"""What an import refuses, and that nothing stays of it: hostile files, endless nesting, too much, a full disk."""

import contextlib
import io
import json
import zipfile

import pytest

from annotations import tasks
from annotations.importers import uploads
from annotations.models import Image, ImportJob
from annotations.models.image import CAPTION_MAX_CHARS
from annotations.services import storage
from tests.annotations import files
from tests.annotations.import_api.seen import job_shown, staged


@pytest.mark.parametrize(
    ("table", "code", "words"),
    [
        ("name,caption\na.jpg,Café".encode("latin-1"), "not_utf8", ["UTF-8", "0xE9", "offset 22"]),
        (b"file,notes\na.jpg,hello", "missing_column", ["caption", "notes"]),
        (b"caption,tags\nhello,dog", "missing_column", ["name", "caption"]),
        (b"", "missing_column", ["name"]),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_a_remedy(cast, post, table, code, words):
    response = post({"a.jpg": files.picture(1)}, captions_file=("c.csv", table))
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == code
    assert all(word in error["message"] for word in words), error["message"]
    assert not ImportJob.objects.exists()
    assert not staged()


def test_texts_that_postgresql_cannot_hold_do_not_stop_the_import(cast, landed):
    job = landed(
        {"a.jpg": files.picture(1), "b.jpg": files.picture(2)},
        captions=json.dumps(
            {
                "a.jpg": {"caption": "a\x00b \ud800", "metadata": {"k\x00": float("nan")}},
                "b.jpg": "x" * (CAPTION_MAX_CHARS + 1),
            }
        ),
    )
    assert job["result"]["added"] == 2
    assert [error["code"] for error in job["errors"]] == ["caption_too_long"]
    assert Image.objects.get(name="a.jpg").caption == "ab ?"


def test_a_zip_lands_and_its_hostile_entries_are_named(cast, landed):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("walk/a.jpg", files.picture(1))
        archive.writestr("captions.csv", "name,caption\nwalk/a.jpg,A walk\n")
        archive.writestr("../../evil.jpg", files.picture(2))
        archive.writestr("/etc/evil.jpg", files.picture(3))
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("__MACOSX/._a.jpg", b"noise")
    job = landed(archive=("walk.zip", packed.getvalue()))
    assert Image.objects.get().path == "walk/a.jpg"
    assert Image.objects.get().caption == "A walk"
    assert sorted((error["item"], error["code"]) for error in job["errors"]) == [
        ("../../evil.jpg", "unsafe_path"),
        ("/etc/evil.jpg", "unsafe_path"),
        ("link.jpg", "link"),
    ]
    assert job["result"] == {"added": 1, "updated": 0, "duplicates": 0, "refused": 3}


DEEP = ("[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000)


@pytest.mark.parametrize("deep", DEEP, ids=["lists", "objects"])
class TestNestedWithoutEnd:
    """JSON 100,000 deep, wherever it may stand: named with a remedy, and all else as it would be without it."""

    @pytest.mark.parametrize("field", ["captions", "captions_file", "elsewhere", "mapping", "files"])
    def test_what_speaks_of_all_pictures_is_refused_and_stores_nothing(self, post, deep, field):
        sent = {"captions": deep, "mapping": deep}.get(field) or ("captions.json", deep.encode())
        more = {"manifest": ("t.csv", b"path,caption\na.jpg,x\n")} if field == "mapping" else {}
        names = {"a.jpg": files.picture(1)}
        if field == "files":
            response = post({**names, "captions.json": deep.encode()})
        else:
            response = post(names, **{field: sent}, **more)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_json")
        assert not ImportJob.objects.exists() and not staged()

    def test_a_sidecar_is_named_and_its_picture_lands(self, landed, deep):
        job = landed({"a.jpg": files.picture(1), "a.json": deep.encode(), "b.jpg": files.picture(2)})
        assert (job["state"], job["result"]["added"]) == ("done", 2)
        assert [(one["item"], one["code"]) for one in job["errors"]] == [
            ("a.json", "caption_sidecar_unreadable")
        ]

    @pytest.mark.parametrize("body", ['{"items": %s}', '{"items": [{"path": "a.jpg", "metadata": %s}]}'])
    def test_a_body_is_refused_and_stores_nothing(self, cast, client_of, deep, body):
        address = f"/api/v1/projects/{cast.project.pk}/imports/"
        response = client_of(cast.manager).post(address, body % deep, content_type="application/json")
        assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_input")
        assert "Send it flatter" in response.json()["error"]["message"]
        assert not ImportJob.objects.exists()


@pytest.mark.parametrize("depth", [60, 90, 200, 500, 900])
def test_a_body_of_any_depth_is_no_server_error(cast, client_of, depth):
    """Between what may be stored and what no parser takes: the item is named, or the body is."""
    nested = "[" * depth + "]" * depth
    body = f'{{"items": [{{"url": "http://pictures.invalid/a.jpg", "metadata": {{"a": {nested}}}}}]}}'
    address = f"/api/v1/projects/{cast.project.pk}/imports/"
    response = client_of(cast.manager).post(address, body, content_type="application/json")
    if depth < 100:
        assert [one["code"] for one in response.json()["errors"]] == ["metadata_too_deep"]
    else:
        assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_input")


@contextlib.contextmanager
def full(key):
    with open("/dev/full", "wb", buffering=0) as device:  # noqa: PTH123 (the device that is always full)
        yield device


@pytest.mark.parametrize("kind", ["files", "zip"])
def test_a_full_disk_during_an_upload_is_said_and_leaves_nothing(post, monkeypatch, kind):
    writer, packed = storage.writer, io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.jpg", files.picture(1))
    sent = (
        {"archive": ("a.zip", packed.getvalue())} if kind == "zip" else {"names": {"a.jpg": files.picture(1)}}
    )
    with monkeypatch.context() as patch:
        # Of the archive the upload fits, and what comes out of it does not.
        is_full = "unpacked" if kind == "zip" else storage.STAGING
        patch.setattr(storage, "writer", lambda key: full(key) if is_full in key else writer(key))
        response = post(**sent)
    assert (response.status_code, response.json()["error"]["code"]) == (507, "disk_full")
    assert "Free some space, then send it again" in response.json()["error"]["message"]
    assert not ImportJob.objects.exists() and not staged()
    assert post(**sent).status_code == 202


def test_an_archive_that_is_none_is_refused(cast, post):
    response = post(archive=("x.zip", b"PK but no archive"))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_archive")


def test_server_files_are_read_below_allowed_folders_only(cast, client_of, settings, tmp_path):
    root = files.folder_of(tmp_path / "shelf", 2)
    (tmp_path / "secret.jpg").write_bytes(files.picture(9))
    (root / "sneaky.jpg").symlink_to(tmp_path / "secret.jpg")
    settings.IMPORT_ROOTS = [str(root)]
    items = [
        {"path": "p0000.jpg", "caption": "first", "tags": ["dog"]},
        {"path": "../secret.jpg"},
        {"path": "sneaky.jpg"},
        {"path": "missing.jpg"},
    ]
    address = f"/api/v1/projects/{cast.project.pk}/imports/"
    response = client_of(cast.manager).post(address, {"items": items}, format="json")
    assert response.status_code == 202
    tasks.run_import(response.json()["id"])
    job = job_shown(response.json()["id"])
    assert Image.objects.get().caption == "first"
    assert [error["code"] for error in job["errors"]] == [
        "path_not_allowed",
        "path_not_allowed",
        "file_missing",
    ]
    assert (root / "p0000.jpg").exists()
    whole = client_of(cast.manager).post(address, {"path": str(root)}, format="json")
    tasks.run_import(whole.json()["id"])
    assert job_shown(whole.json()["id"])["result"] == {
        "added": 1,
        "updated": 0,
        "duplicates": 1,
        "refused": 0,
    }


def test_too_many_files_are_refused_and_nothing_stays(cast, post, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_FILES", 3)
    response = post({f"{seed}.jpg": files.picture(seed) for seed in range(4)})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_many_files")
    assert not ImportJob.objects.exists()
    assert not staged()


def test_too_many_bytes_are_refused(cast, post, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_BYTES", 1_000)
    response = post({"a.jpg": files.picture(1, size=(640, 480))})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_many_bytes")


def test_an_empty_request_is_refused(cast, post):
    assert post(captions="{}").json()["error"]["code"] == "nothing_sent"


@pytest.mark.parametrize(("who", "status"), [("annotator", 403), ("reviewer", 403), ("outsider", 404)])
def test_only_managers_import(cast, post, who, status):
    assert post({"a.jpg": files.picture()}, user=getattr(cast, who)).status_code == status
