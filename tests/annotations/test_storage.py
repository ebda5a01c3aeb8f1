"""Files appear whole or not at all, and pictures are served fast, privately and only to members."""

import io

import PIL.Image
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations import tasks
from annotations.importers.base import Batch, StagedFile
from annotations.models import Image
from annotations.services import imports, storage
from tests.annotations import files


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def image(cast) -> Image:
    area = storage.new_staging_area()
    storage.put(f"{area}/1", files.picture(1, size=(1600, 1200)))
    staged = StagedFile("a.jpg", f"{area}/1")
    job = imports.start(cast.project, actor=None, source="upload", batch=Batch((staged,)), area=area)
    tasks.run_import(job.pk)
    return Image.objects.get()


def address_of(image: Image, what: str) -> str:
    return f"/api/v1/projects/{image.project_id}/images/{image.pk}/{what}"


def body_of(response) -> bytes:
    return b"".join(response.streaming_content)


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), storage.writer("a/b.csv") as target:
        target.write(b"half")
        raise RuntimeError
    assert not storage.exists("a/b.csv")
    assert not list(storage.local_path("a").iterdir())


def test_put_replaces_whole_files_and_delete_spares_the_servers_own(tmp_path):
    storage.put("a/b", b"one")
    storage.put("a/b", b"two", durable=True)
    assert storage.read("a/b") == b"two"
    mine = tmp_path / "mine.jpg"
    mine.write_bytes(b"mine")
    storage.delete(f"{storage.SERVER_FILE}{mine}")
    assert storage.read(f"{storage.SERVER_FILE}{mine}", limit_bytes=2) == b"min"


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_thumbnails_come_in_three_sizes_and_are_kept(cast, client_of, image, size):
    response = client_of(cast.annotator).get(address_of(image, f"thumbnail/?size={size}"))
    with PIL.Image.open(io.BytesIO(body_of(response))) as picture:
        assert max(picture.size) == size
    assert response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"].startswith("private, immutable, max-age=")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert storage.exists(storage.rendition_key(image.project_id, image.sha256, size))


def test_a_known_etag_gets_304_without_bytes(cast, client_of, image):
    client = client_of(cast.annotator)
    etag = client.get(address_of(image, "thumbnail/"))["ETag"]
    again = client.get(address_of(image, "thumbnail/"), headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(address_of(image, "file/"), headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("path", ["file/", "thumbnail/"])
def test_who_asks_for_pictures_alone_gets_them_and_refusals_as_ever(cast, client_of, image, path):
    wish = {"Accept": "image/png, image/*;q=0.8"}
    shown = client_of(cast.annotator).get(address_of(image, path), headers=wish)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/jpeg")
    refused = client_of(cast.outsider).get(address_of(image, path), headers=wish)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")


def test_an_upright_picture_is_shown_as_it_came(cast, client_of, image):
    response = client_of(cast.annotator).get(address_of(image, "file/"))
    assert body_of(response) == files.picture(1, size=(1600, 1200))
    assert response["Content-Disposition"] == "inline"


def test_originals_are_for_managers(cast, client_of, image):
    assert client_of(cast.annotator).get(address_of(image, "file/?original=1")).status_code == 403
    response = client_of(cast.manager).get(address_of(image, "file/?original=1"))
    assert response["Content-Disposition"] == 'attachment; filename="a.jpg"'


@pytest.mark.parametrize("what", ["file/", "thumbnail/"])
def test_strangers_and_other_projects_get_404(cast, client_of, image, what):
    assert client_of(cast.outsider).get(address_of(image, what)).status_code == 404
    other = address_of(image, what).replace(
        f"projects/{image.project_id}", f"projects/{image.project_id + 1}"
    )
    assert client_of(cast.admin).get(other).status_code == 404


def test_an_unknown_size_is_refused(cast, client_of, image):
    response = client_of(cast.annotator).get(address_of(image, "thumbnail/?size=300"))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_size")


def test_a_picture_costs_one_query_beside_the_sign_in(cast, client_of, image):
    client = client_of(cast.annotator)
    with CaptureQueriesContext(connection) as queries:
        client.get(address_of(image, "thumbnail/"))
    about_sign_in = [
        query for query in queries if "session" in query["sql"] or 'FROM "annotations_user"' in query["sql"]
    ]
    assert len(queries) - len(about_sign_in) == 1
