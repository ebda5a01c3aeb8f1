"""Answers about one tag on many images: stored together, taken back together, and what the grid asks about next."""

import random

import pytest
from django.utils import timezone

from annotations.errors import Conflict, DomainError, NotFound
from annotations.models import Decision, Image, RankingAge, Review, TagPeriod, TagRanking, VerifiedPage
from annotations.selectors import counters, images, pace, progress, stats, truth, verify
from annotations.services import rankings, reviews, suggestions, tags
from annotations.services import verify as service
from annotations.types import SuggestionRow
from tests.annotations.ranked import rank
from tests.factories import make_cast, make_images, make_tags, review_next


def suggest(project, scores, *, number=1, above=0.5):
    """Store suggestions: {image: {tag id: score}}."""
    rows = []
    for image, by_tag in scores.items():
        order = sorted(by_tag, key=by_tag.get, reverse=True)
        rows.append(
            SuggestionRow(
                image_id=image.pk,
                tag_ids=order,
                scores=[by_tag[tag] for tag in order],
                offered_ids=[tag for tag in order if by_tag[tag] > above],
                sources=[[{"kind": "vision", "score": by_tag[tag]}] for tag in order],
                calibrated=True,
                model_version_id=number,
                model_number=number,
                vocabulary_version=project.vocabulary_version,
            )
        )
    suggestions.store(project.pk, rows)


def asked(project, tag_id, order=verify.BEST, **said):
    return [row.image.pk for row in verify.candidates(project, tag_id, order=order, limit=100, **said)]


def answer(cast, word, *, yes=(), no=(), user=None, **said):
    images = {"yes": [image.pk for image in yes], "no": [image.pk for image in no]}
    return service.answer_tag(cast.project, user or cast.reviewer, word=word, **images, **said)


def truth_of(cast, image):
    return truth.verdicts(cast.project, [image.pk])[image.pk]


@pytest.fixture
def dogs(cast):
    """Five images that suggest dog with falling scores, and the id of dog."""
    dog = make_tags(cast.project, "dog", "cat")["dog"]
    pictures = make_images(cast.project, 5)
    scores = [0.97, 0.9, 0.62, 0.48, 0.2]
    suggest(cast.project, {image: {dog: score} for image, score in zip(pictures, scores, strict=True)})
    rank(cast.project)
    return pictures, dog


# -- storing and taking back


def test_a_page_keeps_its_seconds_and_the_suggestions_that_it_showed(cast, dogs):
    pictures, dog = dogs
    stored = answer(cast, "dog", yes=pictures[:2], no=pictures[2:3], seconds=4.5, model_number=1)
    page = VerifiedPage.objects.get(pk=stored["page"])
    assert stored == {"page": page.pk, "tag": dog, "yes": 2, "no": 1}
    assert (page.user, page.yes, page.no, page.seconds) == (cast.reviewer, 2, 1, 4.5)
    decision = page.decisions.get(image=pictures[2])
    assert (decision.value, decision.scope, decision.model_number) == ("no", "tag", 1)
    assert decision.suggestion == {
        "score": 0.62,
        "offered": True,
        "sources": [{"kind": "vision", "score": 0.62}],
    }


def test_a_suggestion_that_another_model_replaced_meanwhile_is_not_stored_as_shown(cast, dogs):
    pictures, dog = dogs
    suggest(cast.project, {pictures[0]: {dog: 0.1}}, number=2)
    answer(cast, "dog", yes=pictures[:2], model_number=1)
    shown = dict(Decision.objects.values_list("image_id", "suggestion__score"))
    assert shown == {pictures[0].pk: None, pictures[1].pk: 0.9}


def test_a_page_without_answers_stores_nothing(cast, dogs):
    assert answer(cast, "dog") == {"page": None, "tag": dogs[1], "yes": 0, "no": 0}
    assert not VerifiedPage.objects.exists()


def test_an_undone_page_counts_as_never_made_and_its_rows_stay(cast, dogs):
    pictures, dog = dogs
    before = counters.read(cast.project.pk)
    page = answer(cast, "dog", yes=pictures[:2], no=pictures[2:3])["page"]
    taken_back = service.undo(cast.membership(cast.reviewer), page)
    assert (taken_back["yes"], taken_back["no"]) == (2, 1)
    assert [truth_of(cast, image).yes | truth_of(cast, image).no for image in pictures[:3]] == [set()] * 3
    assert Decision.objects.count() == 3
    assert asked(cast.project, dog) == [image.pk for image in pictures]
    counts = counters.read(cast.project.pk)
    assert counts["decisions"] == before.get("decisions", 0)
    # Taking back is something new to learn from, once for each answer.
    assert counts["trainable_decisions"] == counts["trainable_reviews"] == 6


def test_what_stood_before_an_undone_page_stands_again(cast, dogs):
    pictures, dog = dogs
    answer(cast, "dog", no=pictures[:1])
    page = answer(cast, "dog", yes=pictures[:1])["page"]
    assert truth_of(cast, pictures[0]).yes == {dog}
    service.undo(cast.membership(cast.reviewer), page)
    assert truth_of(cast, pictures[0]).no == {dog}


def test_a_page_is_taken_back_once_and_by_a_member_of_its_project(cast, dogs):
    page = answer(cast, "dog", yes=dogs[0][:1])["page"]
    with pytest.raises(NotFound):
        service.undo(cast.membership(cast.reviewer), page + 1)
    service.undo(cast.membership(cast.manager), page)
    with pytest.raises(Conflict) as refused:
        service.undo(cast.membership(cast.reviewer), page)
    assert refused.value.code == "already_undone"


def test_somebody_who_is_no_reviewer_any_more_takes_back_own_pages_only(cast, dogs):
    own = answer(cast, "dog", yes=dogs[0][:1], user=cast.annotator)["page"]
    other = answer(cast, "dog", yes=dogs[0][1:2])["page"]
    service.undo(cast.membership(cast.annotator), own)
    with pytest.raises(DomainError):
        service.undo(cast.membership(cast.annotator), other)


def test_every_reading_of_decisions_leaves_an_undone_page_out(cast, dogs):
    pictures, dog = dogs
    page = answer(cast, "dog", yes=pictures[:1], no=pictures[1:2])["page"]
    said_yes = images.ImageFilter(tag_id=dog)
    assert images.matching(cast.project, said_yes).count() == 1
    assert progress.answers_by_tag(cast.project)[dog].yes == 1
    service.undo(cast.membership(cast.reviewer), page)
    assert not images.matching(cast.project, said_yes).exists()
    assert dog not in progress.answers_by_tag(cast.project)
    assert truth.explicit_no([image.pk for image in pictures]) == {}
    assert list(truth.training_truth(cast.project)) == []
    assert images.history(pictures[0])[0]["undone_at"] is not None


def test_confirming_and_taking_back_are_answers_that_training_waits_for(cast, dogs):
    began = timezone.now()
    page = answer(cast, "dog", yes=dogs[0][:1])["page"]
    confirmed_at = stats.trainable(cast.project.pk).newest_at
    service.undo(cast.membership(cast.reviewer), page)
    assert began < confirmed_at < stats.trainable(cast.project.pk).newest_at


# -- what is asked


def test_best_first_and_most_uncertain_first(cast, dogs):
    pictures, dog = dogs
    ids = [image.pk for image in pictures]
    assert asked(cast.project, dog) == ids
    assert asked(cast.project, dog, verify.UNCERTAIN) == [ids[3], ids[2], ids[4], ids[1], ids[0]]
    offered = [row.is_offered for row in verify.candidates(cast.project, dog, order=verify.BEST, limit=9)]
    assert offered == [True, True, True, False, False]


def test_what_is_on_screen_or_on_its_way_is_not_asked_again(cast, dogs):
    pictures, dog = dogs
    assert asked(cast.project, dog, without=[pictures[0].pk, pictures[2].pk]) == [
        pictures[1].pk,
        pictures[3].pk,
        pictures[4].pk,
    ]


def test_answers_made_since_the_ranking_was_built_are_left_out(cast, dogs):
    pictures, dog = dogs
    answer(cast, "dog", yes=pictures[:1], no=pictures[3:4])
    assert asked(cast.project, dog) == [pictures[1].pk, pictures[2].pk, pictures[4].pk]
    waiting = verify.waiting_for(cast.project, verify_tag(cast, dog))
    assert (waiting.waiting, waiting.offered) == (3, 3)
    rank(cast.project)
    waiting = verify.waiting_for(cast.project, verify_tag(cast, dog))
    assert (waiting.waiting, waiting.offered) == (3, 2)


def verify_tag(cast, tag_id):
    return cast.project.tags.get(pk=tag_id)


def test_images_of_the_holdout_in_the_trash_or_broken_are_never_asked(cast):
    dog = make_tags(cast.project, "dog")["dog"]
    hidden = make_images(cast.project, 1, holdout=True)
    plain = make_images(cast.project, 3, first=10)
    suggest(cast.project, {image: {dog: 0.9} for image in [*hidden, *plain]})
    rank(cast.project)
    Image.objects.filter(pk=plain[1].pk).update(deleted_at=timezone.now())
    Image.objects.filter(pk=plain[2].pk).update(state="broken")
    assert asked(cast.project, dog) == [plain[0].pk]
    rank(cast.project)
    assert asked(cast.project, dog) == [plain[0].pk]
    assert verify.waiting_for(cast.project, verify_tag(cast, dog)).waiting == 1


def test_a_reviewed_image_is_asked_about_a_tag_that_is_newer(cast, dogs):
    pictures, dog = dogs
    reviewed = review_next(cast, cast.annotator).review.image_id
    assert reviewed not in asked(cast.project, dog)
    horse = make_tags(cast.project, "horse")["horse"]
    suggest(cast.project, {image: {dog: 0.7, horse: 0.6} for image in pictures})
    rank(cast.project)
    assert reviewed in asked(cast.project, horse)
    assert reviewed not in asked(cast.project, dog)


def test_tags_are_listed_by_what_is_offered_and_retired_ones_are_not(cast):
    ids = make_tags(cast.project, "dog", "cat", "boat", "sun")
    pictures = make_images(cast.project, 4)
    for place, image in enumerate(pictures):
        scores = {ids["dog"]: 0.3, ids["cat"]: 0.9 if place < 2 else 0.1, ids["boat"]: 0.8}
        suggest(cast.project, {image: scores})
    rank(cast.project)
    listed = [(row.tag.name, row.waiting, row.offered) for row in verify.waiting_tags(cast.project, limit=10)]
    assert listed == [("boat", 4, 4), ("cat", 4, 2), ("dog", 4, 0)]
    tags.retire(verify_tag(cast, ids["boat"]), actor=cast.manager)
    assert [row.tag.name for row in verify.waiting_tags(cast.project, limit=10)] == ["cat", "dog"]


def test_rankings_are_built_again_only_when_they_are_old(cast, dogs):
    assert not rankings.refresh(cast.project.pk)
    RankingAge.objects.update(built_at=timezone.now() - verify.FRESH * 2)
    assert rankings.refresh(cast.project.pk)
    RankingAge.objects.update(built_at=timezone.now() - verify.FRESH * 2, seconds=60)
    assert not rankings.refresh(cast.project.pk)


def test_a_project_in_the_trash_or_gone_has_no_rankings_built(cast, dogs):
    RankingAge.objects.all().delete()
    cast.project.deleted_at = timezone.now()
    cast.project.save()
    assert not rankings.refresh(cast.project.pk)
    assert not rankings.refresh(10**9)


@pytest.mark.parametrize("count", [2, 20])
def test_reading_takes_the_same_queries_for_2_and_20_images(cast, django_assert_num_queries, count):
    names = make_tags(cast.project, *(f"tag {number}" for number in range(count)))
    pictures = make_images(cast.project, count)
    suggest(cast.project, {image: dict.fromkeys(list(names.values())[:20], 0.7) for image in pictures})
    rank(cast.project)
    with django_assert_num_queries(2):
        assert len(asked(cast.project, names["tag 0"])) == count
    with django_assert_num_queries(3):
        assert len(verify.waiting_tags(cast.project, limit=50)) == count


# -- the sieve in SQL says the same as the rules


@pytest.mark.parametrize("unmarked", ["no", "unknown"])
@pytest.mark.parametrize("seed", range(4))
def test_unanswered_means_that_the_rules_have_no_verdict(db, seed, unmarked):
    cast = make_cast(holdout_percent=0, unmarked=unmarked, reviews_per_image=2)
    rng = random.Random(seed)
    make_tags(cast.project, "dog", "cat")
    pictures = make_images(cast.project, 12)
    people = [cast.reviewer, cast.manager]
    for step in range(40):
        make_history(cast, rng, step, people, pictures)
    active = list(cast.project.tags.filter(retired_at=None).values_list("pk", flat=True))
    suggest(cast.project, {image: dict.fromkeys(active, 0.6) for image in pictures})
    rank(cast.project)
    found = truth.verdicts(cast.project, [image.pk for image in pictures])
    answered = {pk: row.yes | row.no | row.implied_no | row.disputed for pk, row in found.items()}
    for tag_id in active:
        expected = {pk for pk, said in answered.items() if tag_id not in said}
        assert set(asked(cast.project, tag_id)) == expected
        waiting = verify.waiting_for(cast.project, verify_tag(cast, tag_id)).waiting
        assert waiting == len(expected)
    assert Review.objects.exists()
    assert TagPeriod.objects.exists()


def make_history(cast, rng, step, people, pictures):
    """One thing that people do, drawn by chance: review, answer one tag, take back, or change the vocabulary."""
    cast.project.refresh_from_db()
    active = list(cast.project.tags.filter(retired_at=None).values_list("name", flat=True))
    what = rng.choice(["review", "review", "page", "page", "undo review", "undo page", "vocabulary"])
    user = rng.choice(people)
    if what == "review":
        outcome = rng.choice(["reviewed", "reviewed", "skipped"])
        said = {"yes": (rng.choice(active),)} if rng.random() < 0.5 and outcome == "reviewed" else {}
        try:
            review_next(cast, user, outcome=outcome, **said)
        except IndexError:  # this person has nothing left to review
            return
    elif what == "page":
        answer(cast, rng.choice(active), yes=rng.sample(pictures, 3), user=user)
    elif what == "undo review":
        last = Review.objects.filter(undone_at=None).order_by("?").first()
        if last:
            reviews.undo(cast.membership(cast.reviewer), last.pk)
    elif what == "undo page":
        page = VerifiedPage.objects.filter(undone_at=None).order_by("?").first()
        if page:
            service.undo(cast.membership(cast.reviewer), page.pk)
    else:
        change_vocabulary(cast, rng, step, active)


def change_vocabulary(cast, rng, step, active):
    retired = cast.project.tags.exclude(retired_at=None).first()
    if retired and rng.random() < 0.5:
        tags.revive(retired, actor=cast.manager)
    elif len(active) > 2 and rng.random() < 0.5:
        name = rng.choice(active)
        tags.retire(cast.project.tags.get(name=name), actor=cast.manager)
    else:
        make_tags(cast.project, f"tag {step}")


# -- seconds a fact


def test_seconds_a_fact_are_medians_over_pages_and_over_reviews(cast):
    make_tags(cast.project, "dog", "cat")
    pictures = make_images(cast.project, 30)
    assert pace.of(cast.project) == pace.Pace(None, None)
    for index, seconds in enumerate([2.0, 4.0, 6.0, 8.0, 100.0]):
        review_next(cast, cast.annotator, yes=("dog",), rejected=("cat",), seconds=seconds)
        answer(cast, "dog", yes=pictures[index : index + 4], seconds=seconds)
    found = pace.of(cast.project)
    assert found.review_s == 3.0  # two facts a review
    assert found.verify_s == 1.5  # four facts a page
    undone = VerifiedPage.objects.get(seconds=6.0)
    service.undo(cast.membership(cast.reviewer), undone.pk)
    assert pace.of(cast.project).verify_s is None  # four pages are too few to say


def test_a_review_in_which_nothing_applies_is_one_fact(cast):
    make_images(cast.project, 5)
    for _ in range(5):
        review_next(cast, cast.annotator, seconds=3.0)
    assert pace.of(cast.project).review_s == 3.0


def test_a_ranking_keeps_the_first_of_each_order(cast, dogs, monkeypatch):
    pictures, dog = dogs
    monkeypatch.setattr(rankings, "KEPT", 2)
    rank(cast.project)
    row = TagRanking.objects.get(tag=dog)
    assert row.best_ids == [pictures[0].pk, pictures[1].pk]
    assert row.uncertain_ids == [pictures[3].pk, pictures[2].pk]
    assert row.waiting == 5
