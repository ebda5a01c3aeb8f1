"""What reviews say of all images: which of them count, and that each counts by its inverse chance."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Decision, Image, Lease, Review, Tag
from annotations.selectors import drawn, kept
from annotations.services import tag_merges
from mlmodels.core.sampling import estimates
from mlmodels.core.sampling.estimates import Draws
from mlmodels.services import whole_project

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def answered(planted):
    """Sixty images that the queue handed out, with answers; ten wait."""
    planted.images(70, caption="A boat.")
    planted.review(60)
    return planted


def reviewed(planted):
    """Reviews whose image was drawn from those that wait, in order."""
    return list(Review.objects.filter(project=planted.project, waiting__isnull=False).order_by("id"))


def skew(planted):
    """As if images with a boat had been asked about ten times as often as chance would have."""
    for review in reviewed(planted):
        boat = "boat" in planted.yes_of(review.image)
        Review.objects.filter(pk=review.pk).update(probability=0.1 if boat else 0.01)


def test_each_review_counts_by_its_inverse_chance(answered):
    skew(answered)

    told = whole_project.estimate(answered.project.pk)

    said = [answered.yes_of(review.image) for review in reviewed(answered)]
    draws = Draws(np.array([0.1 if "boat" in tags else 0.01 for tags in said]))
    yes, boats = np.array([len(tags) for tags in said]), np.array(["boat" in tags for tags in said])
    ones = np.ones(len(said))
    of_boat = next(tag for tag in told.tags if tag.name == "boat")
    assert told.reviews == len(said) >= whole_project.NEEDED_REVIEWS
    assert told.yes_an_image == estimates.share(draws, yes.astype(float), ones)
    assert of_boat.all_images == estimates.proportion(draws, boats.astype(float), ones)
    assert of_boat.all_images.point < of_boat.reviewed / 2
    assert of_boat.reviewed == pytest.approx(boats.mean())


def test_offers_are_those_of_the_time_shown_or_withheld(answered):
    skew(answered)
    boat, tree = answered.tags["boat"], answered.tags["tree"]
    for place, review in enumerate(reviewed(answered)):
        Lease.objects.filter(pk=review.lease_id).update(
            offered_ids=[boat, tree] if place % 2 else [], withheld_ids=[] if place % 2 else [boat]
        )

    told = whole_project.estimate(answered.project.pk)

    said = [answered.yes_of(review.image) for review in reviewed(answered)]
    draws = Draws(np.array([0.1 if "boat" in tags else 0.01 for tags in said]))
    offered = np.array([2.0 if place % 2 else 1.0 for place in range(len(said))])
    right = [("boat" in tags) + (place % 2 and "tree" in tags) for place, tags in enumerate(said)]
    assert told.accepted == estimates.proportion(draws, np.array(right, dtype=float), offered)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda review: Review.objects.filter(pk=review.pk).update(undone_at=review.created_at),
        lambda review: Review.objects.filter(pk=review.pk).update(counted=False),
        lambda review: Review.objects.filter(pk=review.pk).update(outcome="skipped"),
        lambda review: Image.objects.filter(pk=review.image_id).update(is_holdout=True),
        lambda review: Image.objects.filter(pk=review.image_id).update(deleted_at=review.created_at),
    ],
    ids=["undone", "late", "skipped", "holdout", "in the trash"],
)
def test_what_nobody_answered_or_is_drawn_otherwise_is_left_out(answered, spoil):
    before = len(drawn.reviews(answered.project.pk))
    spoil(reviewed(answered)[0])

    assert len(drawn.reviews(answered.project.pk)) == before - 1


def test_what_people_chose_is_known_and_is_no_draw(answered):
    """A hundred boats at the front must not be taken for a sample, nor for images that are not there."""
    chosen = reviewed(answered)[10:30]
    Review.objects.filter(pk__in=[review.pk for review in chosen]).update(probability=None, waiting=None)

    told = whole_project.estimate(answered.project.pk)
    found = drawn.reviews(answered.project.pk)

    assert told == whole_project.WholeProject(len(reviewed(answered)), whole_project.NEEDED_REVIEWS)
    is_draw = np.array(found.probability) > 0
    assert (len(found), is_draw.sum(), is_draw[10:30].any()) == (60, 40, False)


def test_an_image_counts_by_the_draws_since_it_came(answered):
    before = len(reviewed(answered))
    answered.images(40, first=500, caption="A tree.")
    answered.review(20)

    found = drawn.reviews(answered.project.pk)
    ids = [review.image_id for review in reviewed(answered)]
    late = {image.pk for image in Image.objects.filter(project=answered.project).order_by("-pk")[:40]}
    assert [came for image_id, came in zip(ids, found.came, strict=True) if image_id in late]
    for image_id, came in zip(ids, found.came, strict=True):
        assert came == (before if image_id in late else 0)


def test_an_image_that_two_people_reviewed_counts_once(answered):
    first, second = reviewed(answered)[:2]
    Decision.objects.filter(review=second).delete()
    Review.objects.filter(pk=second.pk).update(image=first.image)

    found = drawn.reviews(answered.project.pk)
    assert len(found) == len(reviewed(answered)) - 1
    assert found.yes[0] == len(answered.yes_of(first.image))


def test_a_merged_tag_counts_for_what_it_is_part_of_and_a_retired_one_not_at_all(answered):
    dog, boat, tree = (
        Tag.objects.get(project=answered.project, name=name) for name in ("dog", "boat", "tree")
    )
    Lease.objects.filter(project=answered.project).update(offered_ids=[dog.pk, boat.pk, tree.pk])
    tag_merges.merge(dog, boat, actor=answered.cast.admin)
    Tag.objects.filter(pk=tree.pk).update(retired_at=boat.created_at)

    found = drawn.reviews(answered.project.pk)
    with_either = [
        place for place, r in enumerate(reviewed(answered)) if {"dog", "boat"} & {*answered.yes_of(r.image)}
    ]
    assert dict(found.with_tag) == {"boat": with_either}
    assert sum(found.yes) == sum(found.accepted) == len(with_either)
    assert set(found.offered) == {1.0}


def told_of(project):
    return whole_project.told(project.pk, project.vocabulary_version)


def test_a_page_gets_the_same_and_of_a_large_project_the_one_of_the_last_minute(answered, monkeypatch):
    skew(answered)
    now = whole_project.estimate(answered.project.pk)
    assert told_of(answered.project) == now
    monkeypatch.setattr(kept, "FROM_DECISIONS", 1)
    assert told_of(answered.project) == now
    monkeypatch.setattr(whole_project, "estimate", None)  # nobody asks for it
    assert told_of(answered.project) == now


def test_too_few_reviews_are_kept_too(planted, monkeypatch):
    monkeypatch.setattr(kept, "FROM_DECISIONS", 0)
    assert told_of(planted.project) == whole_project.estimate(planted.project.pk)


def test_queries_do_not_grow_with_the_reviews(answered):
    def count():
        with CaptureQueriesContext(connection) as queries:
            whole_project.estimate(answered.project.pk)
        return len(queries)

    before = count()
    answered.review(5)
    assert count() == before <= 4


class TestPage:
    @pytest.fixture
    def address(self, planted):
        return f"/projects/{planted.project.pk}/models/asking/"

    def test_the_page_asks_for_it_once_it_stands(self, answered, browser_of, address):
        browser = browser_of(answered.cast.admin)
        page = browser.get(address).content.decode()
        assert f'hx-get="{address}whole/" hx-trigger="load"' in page

        part = browser.get(f"{address}whole/", **HTMX).content.decode()
        assert "What the reviews say of all images" in part
        assert "hx-get" not in part
        assert "<bdi>boat</bdi>" in part
        assert "Too early" not in part

    def test_too_few_reviews_are_told(self, planted, browser_of, address):
        planted.images(10)
        planted.review(4)
        part = browser_of(planted.cast.admin).get(f"{address}whole/", **HTMX).content.decode()
        assert "estimates need 50 reviewed images that were drawn by chance, and 4 are there" in part

    def test_by_itself_it_is_the_page(self, planted, browser_of, address):
        answer = browser_of(planted.cast.admin).get(f"{address}whole/")
        assert (answer.status_code, answer.url) == (302, address)

    @pytest.mark.parametrize(("who", "status"), [("outsider", 404), ("annotator", 403), ("manager", 403)])
    def test_admins_see_it(self, planted, browser_of, address, who, status):
        browser = browser_of(getattr(planted.cast, who))
        assert browser.get(f"{address}whole/", **HTMX).status_code == status
