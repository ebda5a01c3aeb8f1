"""Imports by the API: what comes in lands once, and what cannot land is named while the rest lands."""

import io
import json
import uuid

import PIL.Image
import pytest

from annotations import tasks
from annotations.models import Decision, Image, ImportJob, QueueEntry, Review, Role
from annotations.selectors import counters, truth
from annotations.services import image_edits, leases, storage
from annotations.services.reviews import TooLate
from tests.annotations import files
from tests.factories import answer_lease, review_next


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


def test_the_same_client_id_stores_once(cast, post):
    client_id = str(uuid.uuid4())
    first = post({"a.jpg": files.picture(1)}, client_id=client_id)
    again = post({"a.jpg": files.picture(1)}, client_id=client_id)
    other = post({"a.jpg": files.picture(2)}, client_id=client_id)
    assert (first.status_code, again.status_code, other.status_code) == (202, 200, 409)
    assert again.json()["id"] == first.json()["id"]
    assert other.json()["error"]["code"] == "client_id_reused"
    assert ImportJob.objects.count() == 1


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
