"""The list of images by the score of one tag: keyset pages, a stated age, nothing of the holdout, clear refusals."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import RankingAge, TagRanking
from annotations.selectors import images as selector
from annotations.selectors import score_order
from annotations.services import rankings, verify
from tests import plans
from tests.annotations.ranked import rank, suggest
from tests.factories import make_images, make_tags


@pytest.fixture
def dog(cast):
    return make_tags(cast.project, "dog", "cat")["dog"]


@pytest.fixture
def ask(cast, client_of):
    client = client_of(cast.annotator)

    def answer(query="ordering=score:dog"):
        return client.get(f"/api/v1/projects/{cast.project.pk}/images/?{query}")

    return answer


def ids(answer):
    return [row["id"] for row in answer.json()["results"]]


def test_the_best_come_first_with_their_scores_and_the_age_of_the_order(cast, dog, ask):
    images = make_images(cast.project, 4)
    suggest(cast, images[:3], dog, [0.25, 0.875, 0.5])
    rank(cast.project)
    for word in ("dog", "DOG", dog):
        answer = ask(f"ordering=score:{word}").json()
        assert [(row["id"], row["score"]) for row in answer["results"]] == [
            (images[1].pk, 0.875),
            (images[2].pk, 0.5),
            (images[0].pk, 0.25),
        ]
    assert answer["built_at"] == RankingAge.objects.get().built_at.isoformat().replace("+00:00", "Z")
    assert answer["next"] is None and "count" not in answer


def test_pages_follow_each_other_through_equal_scores_and_a_new_ranking(cast, dog, ask, client_of):
    images = make_images(cast.project, 7)
    suggest(cast, images, dog, [0.1, 1 / 3, 1 / 3, 1 / 3, 0.9, 1 / 3, 0.7])
    rank(cast.project)
    seen, address = [], "ordering=score:dog&limit=2"
    while address:
        answer = ask(address)
        seen += ids(answer)
        rank(cast.project)
        address = (answer.json()["next"] or "").partition("?")[2]
    assert seen == [images[place].pk for place in (4, 6, 1, 2, 3, 5, 0)]


def test_filters_narrow_it_and_what_was_answered_since_is_left_out(cast, dog, ask):
    images = make_images(cast.project, 3, caption="A dog.")
    plain = make_images(cast.project, 1, first=9)[0]
    suggest(cast, [*images, plain], dog, [0.4, 0.6, 0.8, 0.9])
    rank(cast.project)
    verify.answer_tag(cast.project, cast.reviewer, word="dog", yes=[images[1].pk], no=[])
    assert ids(ask()) == [plain.pk, images[2].pk, images[0].pk]
    assert ids(ask("ordering=score:dog&q=dog")) == [images[2].pk, images[0].pk]


def test_the_holdout_shows_no_scores_whatever_a_ranking_says(cast, dog, ask):
    seen, held = make_images(cast.project, 1)[0], make_images(cast.project, 1, first=5, holdout=True)[0]
    suggest(cast, [seen, held], dog, [0.3, 0.9])
    rank(cast.project)
    assert ids(ask()) == [seen.pk]
    TagRanking.objects.filter(tag=dog).update(best_ids=[held.pk, seen.pk])
    assert ids(ask()) == [seen.pk]


def test_before_the_first_ranking_the_answer_says_so(cast, dog, ask):
    suggest(cast, make_images(cast.project, 1), dog, [0.3])
    answer = ask().json()
    assert (answer["results"], answer["built_at"], answer["next"]) == ([], None, None)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("ordering=score:unheard", 422, "unknown_tag"),
        ("ordering=score:999999", 422, "unknown_tag"),
        ("ordering=score:", 400, "bad_ordering"),
        ("ordering=score", 400, "bad_ordering"),
        ("ordering=score:dog&after=0.5", 400, "bad_after"),
        ("ordering=score:dog&after=nan:1", 400, "bad_after"),
    ],
)
def test_nonsense_is_refused_by_name(dog, ask, query, status, code):
    answer = ask(query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_the_gallery_page_refuses_it_in_words(cast, dog, browser_of):
    make_images(cast.project, 1)
    page = browser_of(cast.reviewer).get(f"/projects/{cast.project.pk}/gallery/?ordering=score:dog")
    assert page.status_code == 400 and "no order by score" in page.content.decode()


def test_a_larger_project_costs_no_more_queries_or_rows(cast, dog, ask, monkeypatch):
    monkeypatch.setattr(rankings, "KEPT", 30)

    def cost():
        with CaptureQueriesContext(connection) as caught:
            assert len(ids(ask("ordering=score:dog&limit=5"))) == 5
        rows = score_order.scored(selector.matching(cast.project, selector.ImageFilter()), cast.project, dog)
        plan = selector.ordered(rows, "score:dog", None)[:6].explain(format="json", analyze=True)
        return len(caught), plans.rows_read(json.loads(plan)[0]["Plan"])

    def grow(first, count):
        images = make_images(cast.project, count, first=first)
        suggest(cast, images, dog, [0.9 - (first + place) / 10_000 for place in range(count)])
        rank(cast.project)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE annotations_image, annotations_suggestionset")

    grow(0, 100)
    queries, _ = cost()
    grow(100, 3_000)
    again, rows = cost()
    assert again == queries
    assert rows <= 100
