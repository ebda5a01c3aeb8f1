"""API of figures about people: a row each, one's own for every member, in pages by id."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import User
from tests.annotations.spoken import days_ago, last_word, reviewed
from tests.factories import make_images, make_tags


@pytest.fixture
def ask(cast, client_of):
    def get(query: str = "", who: str = "manager"):
        return client_of(getattr(cast, who)).get(f"/api/v1/projects/{cast.project.pk}/annotators/{query}")

    return get


@pytest.fixture
def begun(cast):
    words = make_tags(cast.project, "dog", "boat")
    for number, image in enumerate(make_images(cast.project, 5)):
        reviewed(cast.annotator, image, yes=[words["dog"]], seconds=6.0, keystrokes=2, at=days_ago(1))
        reviewed(cast.second, image, yes=[words["dog"]] if number else [], at=days_ago(40))
        last_word(cast.reviewer, image, words["dog"], "yes")
    return cast


def test_a_row_has_every_figure_with_its_counts(begun, ask):
    answer = ask("?days=7").json()
    assert (answer["count"], answer["next"]) == (2, None)
    row = next(row for row in answer["results"] if row["user"] == "annotator")
    agreement = row.pop("agreement")
    assert {name: agreement[name] for name in ("tags", "images")} == {"tags": 5, "images": 5}
    assert agreement["lower"] < agreement["share"] < agreement["upper"]
    assert agreement["share"] == pytest.approx(8 / 9)
    upheld = row.pop("upheld")
    assert (upheld["share"], upheld["answers"], upheld["images"]) == (1.0, 5, 5)
    assert row.pop("last_active_at").startswith("20")
    assert row == {
        **{
            "id": begun.annotator.pk,
            "user": "annotator",
            "name": "annotator",
            "role": "annotator",
            "left": False,
        },
        **{"reviews": 5, "skipped": 0, "unsure": 0, "broken": 0, "alone": 0},
        **{"seconds": 6.0, "images_an_hour": 600.0, "keystrokes": 2.0},
        "taken_back": {"by_self": {"reviews": 0, "share": 0.0}, "by_others": {"reviews": 0, "share": 0.0}},
    }


def test_thirty_days_are_usual(begun, ask):
    assert {row["user"] for row in ask().json()["results"]} == {"annotator", "reviewer"}
    assert {row["user"] for row in ask("?days=all").json()["results"]} == {"annotator", "reviewer", "second"}


@pytest.mark.parametrize("who", ["annotator", "second", "reviewer", "manager"])
def test_everybody_may_see_their_own_row_and_nobody_elses(begun, ask, who):
    rows = ask("?user=me&days=all", who=who).json()["results"]
    assert [row["user"] for row in rows] == ([who] if who != "manager" else [])


@pytest.mark.parametrize(("who", "status"), [("annotator", 403), ("reviewer", 403), ("outsider", 404)])
def test_all_rows_are_for_managers(begun, ask, who, status):
    assert ask(who=who).status_code == status


def test_comes_in_pages_with_deleted_accounts_first(begun, ask):
    begun.annotator.delete()
    page, seen = ask("?days=all&limit=1").json(), []
    while True:
        seen += [(row["id"], row["name"], row["left"]) for row in page["results"]]
        if page["next"] is None:
            break
        page = ask("?" + page["next"].split("?")[1]).json()
    assert seen == [
        (None, "Somebody", False),
        *sorted((user.pk, user.username, False) for user in (begun.reviewer, begun.second)),
    ]


@pytest.mark.parametrize("query", ["?days=31", "?days=", "?user=annotator", "?limit=0", "?after=x"])
def test_nonsense_is_refused_by_name(begun, ask, query):
    answer = ask(query)
    assert answer.status_code == 400 and answer.json()["error"]["code"].startswith("bad_")


def test_costs_the_same_for_two_people_and_for_twenty(begun, ask):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ask().status_code == 200
        return len(captured)

    few = queries()
    for number in range(18):
        user = User.objects.create_user(f"person{number}")
        for image in begun.project.images.all():
            reviewed(user, image)
    assert queries() == few


def test_stands_in_the_schema(cast, client_of):
    schema = client_of(cast.manager).get("/api/v1/schema/?format=json").json()
    listed = schema["paths"]["/api/v1/projects/{project_id}/annotators/"]["get"]["parameters"]
    assert {"days", "user", "limit", "after"} <= {one["name"] for one in listed}
