"""Errors that no view of the API has a hand in: they have the shape of all others."""

import pytest
from django.test import Client

from annotations.api import projects
from tests.factories import Cast, make_cast

JSON = "application/json"
MANY_MB = 33 * 2**20


@pytest.fixture
def cast(db) -> Cast:
    return make_cast()


@pytest.fixture
def client(cast):
    client = Client(raise_request_exception=False)
    client.force_login(cast.admin)
    return client


@pytest.fixture
def below(cast):
    return f"/api/v1/projects/{cast.project.pk}/"


@pytest.mark.parametrize("address", ["/api/v1/nothing/", "/api/v1/projects/abc/", "/api/v2/projects/"])
def test_an_address_without_anything_is_404(db, address):
    answer = Client().get(address)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_people_get_a_page_where_nothing_is(db):
    answer = Client().get("/nothing/")
    assert answer.status_code == 404
    assert "<h1>Not found</h1>" in answer.content.decode()


def test_an_address_without_its_last_slash_still_leads_to_the_one_with_it(client, below):
    assert client.get(below + "tags")["Location"].endswith("/tags/")


@pytest.mark.parametrize("path", ["tags/", "reviews/", "imports/", "predict/"])
def test_a_body_of_too_many_bytes_is_413(client, below, path):
    answer = client.post(below + path, f'{{"name": "{"x" * MANY_MB}"}}', content_type=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert "at most 32 MB" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["tags/", "imports/"])
def test_a_form_of_too_many_fields_is_413(client, below, path):
    answer = client.post(below + path, {f"field{number}": "x" for number in range(5_001)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert "at most 5,000 fields" in answer.json()["error"]["message"]


def test_a_type_that_no_answer_has_is_named(client, below):
    answer = client.get(below + "tags/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (406, "not_acceptable")


def test_a_mistake_of_ours_is_500(client, below, monkeypatch):
    def break_down(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(projects, "project_json", break_down)
    answer = client.get(below)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "broken")
