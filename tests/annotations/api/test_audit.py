"""API of the audit trail: newest first in pages, narrowed by actor, action and time, at a constant price."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import AuditEvent, Tag
from annotations.services import flags, tags
from tests.annotations.trails import new_image, record_of_every_kind
from tests.factories import make_tags


@pytest.fixture
def ask(cast, client_of):
    client = client_of(cast.manager)

    def get(query: str = ""):
        return client.get(f"/api/v1/projects/{cast.project.pk}/audit/{query}")

    return get


def test_events_come_newest_first_in_pages(cast, ask):
    make_tags(cast.project, "dog")
    tags.retire(Tag.objects.get(name="dog"), actor=cast.manager)
    first = ask("?limit=1").json()
    assert {key: first["results"][0][key] for key in ("actor", "action", "sentence")} == {
        "actor": "manager",
        "action": "tags.retire",
        "sentence": "retired the tag “dog”",
    }
    assert set(first["results"][0]) == {"id", "actor", "action", "sentence", "details", "created_at"}
    after = "?" + first["next"].split("?")[1]
    second = ask(after).json()["results"][0]
    assert (second["action"], second["actor"]) == ("tags.create", None)


def test_narrows_by_actor_action_and_time(cast, ask):
    make_tags(cast.project, "dog")
    tags.retire(Tag.objects.get(name="dog"), actor=cast.manager)
    actions = lambda query: [one["action"] for one in ask(query).json()["results"]]  # noqa: E731
    assert actions("?actor=manager") == ["tags.retire"]
    assert actions("?actor=nobody") == []
    assert actions("?action=tags") == ["tags.retire", "tags.create"]
    assert actions("?action=tags.create") == ["tags.create"]
    assert actions("?action=tag") == []
    AuditEvent.objects.update(created_at=timezone.now() - timedelta(days=3))
    flags.raise_flag(cast.project, new_image(cast).pk, comment="See.", actor=cast.annotator)
    day = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%d")
    assert actions(f"?since={day}T00:00:00Z") == ["flags.raise"]


@pytest.mark.parametrize(
    "query", ["?since=yesterday", "?action=Drop table", "?action=tags.%25", "?limit=0", "?after=x"]
)
def test_nonsense_is_refused_by_name(ask, query):
    answer = ask(query)
    assert answer.status_code == 400 and answer.json()["error"]["code"].startswith("bad_")


def test_costs_the_same_for_two_and_for_twenty(cast, ask):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ask().status_code == 200
        return len(captured)

    record_of_every_kind(cast, 2)
    few = queries()
    record_of_every_kind(cast, 18)
    assert queries() == few


def test_stands_in_the_schema(cast, client_of):
    schema = client_of(cast.manager).get("/api/v1/schema/?format=json").json()
    listed = schema["paths"]["/api/v1/projects/{project_id}/audit/"]["get"]["parameters"]
    assert {"actor", "action", "since", "limit", "after"} <= {one["name"] for one in listed}
