"""Handing out images: exclusive, recorded, in stored order, blind where it must be."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.models import Image, Lease, Role
from annotations.services import leases, queue, reviews, suggestions, tags, verify
from annotations.types import QueueRank, SuggestionRow
from tests.factories import answer_lease, make_images, make_tags, review_next


def claim(cast, user, **wanted):
    return leases.claim_next(cast.project, user, role=Role.ANNOTATOR, rng=random.Random(1), **wanted)


def suggest(project, image, tag_ids, offered=()):
    suggestions.store(
        project.pk,
        [
            SuggestionRow(
                image_id=image.pk,
                tag_ids=tag_ids,
                scores=[0.9 - 0.1 * index for index in range(len(tag_ids))],
                offered_ids=offered,
                sources=[[{"kind": "vision", "score": 0.9}] for _ in tag_ids],
                calibrated=False,
                model_version_id=None,
                model_number=0,
                vocabulary_version=project.vocabulary_version,
            )
        ],
    )


def test_a_second_annotator_cannot_take_a_leased_image(cast):
    make_images(cast.project, 3)
    first = claim(cast, cast.annotator, count=2)
    second = claim(cast, cast.second, count=2)
    assert len(first) == 2
    assert len(second) == 1
    assert not {lease.image_id for lease in first} & {lease.image_id for lease in second}


def test_a_reloaded_page_gets_its_items_back_and_named_ones_are_not_repeated(cast):
    make_images(cast.project, 5)
    held = claim(cast, cast.annotator, count=2)
    again = claim(cast, cast.annotator, count=2)
    assert [lease.token for lease in again] == [lease.token for lease in held]
    more = claim(cast, cast.annotator, count=2, have=[lease.token for lease in held])
    assert not {lease.token for lease in more} & {lease.token for lease in held}


def test_an_expired_lease_frees_its_image(cast):
    make_images(cast.project, 1)
    lease = claim(cast, cast.annotator)[0]
    Lease.objects.filter(pk=lease.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert claim(cast, cast.second)[0].image_id == lease.image_id


def test_renewing_extends_own_leases_and_names_the_lost_ones(cast):
    make_images(cast.project, 2)
    lease = claim(cast, cast.annotator)[0]
    renewed, lost = leases.renew(cast.project, cast.second, [lease.token], refresh=False)
    assert (renewed, lost) == ([], [str(lease.token)])
    renewed, lost = leases.renew(cast.project, cast.annotator, [lease.token], refresh=False)
    assert renewed[0].expires_at > lease.expires_at
    assert lost == []


def test_a_released_image_goes_to_the_next_person(cast):
    make_images(cast.project, 1)
    lease = claim(cast, cast.annotator)[0]
    assert claim(cast, cast.second) == []
    leases.release(cast.project, cast.annotator, [lease.token])
    assert claim(cast, cast.second)[0].image_id == lease.image_id


def test_what_is_handed_out_is_recorded_and_changes_only_when_refreshed(cast):
    words = make_tags(cast.project, "dog", "cat")
    image = make_images(cast.project, 1)[0]
    suggest(cast.project, image, [words["dog"]], offered=[words["dog"]])
    lease = claim(cast, cast.annotator, mode="uncertain")[0]
    assert [entry["tag"]["name"] for entry in lease.shown] == ["dog"]
    assert lease.offered_ids == [words["dog"]]
    suggest(cast.project, image, [words["cat"]])
    assert [entry["tag"]["name"] for entry in claim(cast, cast.annotator)[0].shown] == ["dog"]
    renewed, _ = leases.renew(cast.project, cast.annotator, [lease.token], refresh=True)
    assert [entry["tag"]["name"] for entry in renewed[0].shown] == ["cat"]
    assert Lease.objects.get().offered_ids == []


def test_holdout_images_are_handed_out_blind(cast):
    words = make_tags(cast.project, "dog")
    image = make_images(cast.project, 1, holdout=True)[0]
    suggest(cast.project, image, [words["dog"]], offered=[words["dog"]])
    lease = claim(cast, cast.annotator)[0]
    assert lease.blind
    assert (lease.shown, lease.offered_ids, lease.why) == ([], [], "sample")
    renewed, _ = leases.renew(cast.project, cast.annotator, [lease.token], refresh=True)
    assert renewed[0].shown == []


def test_retired_and_rejected_tags_are_not_shown(cast):
    words = make_tags(cast.project, "dog", "cat", "boat")
    image = make_images(cast.project, 1)[0]
    suggest(cast.project, image, list(words.values()))
    tags.retire(cast.project.tags.get(name="cat"), actor=cast.manager)
    recorded = review_next(cast, cast.annotator, rejected=("boat",))
    _, lease = reviews.undo(cast.membership(cast.annotator), recorded.review.pk)
    assert [entry["tag"]["name"] for entry in lease.shown] == ["dog", "boat"]  # undone: as if never said
    answer_lease(cast, cast.annotator, lease, rejected=("boat",))
    cast.project.reviews_per_image = 2
    queue.enter([image])
    again = claim(cast, cast.second, mode="uncertain")[0]
    assert [entry["tag"]["name"] for entry in again.shown] == ["dog"]


def test_the_active_order_is_the_stored_rank(cast):
    images = make_images(cast.project, 3)
    order = [images[2], images[0], images[1]]
    queue.fill(
        cast.project.pk,
        [QueueRank(image.pk, float(place), f"uncertain: place {place}") for place, image in enumerate(order)],
    )
    claimed = claim(cast, cast.annotator, count=3, mode="uncertain")
    assert [lease.image_id for lease in claimed] == [image.pk for image in order]
    assert claimed[0].why == "uncertain: place 0"


def test_score_mode_starts_with_the_likeliest_image_of_a_tag(cast):
    words = make_tags(cast.project, "dog", "cat")
    images = make_images(cast.project, 3)
    suggest(cast.project, images[1], [words["dog"], words["cat"]])
    suggest(cast.project, images[2], [words["cat"], words["dog"]])
    claimed = claim(cast, cast.annotator, count=3, mode="score", tag_id=words["dog"])
    assert [lease.image_id for lease in claimed] == [images[1].pk, images[2].pk, images[0].pk]


def test_one_tag_is_not_asked_about_where_somebody_answered_it(cast):
    words = make_tags(cast.project, "dog", "cat")
    images = make_images(cast.project, 3)
    for image in images:
        suggest(cast.project, image, [words["dog"], words["cat"]])
    verify.answer_tag(cast.project, cast.reviewer, word="dog", yes=[images[0].pk], no=[])
    verify.answer_tag(cast.project, cast.reviewer, word="cat", yes=[], no=[images[1].pk])
    wanted = {"count": 3, "mode": "uncertain", "tag_id": words["dog"]}
    claimed = claim(cast, cast.annotator, **wanted)
    assert [lease.image_id for lease in claimed] == [images[1].pk, images[2].pk]
    assert claimed[0].why == "uncertain: dog 0.90"
    verify.answer_tag(cast.project, cast.annotator, word="dog", yes=[images[1].pk], no=[])
    assert [lease.image_id for lease in claim(cast, cast.annotator, **wanted)] == [images[2].pk]


def test_an_answer_that_was_taken_back_is_asked_again(cast):
    words = make_tags(cast.project, "dog")
    (image,) = make_images(cast.project, 1)
    page = verify.answer_tag(cast.project, cast.reviewer, word="dog", yes=[image.pk], no=[])["page"]
    assert claim(cast, cast.annotator, mode="score", tag_id=words["dog"]) == []
    verify.undo(cast.membership(cast.reviewer), page)
    assert len(claim(cast, cast.annotator, mode="score", tag_id=words["dog"])) == 1


def test_what_was_passed_over_is_not_handed_out_again(cast):
    words = make_tags(cast.project, "dog")
    images = make_images(cast.project, 2)
    wanted = {"mode": "score", "tag_id": words["dog"], "without": [images[0].pk]}
    for _ in range(2):
        assert [lease.image_id for lease in claim(cast, cast.annotator, count=2, **wanted)] == [images[1].pk]


def test_the_mixed_queue_draws_every_stratum_and_stores_it(cast):
    make_images(cast.project, 120)
    make_images(cast.project, 40, holdout=True, first=500)
    rng = random.Random(3)
    strata = set()
    for _ in range(8):
        claimed = leases.claim_next(
            cast.project,
            cast.annotator,
            role=Role.ANNOTATOR,
            count=20,
            rng=rng,
            have=list(Lease.objects.values_list("token", flat=True)),
        )
        assert all(lease.blind == (lease.stratum in ("holdout", "blind")) for lease in claimed)
        assert all(lease.image.is_holdout == (lease.stratum == "holdout") for lease in claimed)
        strata |= {lease.stratum for lease in claimed}
    assert strata == {"holdout", "random", "blind", "active"}


def test_a_skipped_image_goes_to_somebody_else_and_back_only_if_nobody_is_left(cast):
    skipped = make_images(cast.project, 1)[0]
    review_next(cast, cast.annotator, outcome="skipped")
    other = make_images(cast.project, 1, first=10)[0]
    assert claim(cast, cast.annotator)[0].image_id == other.pk
    assert claim(cast, cast.second)[0].image_id == skipped.pk
    leases.release(cast.project, cast.second, list(Lease.objects.values_list("token", flat=True)))
    held = list(Lease.objects.filter(user=cast.annotator, is_open=True).values_list("token", flat=True))
    assert claim(cast, cast.annotator, have=held)[0].image_id == skipped.pk


def test_an_unsure_image_goes_to_a_reviewer_and_a_broken_one_to_nobody(cast):
    unsure = make_images(cast.project, 1)[0]
    review_next(cast, cast.annotator, outcome="unsure")
    assert claim(cast, cast.second) == []
    lease = leases.claim_next(cast.project, cast.reviewer, role=Role.REVIEWER)[0]
    assert lease.image_id == unsure.pk
    answer_lease(cast, cast.reviewer, lease, outcome="broken")
    assert leases.claim_next(cast.project, cast.reviewer, role=Role.REVIEWER) == []
    assert Image.objects.get(pk=unsure.pk).state == "broken"


def test_taking_an_unsure_back_asks_everybody_again(cast):
    make_images(cast.project, 1)
    recorded = review_next(cast, cast.annotator, outcome="unsure")
    _, lease = reviews.undo(cast.membership(cast.annotator), recorded.review.pk)
    leases.release(cast.project, cast.annotator, [lease.token])
    assert len(claim(cast, cast.second)) == 1


@pytest.mark.parametrize("count", [2, 20])
def test_handing_out_more_images_takes_no_more_queries(cast, django_assert_max_num_queries, count):
    make_images(cast.project, 30)
    with django_assert_max_num_queries(16):
        assert len(claim(cast, cast.annotator, count=count, mode="uncertain")) == count


def test_a_skipped_holdout_image_comes_back_too_if_nobody_else_is_left(cast):
    image = make_images(cast.project, 1, holdout=True)[0]
    review_next(cast, cast.annotator, outcome="skipped")
    lease = claim(cast, cast.annotator)[0]
    assert (lease.image_id, lease.blind) == (image.pk, True)
