"""API of invitations: one is made with its link, told once; lists come in pages; taking back ends the link."""

import uuid

import pytest
from django.test import Client

from annotations.models import Invitation, StoredRequest
from annotations.services import invitations


@pytest.fixture
def address(cast):
    return f"/api/v1/projects/{cast.project.pk}/invitations/"


def test_the_answer_holds_a_link_that_works(cast, client_of, address):
    answer = client_of(cast.manager).post(address, {"role": "reviewer", "note": " Ada  Lovelace "})
    body = answer.json()
    assert answer.status_code == 201
    assert {key: body[key] for key in ("role", "note", "state", "invited_by", "used_by")} == {
        "role": "reviewer",
        "note": "Ada Lovelace",
        "state": "open",
        "invited_by": "manager",
        "used_by": None,
    }
    assert "Join Outdoors" in Client().get(body["link"]).content.decode()


def test_sent_twice_it_is_made_once_and_the_link_is_told_once(cast, client_of, address):
    client, body = client_of(cast.manager), {"role": "reviewer", "client_id": str(uuid.uuid4())}
    first, second = (client.post(address, body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"] and second.json()["link"] is None
    token = first.json()["link"].rstrip("/").rsplit("/", 1)[1]
    assert token not in str(list(StoredRequest.objects.values()))


@pytest.mark.parametrize("body", [{}, {"role": "king"}, {"role": "annotator", "note": "x" * 101}])
def test_nonsense_is_refused(cast, client_of, address, body):
    answer = client_of(cast.manager).post(address, body)
    assert answer.status_code == 400 and not Invitation.objects.exists()


def test_the_list_says_the_state_of_each_in_pages(cast, client_of, address):
    manager = cast.membership(cast.manager)
    (_, used), (taken, _), (opened, _) = (invitations.create(manager, role="annotator") for _ in range(3))
    invitations.accept(used, actor=cast.outsider)
    invitations.revoke(manager, taken.pk)
    client = client_of(cast.manager)
    first = client.get(address + "?limit=2").json()
    assert [one["state"] for one in first["results"]] == ["open", "revoked"]
    last = client.get(first["next"]).json()["results"]
    assert [(one["state"], one["used_by"]) for one in last] == [("used", "outsider")]
    assert "link" not in last[0] and "token" not in str(last)
    assert [one["id"] for one in client.get(address + "?state=open").json()["results"]] == [opened.pk]
    assert client.get(address + "?state=lost").status_code == 400


def test_taking_back_ends_the_link(cast, client_of, address):
    client = client_of(cast.manager)
    made = client.post(address, {"role": "annotator"}).json()
    assert client.delete(f"{address}{made['id']}/").status_code == 204
    assert client.delete(f"{address}{made['id']}/").status_code == 409
    assert Client().get(made["link"]).status_code == 410


def test_it_stands_in_the_schema(cast, client_of):
    paths = client_of(cast.manager).get("/api/v1/schema/?format=json").json()["paths"]
    here = "/api/v1/projects/{project_id}/invitations/"
    assert {"get", "post"} <= paths[here].keys() and "delete" in paths[here + "{invitation_id}/"]
