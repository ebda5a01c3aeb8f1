"""Forms and addresses that make no sense: each is told or led back, never a page of "Something broke"."""

import uuid

import pytest
from django.test import Client

from annotations.models import Role
from annotations.services import leases
from tests.factories import make_images, make_tags

NUL = "a\x00b"


@pytest.fixture
def client(cast):
    make_tags(cast.project, "dog")
    make_images(cast.project, 1)
    client = Client(raise_request_exception=False)
    client.force_login(cast.admin)
    return client


@pytest.mark.parametrize("page", ["verify/?tag=%00", "review/?tag=%00", "people/%00/"])
def test_an_address_that_no_database_can_hold_is_told_in_a_page(client, here, page):
    answer = client.get(here + page)
    assert answer.status_code == 400
    assert "null character" in answer.content.decode() and "Back to the project" in answer.content.decode()


def forms(cast):
    image, dog = cast.project.images.get(), cast.project.tags.get()
    lease = leases.claim_next(cast.project, cast.admin, role=Role.ADMIN)[0]
    review = {"outcome": "reviewed", "image": image.pk, "revision": 1, "lease": lease.token}
    return {
        "review/": review | {"client_id": uuid.uuid4(), "added": NUL},
        f"gallery/{image.pk}/": {"word": NUL},
        "gallery/bulk/": {"act": "add", "tag": NUL, "picked": image.pk},
        "export/snapshots/": {"name": NUL},
        "people/%00/": {"remove": "1"},
        "verify/": {"tag": dog.pk, "image": image.pk, "model_number": "9" * 18},
    }


def test_a_form_that_no_database_can_hold_is_led_back_with_a_message(cast, client, here):
    for path, form in forms(cast).items():
        answer = client.post(here + path, form, follow=True)
        assert answer.status_code == 200, path
        assert "The database cannot hold a value" in answer.content.decode(), path


def test_a_token_that_no_database_can_hold_is_led_back(client):
    assert client.post("/tokens/%00/revoke/", follow=True).status_code == 200
