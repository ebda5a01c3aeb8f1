"""Storing reviews: once per client_id, late ones kept but not counted, undone ones as never made."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from annotations.errors import BadInput, Conflict, DomainError, NotFound, Refused, RoleTooLow
from annotations.models import Decision, Image, Lease, QueueEntry, Review, Role
from annotations.selectors import counters, stats, truth
from annotations.services import counters as counter_writes
from annotations.services import image_edits, leases, reviews, tags, verify
from annotations.services.reviews import TooLate
from tests.annotations.test_leases import suggest
from tests.factories import answer_lease, make_cast, make_images, make_tags, review_next


def truth_of(cast, image):
    return truth.verdicts(cast.project, [image.pk])[image.pk]


def test_a_review_answers_every_active_tag(cast):
    words = make_tags(cast.project, "dog", "cat", "boat", "tree")
    image = make_images(cast.project, 1)[0]
    suggest(cast.project, image, [words["dog"], words["cat"]], offered=[words["cat"]])
    lease = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR, mode="uncertain")[0]
    answer_lease(cast, cast.annotator, lease, yes=("dog",), rejected=("boat",))
    found = truth_of(cast, image)
    assert found.yes == {words["dog"]}
    assert found.no == {words["cat"], words["boat"]}  # offered and not sent; named in `rejected`
    assert found.implied_no == {words["tree"]}
    image.refresh_from_db()
    assert (image.state, image.revision) == ("reviewed", 2)
    assert not QueueEntry.objects.filter(image=image).exists()


def test_a_tag_created_after_the_handout_is_not_asked(cast):
    make_tags(cast.project, "dog")
    image = make_images(cast.project, 1)[0]
    lease = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR)[0]
    later = make_tags(cast.project, "cat")
    answer_lease(cast, cast.annotator, lease)
    assert later["cat"] not in truth_of(cast, image).implied_no


def test_a_retired_and_revived_tag_is_asked_only_where_it_was_active(cast):
    words = make_tags(cast.project, "dog")
    tag = cast.project.tags.get()
    images = make_images(cast.project, 3)
    review_next(cast, cast.annotator)
    tags.retire(tag, actor=cast.manager)
    review_next(cast, cast.annotator)
    tags.revive(tag, actor=cast.manager)
    review_next(cast, cast.annotator)
    asked = [
        words["dog"] in truth_of(cast, image).implied_no for image in Image.objects.order_by("reviews__id")
    ]
    assert asked == [True, False, True]
    assert len(images) == 3


def test_the_same_client_id_again_stores_nothing_and_another_body_is_refused(cast):
    make_tags(cast.project, "dog")
    make_images(cast.project, 2)
    client_id = str(uuid.uuid4())
    lease = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR)[0]
    first = answer_lease(cast, cast.annotator, lease, yes=("dog",), client_id=client_id, revision=1)
    again = answer_lease(cast, cast.annotator, lease, yes=("dog",), client_id=client_id, revision=1)
    assert (again.is_new, again.review.pk) == (False, first.review.pk)
    assert Decision.objects.count() == 1
    with pytest.raises(Conflict) as caught:
        answer_lease(cast, cast.annotator, lease, client_id=client_id, revision=1)
    assert caught.value.code == "client_id_reused"


def test_a_lease_that_merely_ran_out_is_accepted(cast):
    make_images(cast.project, 1)
    lease = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR)[0]
    Lease.objects.filter(pk=lease.pk).update(expires_at=timezone.now() - timedelta(hours=1), is_open=False)
    assert answer_lease(cast, cast.annotator, lease).review.counted


def test_a_lease_that_ran_out_and_whose_image_somebody_else_finished_is_kept_uncounted(cast):
    words = make_tags(cast.project, "dog")
    image = make_images(cast.project, 1)[0]
    lease = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR)[0]
    Lease.objects.filter(pk=lease.pk).update(expires_at=timezone.now() - timedelta(hours=1))
    review_next(cast, cast.second)
    with pytest.raises(TooLate) as caught:
        answer_lease(cast, cast.annotator, lease, yes=("dog",))
    assert caught.value.fields["state"] == "reviewed"
    assert "is finished by now (reviewed). This answer was kept" in str(caught.value)
    kept = Review.objects.get(user=cast.annotator)
    assert not kept.counted
    assert kept.decisions.count() == 1
    assert truth_of(cast, image).implied_no == {words["dog"]}


def test_a_stale_revision_is_kept_uncounted_and_says_the_present_one(cast):
    image = make_images(cast.project, 1)[0]
    lease = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR)[0]
    image_edits.update(cast.project, image.pk, 1, {"caption": "A dog."}, actor=cast.manager)
    with pytest.raises(TooLate) as caught:
        answer_lease(cast, cast.annotator, lease, revision=1)
    assert caught.value.fields["revision"] == 2
    assert not Review.objects.get().counted


def test_an_unknown_tag_is_refused_and_nothing_is_stored(cast):
    make_tags(cast.project, "dog")
    make_images(cast.project, 1)
    with pytest.raises(Refused) as caught:
        review_next(cast, cast.annotator, yes=("dog", "unicorn"))
    assert (caught.value.code, caught.value.fields["tags"]) == ("unknown_tag", ["unicorn"])
    assert not Review.objects.exists()


def test_only_managers_create_missing_tags(cast):
    make_images(cast.project, 2)
    with pytest.raises(RoleTooLow):
        review_next(cast, cast.annotator, yes=("unicorn",), create_missing=True)
    review_next(cast, cast.manager, yes=("unicorn",), create_missing=True)
    assert cast.project.tags.get().name == "unicorn"


def test_a_missing_tag_that_is_named_twice_is_created_once(cast):
    make_images(cast.project, 1)
    recorded = review_next(cast, cast.manager, yes=("Unicorn", "unicorn", "Unicorn"), create_missing=True)
    (tag,) = cast.project.tags.all()
    assert (tag.name, [decision.tag_id for decision in recorded.review.decisions.all()]) == (
        "Unicorn",
        [tag.pk],
    )


def test_names_match_without_case_in_any_unicode_form_and_by_alias(cast):
    tag = tags.create_many(cast.project, [tags.TagSpec(name="Café", aliases=["bistro"])], actor=None)[0]
    make_images(cast.project, 2)
    first = review_next(cast, cast.annotator, yes=("cafe\u0301",))
    second = review_next(cast, cast.annotator, yes=("BISTRO", tag.pk))
    for recorded in (first, second):
        assert list(recorded.review.decisions.values_list("tag_id", flat=True)) == [tag.pk]


def test_somebody_elses_lease_is_refused(cast):
    make_images(cast.project, 1)
    lease = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR)[0]
    with pytest.raises(BadInput) as caught:
        answer_lease(cast, cast.second, lease)
    assert caught.value.code == "unknown_lease"


def test_an_undone_review_counts_as_never_made_and_both_rows_stay(cast):
    words = make_tags(cast.project, "dog")
    image = make_images(cast.project, 1)[0]
    recorded = review_next(cast, cast.annotator, yes=("dog",))
    review, lease = reviews.undo(cast.membership(cast.annotator), recorded.review.pk)
    image.refresh_from_db()
    assert image.state == "pending"
    assert truth_of(cast, image).yes == frozenset()
    assert (lease.user_id, lease.image_id) == (cast.annotator.pk, image.pk)
    answer_lease(cast, cast.annotator, lease)
    assert truth_of(cast, image).implied_no == {words["dog"]}
    assert Review.objects.count() == 2
    with pytest.raises(Conflict):
        reviews.undo(cast.membership(cast.annotator), review.pk)


def test_annotators_undo_their_own_and_reviewers_anybodys(cast):
    make_images(cast.project, 1)
    recorded = review_next(cast, cast.annotator)
    with pytest.raises(RoleTooLow):
        reviews.undo(cast.membership(cast.second), recorded.review.pk)
    reviews.undo(cast.membership(cast.reviewer), recorded.review.pk)
    assert Review.objects.get().undone_by == cast.reviewer


def test_a_review_of_another_project_is_not_found(cast):
    make_images(cast.project, 1)
    recorded = review_next(cast, cast.annotator)
    elsewhere = (
        cast.outsider.memberships.first() or cast.admin.memberships.exclude(project=cast.project).get()
    )
    with pytest.raises(NotFound):
        reviews.undo(elsewhere, recorded.review.pk)


def test_decisions_cannot_be_changed_even_by_mistake(cast):
    make_tags(cast.project, "dog")
    make_images(cast.project, 1)
    review_next(cast, cast.annotator, yes=("dog",))
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        Decision.objects.update(value="no")


def test_unlearned_decisions_leave_the_holdout_out_and_count_an_undo(cast):
    make_tags(cast.project, "dog", "cat")
    make_images(cast.project, 2)
    recorded = review_next(cast, cast.annotator, yes=("dog",), rejected=("cat",))
    assert stats.project_stats(cast.project)["unlearned_decisions"] == 2
    reviews.undo(cast.membership(cast.annotator), recorded.review.pk)
    assert stats.project_stats(cast.project)["unlearned_decisions"] == 3
    Image.objects.update(is_holdout=True)
    before = stats.trainable(cast.project.pk).decisions
    lease = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR)[0]
    answer_lease(cast, cast.annotator, lease, yes=("dog",))
    assert stats.trainable(cast.project.pk).decisions == before


def test_folding_counters_changes_no_figure(cast):
    make_tags(cast.project, "dog")
    make_images(cast.project, 3)
    review_next(cast, cast.annotator, yes=("dog",))
    before = counters.read(cast.project.pk)
    assert counter_writes.fold() > 0
    assert counters.read(cast.project.pk) == before
    assert before["pending"] == 2
    assert before["reviewed"] == 1


@pytest.fixture
def pair(db):
    return make_cast(reviews_per_image=2)


def test_two_people_are_asked_where_two_reviews_are_wanted(pair):
    words = make_tags(pair.project, "dog", "cat")
    image = make_images(pair.project, 1)[0]
    review_next(pair, pair.annotator, yes=("dog",))
    assert leases.claim_next(pair.project, pair.annotator, role=Role.ANNOTATOR) == []
    image.refresh_from_db()
    assert image.state == "pending"
    review_next(pair, pair.second)
    image.refresh_from_db()
    assert image.state == "disputed"
    found = truth.verdicts(pair.project, [image.pk])[image.pk]
    assert (found.disputed, found.implied_no) == ({words["dog"]}, {words["cat"]})


def test_one_tag_answers_never_make_an_image_reviewed(cast):
    words = make_tags(cast.project, "dog", "cat")
    images = make_images(cast.project, 2)
    stored = verify.answer_tag(cast.project, cast.reviewer, word="dog", yes=[images[0].pk], no=[images[1].pk])
    assert (stored["tag"], stored["yes"], stored["no"]) == (words["dog"], 1, 1)
    assert truth_of(cast, images[0]).yes == {words["dog"]}
    assert truth_of(cast, images[1]).no == {words["dog"]}
    assert set(Image.objects.values_list("state", flat=True)) == {"pending"}
    with pytest.raises(DomainError):
        verify.answer_tag(cast.project, cast.reviewer, word="dog", yes=[images[0].pk], no=[images[0].pk])


def test_training_reads_answered_images_of_the_training_side_only(cast):
    make_tags(cast.project, "dog")
    make_images(cast.project, 2)
    make_images(cast.project, 2, holdout=True, first=10)
    for _ in range(4):
        review_next(cast, cast.annotator, yes=("dog",))
    make_images(cast.project, 1, first=20)
    training = {row.image_id for row in truth.training_truth(cast.project)}
    holdout = {row.image_id for row in truth.holdout_truth(cast.project)}
    assert training == set(
        Image.objects.filter(is_holdout=False, reviews_done=1).values_list("pk", flat=True)
    )
    assert holdout == set(Image.objects.filter(is_holdout=True).values_list("pk", flat=True))


@pytest.mark.parametrize("count", [2, 20])
def test_reading_truth_takes_the_same_queries_for_2_and_20_images(cast, django_assert_num_queries, count):
    make_tags(cast.project, "dog", "cat")
    images = make_images(cast.project, count)
    for _ in range(count):
        review_next(cast, cast.annotator, yes=("dog",))
    with django_assert_num_queries(3):
        found = truth.verdicts(cast.project, [image.pk for image in images])
    assert [len(verdict.yes) for verdict in found.values()] == [1] * count


def test_a_late_answer_that_finishes_an_image_takes_it_from_whoever_holds_it_now(cast):
    make_images(cast.project, 1)
    ran_out = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR)[0]
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    held = leases.claim_next(cast.project, cast.second, role=Role.ANNOTATOR)[0]
    answer_lease(cast, cast.annotator, ran_out)
    assert leases.claim_next(cast.project, cast.second, role=Role.ANNOTATOR) == []
    with pytest.raises(TooLate):
        answer_lease(cast, cast.second, held)
    assert Image.objects.get().reviews_done == 1


def test_one_person_is_not_counted_twice_by_holding_an_image_twice(pair):
    make_images(pair.project, 1)
    ran_out = leases.claim_next(pair.project, pair.annotator, role=Role.ANNOTATOR)[0]
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    again = leases.claim_next(pair.project, pair.annotator, role=Role.ANNOTATOR)[0]
    answer_lease(pair, pair.annotator, ran_out)
    with pytest.raises(TooLate, match="already, perhaps in another tab"):
        answer_lease(pair, pair.annotator, again)
    assert Image.objects.get().state == "pending"


def test_who_takes_somebodys_review_back_is_not_asked_again_about_what_they_reviewed(pair):
    make_images(pair.project, 1)
    recorded = review_next(pair, pair.annotator)
    review_next(pair, pair.reviewer)
    _, lease = reviews.undo(pair.membership(pair.reviewer), recorded.review.pk)
    assert lease is None
    assert leases.claim_next(pair.project, pair.reviewer, role=Role.REVIEWER) == []
    assert len(leases.claim_next(pair.project, pair.annotator, role=Role.ANNOTATOR)) == 1


@pytest.mark.parametrize("outcome", ["skipped", "unsure"])
def test_taking_back_an_answer_leaves_alone_what_somebody_else_has_finished_since(cast, outcome):
    make_images(cast.project, 1)
    recorded = review_next(cast, cast.annotator, outcome=outcome)
    review_next(cast, cast.reviewer)
    _, lease = reviews.undo(cast.membership(cast.annotator), recorded.review.pk)
    assert lease is None
    assert Image.objects.get().state == "reviewed"
    assert not QueueEntry.objects.exists()
    assert counters.read(cast.project.pk)["reviewed"] == 1


def test_taking_back_one_of_more_reviews_than_are_wanted_leaves_the_image_finished(pair):
    make_images(pair.project, 1)
    review_next(pair, pair.annotator)
    recorded = review_next(pair, pair.second)
    pair.project.reviews_per_image = 1
    pair.project.save(update_fields=["reviews_per_image"])
    reviews.undo(pair.membership(pair.second), recorded.review.pk)
    assert Image.objects.get().state == "reviewed"


def test_a_review_of_an_image_in_the_trash_cannot_be_taken_back(cast):
    image = make_images(cast.project, 1)[0]
    recorded = review_next(cast, cast.annotator)
    image_edits.trash(cast.project, image.pk, actor=cast.manager)
    before = counters.read(cast.project.pk)
    with pytest.raises(NotFound):
        reviews.undo(cast.membership(cast.annotator), recorded.review.pk)
    assert counters.read(cast.project.pk) == before
    assert not QueueEntry.objects.exists()


def test_an_image_in_the_trash_is_held_by_nobody(cast):
    image = make_images(cast.project, 1)[0]
    leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR)
    image_edits.trash(cast.project, image.pk, actor=cast.manager)
    assert leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR) == []


def test_holdout_images_are_counted_once_however_many_reviews_they_want(pair):
    image = make_images(pair.project, 1, holdout=True)[0]
    recorded = [review_next(pair, user) for user in (pair.annotator, pair.second)]
    assert counters.read(pair.project.pk)["holdout_reviewed"] == 1
    reviews.undo(pair.membership(pair.second), recorded[1].review.pk)
    assert counters.read(pair.project.pk)["holdout_reviewed"] == 1
    image_edits.trash(pair.project, image.pk, actor=pair.manager)
    assert counters.read(pair.project.pk)["holdout_reviewed"] == 0


def test_one_client_id_for_two_images_at_once_is_refused_like_one_after_the_other(cast, monkeypatch):
    make_images(cast.project, 2)
    client_id = str(uuid.uuid4())
    first, second = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR, count=2)
    answer_lease(cast, cast.annotator, first, client_id=client_id)
    seen = reviews._earlier
    looks = iter([None, None])  # as it is while the other transaction has not committed
    monkeypatch.setattr(reviews, "_earlier", lambda *said: next(looks, "over") and seen(*said))
    with pytest.raises(Conflict) as caught:
        answer_lease(cast, cast.annotator, second, client_id=client_id)
    assert caught.value.code == "client_id_reused"


def test_training_truth_is_derived_chunk_by_chunk(cast, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(truth, "CHUNK", 2)
    make_images(cast.project, 6)
    for _ in range(6):
        review_next(cast, cast.annotator, yes=())

    answered = truth.training_truth(cast.project)
    with django_assert_num_queries(3):  # tags' periods, reviews and decisions of two images
        first = next(answered)
    assert [first.image_id, *(one.image_id for one in answered)] == sorted(
        row.pk for row in cast.project.images.all()
    )


@pytest.mark.django_db(transaction=True)
def test_people_go_on_answering_while_somebody_adds_tags():
    cast = make_cast()
    make_images(cast.project, 1)

    def answer():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '3s'")
            return review_next(cast, cast.annotator)
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as elsewhere:
        make_tags(cast.project, "dog")
        recorded = elsewhere.submit(answer).result()
    assert recorded.review.counted and recorded.review.vocabulary_version == 0
