"""One tag asked about, image by image: the order comes from the rankings at a cost that no project's size changes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Lease, Role
from annotations.selectors import one_tag
from annotations.services import leases, queue, rankings, reviews, tags, verify
from annotations.types import QueueRank
from tests import plans
from tests.annotations.ranked import rank, suggest
from tests.factories import Cast, answer_lease, make_images, make_tags


@pytest.fixture
def dog(cast):
    return make_tags(cast.project, "dog", "cat")["dog"]


def queued(cast, images):
    """The queue's own order, whatever the tag."""
    queue.fill(cast.project.pk, [QueueRank(image.pk, float(place), "") for place, image in enumerate(images)])


def review_first(cast, **said):
    """The annotator takes the first image of the queue's order and answers it; nothing is drawn by chance."""
    lease = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR, mode="uncertain")[0]
    return answer_lease(cast, cast.annotator, lease, **said).review


def claim(cast: Cast, tag_id: int, *, mode: str = "score", count: int = 20, who: str = "reviewer", **wish):
    role = Role.REVIEWER if who == "reviewer" else Role.ANNOTATOR
    found = leases.claim_next(
        cast.project, getattr(cast, who), role=role, mode=mode, tag_id=tag_id, count=count, **wish
    )
    return [lease.image_id for lease in found]


@pytest.mark.parametrize(("mode", "order"), [("score", [2, 1, 0, 3, 4]), ("uncertain", [1, 0, 2, 3, 4])])
@pytest.mark.parametrize("is_ranked", [True, False])
def test_the_order_is_the_scores_and_then_the_queues(cast, dog, mode, order, is_ranked):
    images = make_images(cast.project, 5)
    queued(cast, images)
    suggest(cast, images[:3], dog, [0.3, 0.6, 0.9])
    if is_ranked:
        rank(cast.project)
    assert claim(cast, dog, mode=mode) == [images[place].pk for place in order]


def test_nobody_gets_what_another_holds_passed_over_answered_or_may_not_see(cast, dog):
    images = make_images(cast.project, 8)
    suggest(cast, images, dog, [0.9 - 0.1 * place for place in range(8)])
    suggest(cast, make_images(cast.project, 1, first=50, holdout=True), dog, [0.99])
    rank(cast.project)
    assert claim(cast, dog, count=1, who="second") == [images[0].pk]
    verify.answer_tag(cast.project, cast.manager, word="dog", yes=[images[1].pk], no=[])
    queued(cast, images[::-1])
    unsure = review_first(cast, outcome="unsure").image_id
    assert unsure == images[-1].pk
    passed, *wanted = [image.pk for image in images[2:-1]]
    assert claim(cast, dog, who="annotator", without=[passed]) == wanted
    Lease.objects.filter(user=cast.annotator).update(is_open=False)
    assert claim(cast, dog, without=[passed]) == [*wanted, unsure]


def test_what_the_rankings_are_too_short_for_still_comes_in_order(cast, dog, monkeypatch):
    monkeypatch.setattr(rankings, "KEPT", 2)
    images = make_images(cast.project, 6)
    queued(cast, images)
    suggest(cast, images[:5], dog, [0.1, 0.2, 0.3, 0.4, 0.5])
    rank(cast.project)
    assert claim(cast, dog) == [images[place].pk for place in (4, 3, 2, 1, 0, 5)]


def test_an_image_that_came_after_the_rankings_comes_after_what_they_name(cast, dog):
    images = make_images(cast.project, 3)
    queued(cast, images)
    suggest(cast, images[:1], dog, [0.2])
    rank(cast.project)
    suggest(cast, images[1:2], dog, [0.9])
    assert claim(cast, dog) == [image.pk for image in images]


def cost_of_a_claim(cast, dog):
    """Queries of a claim, and rows that those which choose its images read."""
    with CaptureQueriesContext(connection) as caught:
        assert len(claim(cast, dog, count=5)) == 5
    Lease.objects.update(is_open=False)
    choosing = [query["sql"] for query in caught.captured_queries if "SKIP LOCKED" in query["sql"]]
    rows = 0
    with connection.cursor() as cursor:
        for sql in choosing:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
            rows += plans.rows_read(cursor.fetchone()[0][0]["Plan"])
    return len(caught), rows


@pytest.mark.parametrize("is_suggested", [True, False])
def test_a_claim_reads_no_more_rows_in_a_larger_project(cast, dog, monkeypatch, is_suggested):
    """While the rankings have something to ask, and once the model says no more and the queue's order serves."""
    monkeypatch.setattr(rankings, "KEPT", 30)

    def grow(first, count):
        images = make_images(cast.project, count, first=first)
        suggest(cast, images, dog if is_suggested else other, [0.9] * count)
        rank(cast.project)
        with connection.cursor() as cursor:
            cursor.execute(
                "ANALYZE annotations_queueentry, annotations_suggestionset, annotations_tagranking"
            )

    other = cast.project.tags.get(name="cat").pk
    grow(0, 300)
    queries, rows = cost_of_a_claim(cast, dog)
    grow(300, 3_000)
    again, more_rows = cost_of_a_claim(cast, dog)
    assert again == queries
    assert more_rows <= max(rows, 150)


def counted(cast, tag_id):
    found = one_tag.progress(cast.project, tag_id)
    return found.answered, found.waiting, found.is_more


def test_progress_counts_answers_to_the_tag_and_what_the_queue_still_asks(cast, dog):
    images = make_images(cast.project, 6)
    queued(cast, images)
    suggest(cast, images[:5], dog, [0.5] * 5)
    suggest(cast, make_images(cast.project, 1, first=50, holdout=True), dog, [0.9])
    assert counted(cast, dog) == (0, None, False)
    rank(cast.project)
    assert counted(cast, dog) == (0, 5, False)
    page = verify.answer_tag(cast.project, cast.reviewer, word="dog", yes=[images[0].pk], no=[images[5].pk])
    verify.answer_tag(cast.project, cast.reviewer, word="cat", yes=[images[1].pk], no=[])
    assert counted(cast, dog) == (2, 4, False)
    verify.undo(cast.membership(cast.reviewer), page["page"])
    assert counted(cast, dog) == (0, 5, False)
    done = review_first(cast, yes=("cat",))
    assert done.image_id == images[0].pk
    assert counted(cast, dog) == (0, 4, False)  # a finished review has answered it
    reviews.undo(cast.membership(cast.annotator), done.pk)
    assert counted(cast, dog) == (0, 5, False)


def test_progress_says_where_it_counts_not_all(cast, dog, monkeypatch):
    monkeypatch.setattr(rankings, "KEPT", 2)
    monkeypatch.setattr(one_tag, "COUNTED_MOST", 1)
    images = make_images(cast.project, 6)
    suggest(cast, images, dog, [0.5] * 6)
    rank(cast.project)
    assert counted(cast, dog) == (0, 2, True)
    for image in images[:3]:
        verify.answer_tag(cast.project, cast.reviewer, word="dog", yes=[image.pk], no=[])
    assert one_tag.progress(cast.project, dog).is_more_answered
    assert one_tag.progress(cast.project, make_tags(cast.project, "new")["new"]).waiting == 0


def test_the_figures_of_a_project_tell_it_of_a_tag_that_is_named(cast, dog, client_of):
    images = make_images(cast.project, 2)
    suggest(cast, images, dog, [0.5, 0.6])
    rank(cast.project)
    client, address = client_of(cast.reviewer), f"/api/v1/projects/{cast.project.pk}/stats/"
    for word in ("dog", dog):
        told = client.get(f"{address}?tag={word}").json()["tag"]
        assert (told["id"], told["answered"], told["waiting"]) == (dog, 0, 2)
        assert told["built_at"]
    assert "tag" not in client.get(address).json()
    refused = client.get(f"{address}?tag=unheard")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "unknown_tag")


def test_a_retired_tag_is_not_asked_about(cast, dog):
    images = make_images(cast.project, 2)
    suggest(cast, images, dog, [0.5, 0.6])
    rank(cast.project)
    tags.retire(cast.project.tags.get(pk=dog), actor=cast.manager)
    assert claim(cast, dog) == []
