"""Verdicts of one tag or two, counted by the database: the same as the rules, and no image read that is plain."""

import random
from collections import Counter

import pytest
from django.db.models import F

from annotations.models import Decision, Review
from annotations.selectors import merges, tag_verdicts, truth
from annotations.selectors.verdicts import DISPUTED, IMPLIED_NO, NO, YES
from tests.annotations import surgery, test_verify
from tests.annotations.test_verify import answer
from tests.factories import make_cast, make_images, make_tags, review_next

FIELDS = {YES: "yes", NO: "no", IMPLIED_NO: "implied_no", DISPUTED: "disputed"}


def by_the_rules(project, tags):
    """The verdicts of all images with a decision on one of the tags that was not taken back."""
    members = {pk for tag in tags for pk in merges.of_project(project).members(tag.pk)}
    rows = Decision.objects.filter(truth.NOT_TAKEN_BACK, tag__in=members, image__deleted_at=None)
    found = truth.verdicts(project, sorted(set(rows.values_list("image_id", flat=True))))
    return Counter(tuple(verdict(one, tag.pk) for tag in tags) for one in found.values())


def verdict(one, tag_id):
    return next((name for name, field in FIELDS.items() if tag_id in getattr(one, field)), None)


def something_from_elsewhere(cast, rng, pictures):
    """A reviewer's last word, an imported review, an answer that came too late to count."""
    tag, image = rng.choice(list(cast.project.tags.filter(retired_at=None))), rng.choice(pictures)
    said = {"project": cast.project, "image": image, "tag": tag, "value": rng.choice(["yes", "no"])}
    what = rng.choice(["last word", "imported", "too late", "imported alone"])
    if what == "last word":
        Decision.objects.create(**said, user=cast.reviewer, scope="adjudicate")
        return
    if what == "imported alone":
        Decision.objects.create(**said, scope="tag", source="import")
        return
    review = Review.objects.create(
        project=cast.project,
        image=image,
        user=None if what == "imported" else cast.second,
        outcome="reviewed",
        source="import" if what == "imported" else "person",
        counted=what == "imported",
        vocabulary_version=cast.project.vocabulary_version,
    )
    Decision.objects.create(**said, review=review, scope="image", source=review.source, user=review.user)
    type(image).objects.filter(pk=image.pk).update(
        reviews_done=F("reviews_done") + 1
    )  # as an undo takes away


@pytest.mark.parametrize("unmarked", ["no", "unknown"])
@pytest.mark.parametrize("seed", range(6))
def test_counts_are_those_of_the_rules(db, seed, unmarked):
    cast = make_cast(holdout_percent=0, unmarked=unmarked, reviews_per_image=2)
    rng = random.Random(seed)
    make_tags(cast.project, "dog", "cat", "sea", "sky")
    pictures = make_images(cast.project, 14)
    for step in range(70):
        if step % 3 == 2:
            something_from_elsewhere(cast, rng, pictures)
        elif seed % 2:  # with tags merged
            surgery.say_something(cast, rng, pictures)
            if step % 9 == 7:
                surgery.change_vocabulary(cast, rng, step)
        else:
            test_verify.make_history(cast, rng, step, [cast.reviewer, cast.manager], pictures)
            some = rng.sample(pictures, 2)
            tag = rng.choice(surgery.active_names(cast))
            answer(cast, tag, yes=some[:1], no=some[1:], user=cast.manager)
    cast.project.refresh_from_db()
    tags = list(cast.project.tags.order_by("pk"))
    seen = Counter()
    for one in tags:
        found = tag_verdicts.count(cast.project, [one], most=1_000)
        assert found.images == by_the_rules(cast.project, [one])
        seen += found.images
        for other in tags[:3]:
            pair = tag_verdicts.count(
                cast.project, [one, other], most=1_000, tells_ids=lambda both: YES in both
            )
            assert pair.images == by_the_rules(cast.project, [one, other])
            assert len(pair.ids) == sum(images for both, images in pair.images.items() if YES in both)
    assert {verdict for (verdict,) in seen} >= {YES, NO, DISPUTED}


def test_only_images_that_people_disagree_on_are_read(db, monkeypatch):
    cast = make_cast(holdout_percent=0)
    names = make_tags(cast.project, "dog", "cat")
    pictures = make_images(cast.project, 20)
    for count in range(16):
        review_next(
            cast, cast.annotator, yes=("dog",) if count % 2 else (), rejected=() if count % 2 else ("dog",)
        )
    reviewed = list(cast.project.images.filter(state="reviewed").order_by("pk"))
    answer(cast, "dog", yes=[image for image in pictures if image not in reviewed], user=cast.reviewer)
    read = []
    monkeypatch.setattr(tag_verdicts.truth, "one_by_one", lambda project, ids: iter(read.extend(ids) or ()))
    dog = cast.project.tags.get(pk=names["dog"])

    assert tag_verdicts.count(cast.project, [dog], most=100).images == {(YES,): 12, (NO,): 8}
    assert read == []

    said_yes = [image for image in reviewed if image.decisions.filter(value="yes").exists()]
    answer(cast, "dog", no=said_yes[:3], yes=said_yes[3:], user=cast.reviewer)
    tag_verdicts.count(cast.project, [dog], most=100)
    assert read == [image.pk for image in said_yes[:3]]


def test_of_many_images_the_newest_are_counted(db):
    cast = make_cast(holdout_percent=0)
    names = make_tags(cast.project, "dog")
    pictures = make_images(cast.project, 5)
    answer(cast, "dog", no=pictures[:2], yes=pictures[2:], user=cast.reviewer)
    dog = cast.project.tags.get(pk=names["dog"])

    found = tag_verdicts.count(cast.project, [dog], most=4)

    assert (found.images, found.looked_at) == ({(YES,): 3, (NO,): 1}, 4)
