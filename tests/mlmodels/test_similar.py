"""Images that look alike: exactly by distance, by the index, and silent about holdout images."""

import numpy as np
import pytest
from django.db import connection

from annotations.services import verify
from mlmodels.models import Extractor
from mlmodels.services import feature_rows, similar
from mlmodels.services.feature_rows import FeatureRow
from tests.factories import make_images, make_tags

DIMENSIONS = 8


@pytest.fixture
def extractor(db):
    return Extractor.objects.create(name="planted", key="planted", dimensions=DIMENSIONS)


def plant(cast, extractor, images, *, seed=0):
    """A feature for each image; returns them as stored, [N, D]."""
    vectors = np.random.default_rng(seed).standard_normal((len(images), DIMENSIONS)).astype(np.float16)
    rows = [
        FeatureRow(image.pk, vector.astype(np.float32), np.zeros(1000, np.float32))
        for image, vector in zip(images, vectors, strict=True)
    ]
    feature_rows.store(cast.project.pk, extractor.pk, rows)
    return vectors.astype(np.float64)


def expected(images, vectors, at):
    """Ids by rising cosine distance, computed here."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    order = np.argsort(1 - unit @ unit[at], kind="stable")
    return [images[n].pk for n in order if n != at]


def test_nearest_by_cosine_as_computed_by_hand(cast, extractor):
    images = make_images(cast.project, 30)
    vectors = plant(cast, extractor, images)
    near = similar.nearest(cast.project.pk, images[3].pk, limit=10)
    assert [image_id for image_id, _ in near.found] == expected(images, vectors, 3)[:10]
    assert near.searched == 30 and near.is_complete


def test_the_trash_and_other_projects_are_never_near(cast, extractor, client_of):
    images = make_images(cast.project, 3)
    plant(cast, extractor, images)
    address = f"/api/v1/projects/{cast.project.pk}/images/"
    client_of(cast.manager).delete(f"{address}{images[1].pk}/")
    rows = client_of(cast.annotator).get(f"{address}{images[0].pk}/similar/").json()["results"]
    assert [row["id"] for row in rows] == [images[2].pk]
    assert client_of(cast.outsider).get(f"{address}{images[0].pk}/similar/").status_code == 404


def test_neighbours_of_an_unfinished_holdout_image_tell_no_tags(cast, extractor, client_of, browser_of):
    make_tags(cast.project, "zebra")
    images = [*make_images(cast.project, 2), *make_images(cast.project, 1, first=2, holdout=True)]
    plant(cast, extractor, images)
    verify.answer_tag(cast.project, cast.reviewer, word="zebra", yes=[images[0].pk, images[1].pk], no=[])
    address = f"/api/v1/projects/{cast.project.pk}/images/"
    blind = client_of(cast.reviewer).get(f"{address}{images[2].pk}/similar/").json()
    open_eyed = client_of(cast.reviewer).get(f"{address}{images[0].pk}/similar/").json()
    assert len(blind["results"]) == 2 and not any("yes" in row for row in blind["results"])
    assert any(row["yes"] == ["zebra"] for row in open_eyed["results"])
    listed, told = (
        client_of(cast.annotator).get(f"{address}?like={image.pk}").json()["results"]
        for image in (images[2], images[0])
    )
    assert len(listed) == 2 and not any("yes" in row for row in listed)
    assert [row["yes"] for row in told if row["id"] == images[1].pk] == [["zebra"]]
    page = f"/projects/{cast.project.pk}/gallery/"
    for blind_page in (f"{page}?like={images[2].pk}", f"{page}{images[2].pk}/similar/"):
        html = browser_of(cast.reviewer).get(blind_page, headers={"HX-Request": "true"}).content.decode()
        assert all(f"/gallery/{image.pk}/" in html for image in images[:2])
        assert "zebra" not in html


def test_the_gallery_lists_what_is_like_an_image_nearest_first(cast, extractor, client_of):
    images = make_images(cast.project, 9)
    vectors = plant(cast, extractor, images)
    address = f"/api/v1/projects/{cast.project.pk}/images/?like={images[4].pk}&ordering=nearest&limit=3"
    seen = []
    while address:
        answer = client_of(cast.reviewer).get(address).json()
        seen += [row["id"] for row in answer["results"]]
        address = answer["next"]
    assert seen == expected(images, vectors, 4)


def test_an_image_that_nobody_has_looked_at_has_no_neighbours(cast, client_of):
    image = make_images(cast.project, 1)[0]
    answer = client_of(cast.reviewer).get(f"/api/v1/projects/{cast.project.pk}/images/{image.pk}/similar/")
    assert answer.json() == {"results": [], "next": None, "ready": False, "complete": False}


@pytest.mark.django_db(transaction=True)
def test_a_large_project_searches_by_an_index_that_is_built_once(cast, extractor, monkeypatch):
    monkeypatch.setattr(similar, "EXACT_UP_TO", 20)
    images = make_images(cast.project, 60)
    vectors = plant(cast, extractor, images)
    newest = similar.nearest(cast.project.pk, images[50].pk, limit=5)
    assert not newest.is_complete and newest.searched == 20
    assert [image_id >= images[40].pk for image_id, _ in newest.found] == [True] * 5
    assert similar.wants_index(cast.project.pk)
    try:
        assert similar.build_index(cast.project.pk)
        assert not similar.build_index(cast.project.pk) and not similar.wants_index(cast.project.pk)
        near = similar.nearest(cast.project.pk, images[5].pk, limit=5)
        assert near.is_complete and near.searched is None
        # Sixty vectors lie within the list that the index keeps: its answer is exact.
        assert [image_id for image_id, _ in near.found] == expected(images, vectors, 5)[:5]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX IF EXISTS feature_near_{extractor.pk}")
