"""Which answers tell how alike people judge, and that the database counts them as the rules do, one by one."""

import random
from collections import Counter, defaultdict

import numpy as np
import pytest
from django.utils import timezone

from annotations.models import Decision, Project, Review
from annotations.selectors import agreement, merged_verdicts, truth
from annotations.selectors.verdicts import YES, WholeReview
from annotations.services import tag_trash, tags
from tests.annotations import surgery
from tests.annotations.spoken import reviewed
from tests.annotations.surgery import merge, tag
from tests.factories import make_cast, make_images, make_tags


@pytest.fixture
def cast(db):
    return make_cast(holdout_percent=0, reviews_per_image=2)


@pytest.fixture
def dog(cast):
    return make_tags(cast.project, "dog")["dog"]


@pytest.fixture
def image(cast):
    return make_images(cast.project, 1)[0]


def counted(cast, **asked):
    """By tag, how many images have how many yes of how many values."""
    cast.project.refresh_from_db()
    found = agreement.judged(cast.project, **asked)
    assert (found.counts >= 0).all()
    return {
        tag_id: Counter(
            {
                kind: int(images)
                for kind, images in zip(found.kinds, of_tag.sum(axis=0), strict=True)
                if images
            }
        )
        for tag_id, of_tag in zip(found.tag_ids, found.counts, strict=True)
    }


# -- who counts


def test_two_people_who_reviewed_an_image_are_a_pair(cast, dog, image):
    reviewed(cast.annotator, image, yes=[dog])
    assert counted(cast) == {dog: {}}
    reviewed(cast.second, image)
    assert counted(cast) == {dog: {(1, 2): 1}}
    found = agreement.judged(cast.project)
    assert (found.images, found.differ) == (1, 1)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"outcome": "skipped"},
        {"outcome": "unsure"},
        {"source": "import"},
        {"counted": False},
        {"undone_at": timezone.now()},
    ],
    ids=["skipped", "unsure", "imported", "too late", "taken back"],
)
def test_only_reviews_by_people_that_stand_count(cast, dog, image, spoilt):
    reviewed(cast.annotator, image, yes=[dog])
    reviewed(cast.second, image, yes=[dog], **spoilt)
    assert counted(cast) == {dog: {}}


def test_a_persons_latest_review_counts_and_is_no_pair_with_their_own(cast, dog, image):
    reviewed(cast.annotator, image)
    reviewed(cast.annotator, image, yes=[dog])
    assert counted(cast) == {dog: {}}
    reviewed(cast.second, image, yes=[dog])
    assert counted(cast) == {dog: {(2, 2): 1}}


def test_people_whose_accounts_are_gone_are_one_person(cast, dog, image):
    reviewed(None, image, yes=[dog])
    reviewed(None, image)
    assert counted(cast) == {dog: {}}
    reviewed(cast.second, image, yes=[dog])
    assert counted(cast) == {dog: {(1, 2): 1}}


def test_images_in_the_trash_and_of_other_projects_do_not_count(cast, dog, image):
    elsewhere = Project.objects.exclude(pk=cast.project.pk).get()
    foreign = make_images(elsewhere, 1)[0]
    for user in (cast.annotator, cast.second):
        reviewed(user, image, yes=[dog])
        reviewed(user, foreign)
    image.deleted_at = timezone.now()
    image.save()
    assert counted(cast) == {dog: {}}
    assert agreement.judged(cast.project).images == 0


def test_answers_to_one_tag_alone_and_a_reviewers_last_word_change_nothing(cast, dog, image):
    reviewed(cast.annotator, image, yes=[dog])
    reviewed(cast.second, image)
    for user, scope in ((cast.second, "tag"), (cast.manager, "tag"), (cast.reviewer, "adjudicate")):
        Decision.objects.create(
            project=cast.project, image=image, tag_id=dog, user=user, value="yes", scope=scope
        )
    assert counted(cast) == {dog: {(1, 2): 1}}


def test_blind_reviews_are_counted_apart(cast, dog):
    first, second = make_images(cast.project, 2)
    reviewed(cast.annotator, first, yes=[dog], blind=True)
    reviewed(cast.second, first, blind=True)
    reviewed(cast.annotator, second, yes=[dog], blind=True)
    reviewed(cast.second, second, yes=[dog])
    assert counted(cast) == {dog: {(1, 2): 1, (2, 2): 1}}
    assert counted(cast, blind=True) == {dog: {(1, 2): 1}}


# -- what a review says of a tag


def test_an_explicit_no_and_one_unsaid_are_the_same_no(cast, dog, image):
    reviewed(cast.annotator, image, no=[dog])
    reviewed(cast.second, image)
    assert counted(cast) == {dog: {(0, 2): 1}}


def test_where_unmarked_is_unknown_only_explicit_answers_count(cast, dog):
    cast.project.unmarked = "unknown"
    cast.project.save()
    silent, half, whole = make_images(cast.project, 3)
    for image, answers in ((silent, ({}, {})), (half, ({"no": [dog]}, {})), (whole, ({"no": [dog]},) * 2)):
        for user, said in zip((cast.annotator, cast.second), answers, strict=True):
            reviewed(user, image, **said)
    assert counted(cast) == {dog: {(0, 2): 1}}


def test_a_tag_that_was_not_active_then_is_not_asked_unless_it_was_answered(cast, dog):
    first, second = make_images(cast.project, 2)
    before = cast.project.vocabulary_version
    cat = make_tags(cast.project, "cat")["cat"]
    reviewed(cast.annotator, first, vocabulary_version=before)
    reviewed(cast.second, first, yes=[cat])
    reviewed(cast.reviewer, first)
    reviewed(cast.annotator, second, no=[cat], vocabulary_version=before)
    reviewed(cast.second, second, yes=[cat])
    assert counted(cast) == {dog: {(0, 3): 1, (0, 2): 1}, cat: {(1, 2): 2}}


def test_a_revived_tag_is_asked_in_its_spans_alone_and_a_retired_one_is_left_out(cast, dog):
    first, second = make_images(cast.project, 2)
    tags.retire(tag(cast, "dog"), actor=cast.manager)
    cast.project.refresh_from_db()
    for user in (cast.annotator, cast.second):
        reviewed(user, first)
    assert counted(cast) == {}
    tags.revive(tag(cast, "dog"), actor=cast.manager)
    cast.project.refresh_from_db()
    for user in (cast.annotator, cast.second):
        reviewed(user, second)
    assert counted(cast) == {dog: {(0, 2): 1}}


def test_a_deleted_tag_is_left_out(cast, dog, image):
    for user in (cast.annotator, cast.second):
        reviewed(user, image, yes=[dog])
    tag_trash.delete(tag(cast, "dog"), actor=cast.manager)
    assert counted(cast) == {}


def test_a_merged_tag_counts_for_what_is_left_where_both_were_answered(cast):
    ids = make_tags(cast.project, "cliff", "rock")
    first, second = make_images(cast.project, 2)
    reviewed(cast.annotator, first, yes=[ids["cliff"]])
    reviewed(cast.second, first, yes=[ids["rock"]])
    reviewed(cast.annotator, second, yes=[ids["cliff"]])
    reviewed(cast.second, second)
    merge(cast, "cliff", "rock")
    assert counted(cast) == {ids["rock"]: {(2, 2): 1, (1, 2): 1}}


def test_a_no_to_one_of_two_merged_tags_says_nothing_where_the_other_was_not_there_yet(cast, dog, image):
    before = cast.project.vocabulary_version
    make_tags(cast.project, "puppy")
    reviewed(cast.annotator, image, no=[dog], vocabulary_version=before)
    reviewed(cast.second, image)
    merge(cast, "puppy", "dog")
    assert counted(cast) == {dog: {}}


# -- all of it together, against the rules of one review after the other


def by_the_rules(project, *, blind=False):
    """Every review by itself, through the rules of the truth; and on how many images people differ on any tag."""
    active = truth.ActiveTags(project)
    implied_counts = project.unmarked == "no"
    in_use = set(project.tags.filter(retired_at=None).values_list("pk", flat=True))
    values = defaultdict(dict)
    rows = Review.objects.filter(
        project=project,
        **{"outcome": "reviewed", "source": "person", "counted": True, "undone_at": None},
        **{"image__deleted_at": None} | ({"blind": True} if blind else {}),
    )
    for review in rows.order_by("created_at", "pk"):
        decisions = review.decisions.exclude(tag__in=active.deleted).filter(undone_at=None)
        said = WholeReview(
            person=review.user_id,
            at=review.created_at,
            asked=active.at(review.vocabulary_version),
            explicit=dict(decisions.values_list("tag_id", "value")),
            vocabulary_version=review.vocabulary_version,
        )
        values[review.image_id][review.user_id] = merged_verdicts.of_tags(
            [said], [], active.merges, implied_counts=implied_counts
        )
    found, differ = {tag_id: Counter() for tag_id in in_use}, set()
    for image_id, of_people in values.items():
        for tag_id in in_use:
            of_tag = [said[tag_id] for said in of_people.values() if tag_id in said]
            if len(of_tag) > 1:
                found[tag_id][of_tag.count(YES), len(of_tag)] += 1
            if 0 < of_tag.count(YES) < len(of_tag):
                differ.add(image_id)
    return found, len(differ)


def change_vocabulary(cast, rng, step):
    active = [one for one in surgery.active_names(cast) if one != "stays"]
    what = rng.choice(["surgery", "surgery", "retire", "revive", "delete"])
    retired = cast.project.tags.filter(deleted_at=None, merged_into=None).exclude(retired_at=None).first()
    if what == "retire" and len(active) > 2:
        tags.retire(tag(cast, rng.choice(active)), actor=cast.manager)
    elif what == "revive" and retired:
        tags.revive(retired, actor=cast.manager)
    elif what == "delete" and len(active) > 3:
        tag_trash.delete(tag(cast, rng.choice(active)), actor=cast.manager)
    else:
        surgery.change_vocabulary(cast, rng, step)
    cast.project.refresh_from_db()


def review_somehow(cast, rng, pictures):
    """By any of four people, of today's vocabulary or an older one, answering any tag, now and then one not asked."""
    every = list(cast.project.tags.order_by("pk").values_list("pk", flat=True))
    some = rng.sample(every, min(len(every), rng.randint(0, 6)))
    cut = rng.randint(0, len(some))
    today = cast.project.vocabulary_version
    odd = rng.choice([{}] * 8 + [{"counted": False}, {"source": "import"}, {"undone_at": timezone.now()}])
    image = rng.choice(pictures)
    return reviewed(
        rng.choice([cast.annotator, cast.second, cast.reviewer, cast.manager]),
        image,
        yes=some[:cut],
        no=some[cut:],
        blind=rng.random() < 0.5,
        vocabulary_version=today if rng.random() < 0.6 else rng.randint(0, today),
        **odd,
    )


@pytest.mark.parametrize("unmarked", ["no", "unknown"])
@pytest.mark.parametrize("seed", range(8))
def test_counts_are_those_of_the_rules(db, seed, unmarked):
    cast = make_cast(unmarked=unmarked)
    rng = random.Random(seed)
    make_tags(cast.project, "stays", "cliff", "rock", "sea", "sky")
    pictures = make_images(cast.project, 15)
    for step in range(110):
        if step % 9 == 8:
            change_vocabulary(cast, rng, step)
        else:
            review_somehow(cast, rng, pictures)
    pictures[0].deleted_at = timezone.now()
    pictures[0].save()
    found = counted(cast)
    by_tag, differ = by_the_rules(cast.project)
    assert found == by_tag
    assert agreement.judged(cast.project).differ == differ
    assert counted(cast, blind=True) == by_the_rules(cast.project, blind=True)[0]
    assert any(found.values())


# -- cost, and the groups


def test_queries_and_what_comes_back_do_not_grow_with_images(cast, dog, django_assert_num_queries):
    for first, count in ((0, 2), (2, 20)):
        for image in make_images(cast.project, count, first=first):
            reviewed(cast.annotator, image, yes=[dog])
            reviewed(cast.second, image, yes=[dog])
        with django_assert_num_queries(4):
            found = agreement.judged(cast.project)
    assert found.counts.shape == (1, agreement.GROUPS, 3)
    assert found.counts.sum() == 22


def test_groups_hold_whole_images(cast):
    ids = make_tags(cast.project, "dog", "cat")
    pictures = make_images(cast.project, 30)
    for image in pictures:
        reviewed(cast.annotator, image, yes=[ids["dog"]])
        reviewed(cast.second, image)
    found = agreement.judged(cast.project)
    by_group = np.bincount([int(image.shuffle * agreement.GROUPS) for image in pictures], minlength=64)
    for of_tag in found.counts:
        assert of_tag.sum(axis=1).tolist() == by_group.tolist()


def test_a_project_without_tags_or_reviews_has_nothing_to_count(cast):
    found = agreement.judged(cast.project)
    assert (list(found.tag_ids), list(found.kinds), found.images) == ([], [], 0)
