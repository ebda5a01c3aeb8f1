"""Imports by the API: what comes in lands once, and what cannot land is named while the rest lands."""

import contextlib
import io
import json
import uuid
import zipfile

import PIL.Image
import pytest

from annotations import tasks
from annotations.api.jobs import job_json
from annotations.importers import uploads
from annotations.models import Decision, Image, ImportJob, QueueEntry, Review, Role
from annotations.models.image import CAPTION_MAX_CHARS
from annotations.selectors import counters, truth
from annotations.services import image_edits, leases, storage
from annotations.services.reviews import TooLate
from tests.annotations import files
from tests.factories import answer_lease, review_next


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def post(cast, client_of):
    """Send an import as the manager; answers the response."""

    def send(names: dict[str, bytes] | None = None, *, user=None, **fields):
        body = files.form({"files": list((names or {}).items()), **fields})
        address = f"/api/v1/projects/{cast.project.pk}/imports/"
        return client_of(user or cast.manager).post(address, body, content_type=files.FORM)

    return send


@pytest.fixture
def landed(post):
    """Send an import, let the worker's task run, and answer the job as the API shows it."""

    def send(names: dict[str, bytes] | None = None, **fields) -> dict:
        response = post(names, **fields)
        assert response.status_code == 202, response.json()
        tasks.run_import(response.json()["id"])
        return _job(response.json()["id"])

    return send


def _job(job_id: int) -> dict:
    return json.loads(json.dumps(job_json(ImportJob.objects.get(pk=job_id)), default=str))


def staged() -> list:
    staging = storage.local_path(storage.STAGING)
    return list(staging.iterdir()) if staging.exists() else []


def test_pictures_land_with_captions_facts_and_files(cast, landed):
    job = landed(
        {"dog.jpg": files.picture(1), "cat.png": files.picture(2, format="PNG")},
        captions=json.dumps({"dog.jpg": "A dog by the water"}),
    )
    assert (job["state"], job["result"]) == (
        "done",
        {"added": 2, "updated": 0, "duplicates": 0, "refused": 0},
    )
    assert job["progress"] == {"done": 2, "total": 2, "unit": "images"}
    dog, cat = Image.objects.order_by("id")
    assert (dog.name, dog.caption, dog.state, dog.width_px, dog.height_px) == (
        "dog.jpg", "A dog by the water", "pending", 64, 48,
    )  # fmt: skip
    assert cat.caption == ""
    assert storage.read(dog.storage_key) == files.picture(1)
    assert storage.exists(storage.rendition_key(cast.project.pk, cat.sha256, 256))
    assert QueueEntry.objects.count() == 2
    assert counters.read(cast.project.pk)["images"] == 2
    assert counters.read(cast.project.pk)["pending"] == 2


def test_the_answer_is_a_job_with_an_address(cast, post):
    response = post({"a.jpg": files.picture()})
    assert response.status_code == 202
    assert response["Location"].endswith(f"/imports/{response.json()['id']}/")
    assert response.json()["state"] == "queued"


def test_a_file_sent_again_is_a_duplicate_and_a_changed_caption_updates(cast, landed):
    landed({"a.jpg": files.picture(1), "b.jpg": files.picture(2)}, captions='{"a.jpg": "old"}')
    before = Image.objects.get(name="a.jpg").revision
    job = landed({"a.jpg": files.picture(1), "b.jpg": files.picture(2)}, captions='{"a.jpg": "new"}')
    assert job["result"] == {"added": 0, "updated": 1, "duplicates": 1, "refused": 0}
    assert job["errors"] == []
    changed = Image.objects.get(name="a.jpg")
    assert (changed.caption, changed.revision) == ("new", before + 1)
    assert Image.objects.count() == QueueEntry.objects.count() == 2
    assert counters.read(cast.project.pk)["images"] == 2


def test_the_same_bytes_twice_in_one_request_are_one_image(cast, landed):
    job = landed({"a.jpg": files.picture(1), "copy.jpg": files.picture(1)})
    assert job["result"] == {"added": 1, "updated": 0, "duplicates": 1, "refused": 0}
    assert Image.objects.get().name == "a.jpg"


def test_the_same_name_in_two_folders_is_kept_apart(cast, landed):
    job = landed(
        {"walk/1.jpg": files.picture(1), "beach/1.jpg": files.picture(2)},
        captions=json.dumps({"walk/1.jpg": "a walk", "beach/1.jpg": "a beach"}),
    )
    assert job["errors"] == []
    rows = Image.objects.order_by("path").values_list("name", "path", "caption")
    assert list(rows) == [("1.jpg", "beach/1.jpg", "a beach"), ("1.jpg", "walk/1.jpg", "a walk")]


def test_exif_rotation_and_position_do_not_reach_the_screen(cast, landed, client_of):
    landed({"turned.jpg": files.rotated(3, gps=True)})
    image = Image.objects.get()
    assert (image.width_px, image.height_px, image.shows_as_is) == (40, 80, False)
    address = f"/api/v1/projects/{cast.project.pk}/images/{image.pk}/file/"
    shown = b"".join(client_of(cast.annotator).get(address).streaming_content)
    with PIL.Image.open(io.BytesIO(shown)) as picture:
        assert picture.size == (40, 80)
        assert not picture.getexif()


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("notes.jpg", b"these are notes, not pixels", "not_an_image"),
        ("empty.jpg", b"", "empty_file"),
        ("cut.jpg", files.picture(5, size=(640, 480))[:3000], "truncated"),
        ("huge.png", files.huge_png(), "too_large"),
        (
            "drawing.jpg",
            b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
            "unsupported_format",
        ),
        ("page.jpg", b"<!doctype html><html><body>hello</body></html>", "not_an_image"),
    ],
)
def test_a_bad_file_is_named_and_the_rest_lands(cast, landed, name, data, code):
    job = landed({name: data, "good.jpg": files.picture(1)})
    assert job["result"] == {"added": 1, "updated": 0, "duplicates": 0, "refused": 1}
    (error,) = job["errors"]
    assert (error["item"], error["code"]) == (name, code)
    assert len(error["message"]) > 20
    assert Image.objects.get().name == "good.jpg"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("animated.gif", files.animated()),
        ("cmyk.jpg", files.picture(4, mode="CMYK")),
        ("deep.png", files.sixteen_bit()),
        ("palette.png", files.picture(6, format="PNG", mode="P")),
    ],
)
def test_odd_pictures_are_taken(cast, landed, name, data):
    assert landed({name: data})["result"]["added"] == 1
    assert Image.objects.get().width_px == 64


def test_a_caption_for_a_file_that_is_not_there_is_reported(cast, landed):
    job = landed({"a.jpg": files.picture(1)}, captions='{"a.jpg": "here", "gone.jpg": "nowhere"}')
    (error,) = job["errors"]
    assert (error["item"], error["code"]) == ("gone.jpg", "caption_without_file")
    assert job["result"] == {"added": 1, "updated": 0, "duplicates": 0, "refused": 0}
    assert Image.objects.get().caption == "here"


def test_captions_come_as_a_table_with_tags(cast, landed):
    table = b'filename;caption;tags\na.jpg;"Ein Hund; am See";dog|water\n'
    landed({"a.jpg": files.picture(1)}, captions_file=("captions.csv", table))
    image = Image.objects.get()
    said = truth.verdicts(cast.project, [image.pk])[image.pk]
    assert image.caption == "Ein Hund; am See"
    assert sorted(cast.project.tags.filter(pk__in=said.yes).values_list("name", flat=True)) == [
        "dog",
        "water",
    ]
    assert image.state == "pending"
    assert not said.implied_no


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


def test_unknown_tags_are_reported_where_none_may_be_created(cast, landed):
    table = b"name,caption,tags\na.jpg,a dog,dog\n"
    job = landed({"a.jpg": files.picture(1)}, captions_file=("c.csv", table), create_tags="false")
    (error,) = job["errors"]
    assert (error["item"], error["code"]) == ("a.jpg", "unknown_tag")
    assert job["result"]["added"] == 1
    assert not cast.project.tags.exists()


def test_a_complete_import_reviews_its_images(cast, landed):
    table = b"name,caption,tags\na.jpg,,dog\nb.jpg,,cat\nc.jpg,,\n"
    names = {f"{name}.jpg": files.picture(seed) for seed, name in enumerate("abc")}
    landed(names, captions_file=("c.csv", table), complete="true")
    assert set(Image.objects.values_list("state", "reviews_done")) == {("reviewed", 1)}
    assert not QueueEntry.objects.exists()
    tags = dict(cast.project.tags.values_list("name", "pk"))
    said = truth.verdicts(cast.project, list(Image.objects.order_by("id").values_list("id", flat=True)))
    assert [(set(one.yes), set(one.implied_no)) for one in said.values()] == [
        ({tags["dog"]}, {tags["cat"]}),
        ({tags["cat"]}, {tags["dog"]}),
        (set(), set(tags.values())),
    ]
    kept = counters.read(cast.project.pk)
    assert (kept["reviewed"], kept["reviews"], kept["decisions"], kept.get("pending", 0)) == (3, 3, 2, 0)


@pytest.mark.parametrize("holdout_percent", [0, 50])
def test_a_complete_import_of_trashed_images_counts_each_once(cast, landed, holdout_percent):
    cast.project.holdout_percent = holdout_percent
    cast.project.save(update_fields=["holdout_percent"])
    pictures = {f"{seed}.jpg": files.picture(seed) for seed in range(6)}
    landed(pictures)
    for image in Image.objects.all():
        image_edits.trash(cast.project, image.pk, actor=cast.manager)
    landed(pictures, complete="true")
    kept = counters.read(cast.project.pk)
    holdout = Image.objects.filter(is_holdout=True).count()
    assert (kept["images"], kept["reviewed"], kept["pending"]) == (6, 6, 0)
    assert (kept.get("holdout", 0), kept.get("holdout_reviewed", 0)) == (holdout, holdout)


def test_an_unsure_image_from_the_trash_is_asked_of_reviewers_again(cast, landed):
    landed({"a.jpg": files.picture(1)})
    review_next(cast, cast.annotator, outcome="unsure")
    image_edits.trash(cast.project, Image.objects.get().pk, actor=cast.manager)
    landed({"a.jpg": files.picture(1)})
    assert QueueEntry.objects.get().for_reviewers


def test_a_complete_import_takes_its_images_from_whoever_holds_them(cast, landed):
    landed({"a.jpg": files.picture(1)})
    held = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR)[0]
    landed({"a.jpg": files.picture(1)}, complete="true")
    with pytest.raises(TooLate):
        answer_lease(cast, cast.annotator, held)
    assert Image.objects.get().reviews_done == 1


def test_importing_tags_again_stores_them_once(cast, landed):
    for _ in range(2):
        table = ("c.csv", b"name,caption,tags\na.jpg,,dog\n")
        job = landed({"a.jpg": files.picture(1)}, captions_file=table)
    assert job["result"] == {"added": 0, "updated": 0, "duplicates": 1, "refused": 0}
    assert Decision.objects.count() == 1
    assert not Review.objects.exists()


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
    job = _job(response.json()["id"])
    assert Image.objects.get().caption == "first"
    assert [error["code"] for error in job["errors"]] == [
        "path_not_allowed",
        "path_not_allowed",
        "file_missing",
    ]
    assert (root / "p0000.jpg").exists()
    whole = client_of(cast.manager).post(address, {"path": str(root)}, format="json")
    tasks.run_import(whole.json()["id"])
    assert _job(whole.json()["id"])["result"] == {"added": 1, "updated": 0, "duplicates": 1, "refused": 0}


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


def test_the_same_client_id_stores_once(cast, post):
    client_id = str(uuid.uuid4())
    first = post({"a.jpg": files.picture(1)}, client_id=client_id)
    again = post({"a.jpg": files.picture(1)}, client_id=client_id)
    other = post({"a.jpg": files.picture(2)}, client_id=client_id)
    assert (first.status_code, again.status_code, other.status_code) == (202, 200, 409)
    assert again.json()["id"] == first.json()["id"]
    assert other.json()["error"]["code"] == "client_id_reused"
    assert ImportJob.objects.count() == 1


def test_an_empty_request_is_refused(cast, post):
    assert post(captions="{}").json()["error"]["code"] == "nothing_sent"


@pytest.mark.parametrize(("who", "status"), [("annotator", 403), ("reviewer", 403), ("outsider", 404)])
def test_only_managers_import(cast, post, who, status):
    assert post({"a.jpg": files.picture()}, user=getattr(cast, who)).status_code == status


def test_a_waiting_import_is_cancelled_and_its_bytes_removed(cast, post, client_of):
    job_id = post({"a.jpg": files.picture()}).json()["id"]
    address = f"/api/v1/projects/{cast.project.pk}/imports/{job_id}/cancel/"
    assert client_of(cast.manager).post(address).json()["state"] == "cancelled"
    tasks.run_import(job_id)
    assert not Image.objects.exists()
    assert not storage.exists(ImportJob.objects.get(pk=job_id).options["area"])
    assert client_of(cast.manager).post(address).status_code == 409


def test_the_list_of_imports_has_pages(cast, client_of):
    client = client_of(cast.manager)
    for _ in range(3):
        ImportJob.objects.create(project=cast.project, source="upload")
    address = f"/api/v1/projects/{cast.project.pk}/imports/"
    page = client.get(f"{address}?limit=2").json()
    assert len(page["results"]) == 2
    assert len(client.get(page["next"]).json()["results"]) == 1
