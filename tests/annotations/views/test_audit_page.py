"""The page of the audit trail: sentences, newest first, narrowed and in pages, at a constant price."""

import re

from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import AuditEvent, Tag
from annotations.services import audit, tags
from tests.annotations.trails import record_of_every_kind
from tests.factories import make_tags


def test_costs_the_same_for_two_and_for_twenty(cast, browser_of, here):
    client = browser_of(cast.manager)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(here + "people/audit/").status_code == 200
        return len(captured)

    record_of_every_kind(cast, 2)
    few = queries()
    record_of_every_kind(cast, 18)
    assert queries() == few


def test_says_who_did_what_and_exactly_when(cast, browser_of, here):
    make_tags(cast.project, "<dog>")
    event = AuditEvent.objects.latest("pk")
    page = " ".join(browser_of(cast.manager).get(here + "people/audit/").content.decode().split())
    assert "<strong>Tagger</strong> made the tag “&lt;dog&gt;”" in page
    assert "<strong>admin</strong> made reviewer a reviewer" in page
    assert f'datetime="{event.created_at:%Y-%m-%dT%H:%M:%S}' in page and 'UTC">now</time>' in page
    assert page.index("&lt;dog&gt;") < page.index("made reviewer")


def test_narrows_to_a_person_and_a_kind(cast, browser_of, here):
    make_tags(cast.project, "dog")
    tags.retire(Tag.objects.get(name="dog"), actor=cast.manager)
    client = browser_of(cast.manager)

    def told(query: str) -> str:
        return client.get(f"{here}people/audit/?{query}").content.decode().split('id="trail"')[1]

    assert "retired" in told("person=manager") and "made the tag" not in told("person=manager")
    assert "made the tag" in told("kind=tags") and "a reviewer" not in told("kind=tags")
    assert "a reviewer" in told("kind=people")
    assert "Nothing like this has been done" in told("person=manager&kind=people")
    assert "retired" in told("person=nobody&kind=nothing")


def test_comes_in_pages(cast, browser_of, here):
    for number in range(60):
        audit.record(cast.project.pk, "projects.update", actor_id=cast.admin.pk, fields=[f"f{number}"])
    client = browser_of(cast.manager)
    first = client.get(here + "people/audit/?kind=project").content.decode()
    assert "settings: f59<" in first and "settings: f9<" not in first
    older = re.search(r'href="([^"]*after=\d+)"', first).group(1).replace("&amp;", "&")
    second = client.get(older).content.decode()
    assert "settings: f9<" in second and "created the project" in second and "settings: f10<" not in second
    assert "after=" not in second and "Newest" in second


def test_is_linked_from_people(cast, browser_of, here):
    assert f'href="{here}people/audit/"' in browser_of(cast.manager).get(here + "people/").content.decode()


def test_an_empty_trail_says_what_will_stand_there(cast, browser_of, here):
    AuditEvent.objects.all().delete()
    page = browser_of(cast.manager).get(here + "people/audit/").content.decode()
    assert "Nothing has been done yet" in page
