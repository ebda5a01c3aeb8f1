"""Exports by the API, as a manager asks for them."""

import pytest

from annotations import tasks
from annotations.models import Image
from tests.factories import make_images, make_tags, review_next


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def exported(cast, client_of):
    """Export as the manager: the job as the API shows it, and the bytes downloaded."""
    client = client_of(cast.manager)
    address = f"/api/v1/projects/{cast.project.pk}/exports/"

    def export(format: str, **body) -> tuple[dict, bytes]:
        response = client.post(address, {"format": format, **body}, format="json")
        assert response.status_code == 202, response.json()
        tasks.run_export(response.json()["id"])
        job = client.get(response["Location"]).json()
        assert job["state"] == "done", job
        return job, b"".join(client.get(job["download_url"]).streaming_content)

    return export


@pytest.fixture
def reviewed(cast):
    """Three images: one with tags and a rejection, one to which nothing applies, one nobody has seen."""
    make_tags(cast.project, "dog", "water", "=cmd", "🐕 rtl שלום")
    make_images(cast.project, 3, caption='A dog, "wet"\nby the lake')
    first = review_next(
        cast, cast.annotator, yes=("water", "dog", "=cmd"), rejected=("🐕 rtl שלום",)
    ).review.image
    empty = review_next(cast, cast.annotator).review.image
    (unseen,) = Image.objects.filter(state="pending")
    return first, empty, unseen
