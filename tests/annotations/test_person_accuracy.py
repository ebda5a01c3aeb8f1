"""How far people agree and what last words upheld: each rule, and all of them against a slow derivation."""

import random
from collections import defaultdict
from datetime import datetime
from itertools import product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Decision, Image, Project, Review, Tag, TagPeriod, User
from annotations.selectors import annotators, merged_verdicts, person_accuracy
from annotations.selectors.merged_verdicts import Merge, Merges
from annotations.selectors.verdicts import YES, WholeReview
from annotations.services import tag_merges, tag_trash, tags
from tests.annotations.spoken import answered, days_ago, last_word, reviewed
from tests.factories import make_images, make_tags

FEWEST = 5


@pytest.fixture
def words(cast):
    return make_tags(cast.project, "dog", "boat", "tree")


@pytest.fixture
def images(cast, words):
    return make_images(cast.project, 8)


def accuracy(cast, name="annotator", period="all"):
    return next(
        one.accuracy for one in annotators.of_project(cast.project, period) if one.person.name == name
    )


def agreement(cast, name="annotator", period="all"):
    found = accuracy(cast, name, period).agreement
    return found.share, found.among, found.images


def upheld(cast, name="annotator", period="all"):
    found = accuracy(cast, name, period).upheld
    return found.share, found.among, found.images


def test_agreement_is_of_the_tags_that_one_or_the_other_gave(cast, words, images):
    """Five images: both give dog on all, one gives boat on two of them, nobody a tree."""
    for number, image in enumerate(images[:5]):
        reviewed(cast.annotator, image, yes=[words["dog"], words["boat"]] if number < 2 else [words["dog"]])
        reviewed(cast.second, image, yes=[words["dog"]])
    reviewed(cast.annotator, images[5], yes=[words["tree"]])
    expected = (2 * 5 / (2 * 5 + 2), 7, 5)
    assert agreement(cast) == agreement(cast, "second") == pytest.approx(expected)
    found = accuracy(cast).agreement
    assert 0 < found.lower < found.share < found.upper <= 1


def test_each_pair_of_people_is_compared(cast, words, images):
    for image in images[:FEWEST]:
        for user in (cast.annotator, cast.second):
            reviewed(user, image, yes=[words["dog"]])
        reviewed(cast.reviewer, image)
    assert agreement(cast) == (2 * 5 / (2 * 5 + 5), 10, 5)
    assert agreement(cast, "reviewer") == (0.0, 10, 5)


def test_no_tag_by_anybody_is_no_figure(cast, images):
    for image, user in product(images[:FEWEST], (cast.annotator, cast.second)):
        reviewed(user, image)
    assert agreement(cast) == (None, 0, 5)


def test_too_few_shared_images_are_no_figure(cast, words, images):
    for image, user in product(images[: FEWEST - 1], (cast.annotator, cast.second)):
        reviewed(user, image, yes=[words["dog"]])
    assert agreement(cast) == (None, 4, 4)


def test_only_reviews_that_stand_are_compared(cast, words, images):
    for image in images[:FEWEST]:
        reviewed(cast.annotator, image, yes=[words["dog"]])
        reviewed(cast.second, image, counted=False)
        reviewed(cast.second, image, undone_at=timezone.now())
        reviewed(cast.second, image, outcome="unsure")
        reviewed(cast.second, image, source="import")
        reviewed(cast.annotator, image, yes=[words["boat"]])
    assert agreement(cast) == (None, 0, 0)


def test_images_in_the_trash_are_left_out(cast, words, images):
    for image, user in product(images[:6], (cast.annotator, cast.second)):
        reviewed(user, image, yes=[words["dog"]])
    Image.objects.filter(pk=images[0].pk).update(deleted_at=timezone.now())
    assert agreement(cast) == (1.0, 5, 5)


def test_a_persons_latest_review_of_an_image_speaks(cast, words, images):
    for image in images[:FEWEST]:
        reviewed(cast.annotator, image, yes=[words["boat"]], at=days_ago(2))
        reviewed(cast.annotator, image, yes=[words["dog"]], at=days_ago(1))
        reviewed(cast.second, image, yes=[words["dog"]], at=days_ago(3))
    assert agreement(cast) == (1.0, 5, 5)


def test_the_period_is_that_of_the_persons_own_review(cast, words, images):
    for image in images[:FEWEST]:
        reviewed(cast.annotator, image, yes=[words["dog"]], at=days_ago(1))
        reviewed(cast.second, image, yes=[words["dog"]], at=days_ago(20))
    assert agreement(cast, period="7") == (1.0, 5, 5)
    assert [one.person.name for one in annotators.of_project(cast.project, "7")] == ["annotator"]
    assert agreement(cast, "second", period="30") == (1.0, 5, 5)


def test_a_tag_that_one_of_them_was_not_asked_about_is_not_compared(cast, words, images):
    for image in images[:FEWEST]:
        reviewed(cast.second, image, yes=[words["dog"]], at=days_ago(1))
    new = make_tags(cast.project, "wolf")
    for image in images[:FEWEST]:
        reviewed(cast.annotator, image, yes=[words["dog"], new["wolf"]])
    assert agreement(cast) == (1.0, 5, 5)


def test_a_retired_tag_is_compared_where_both_were_asked(cast, words, images):
    for image in images[:FEWEST]:
        reviewed(cast.second, image)
        reviewed(cast.annotator, image, yes=[words["tree"]])
    tags.retire(Tag.objects.get(pk=words["tree"]), actor=cast.manager)
    assert agreement(cast) == (0.0, 5, 5)


def test_a_tag_in_the_trash_is_left_out(cast, words, images):
    for image in images[:FEWEST]:
        reviewed(cast.second, image, yes=[words["dog"]])
        reviewed(cast.annotator, image, yes=[words["dog"], words["tree"]])
    tag_trash.delete(Tag.objects.get(pk=words["tree"]), actor=cast.manager)
    assert agreement(cast) == (1.0, 5, 5)


def test_a_merged_tag_counts_for_the_one_that_is_left(cast, words, images):
    for image in images[:FEWEST]:
        reviewed(cast.second, image, yes=[words["boat"]])
        reviewed(cast.annotator, image, yes=[words["tree"]])
    assert agreement(cast) == (0.0, 10, 5)
    tag_merges.merge(Tag.objects.get(name="boat"), Tag.objects.get(name="tree"), actor=cast.manager)
    assert agreement(cast) == (1.0, 5, 5)


def test_where_the_unmarked_is_unknown_only_explicit_answers_are_compared(cast, words, images):
    Project.objects.filter(pk=cast.project.pk).update(unmarked="unknown")
    cast.project.refresh_from_db()
    for image in images[:FEWEST]:
        reviewed(cast.annotator, image, yes=[words["dog"], words["boat"]])
        reviewed(cast.second, image, no=[words["dog"]])
    assert agreement(cast) == (0.0, 5, 5)


def test_last_words_uphold_answers_explicit_and_implied(cast, words, images):
    """Five yes to dog of which one is turned round, and five implied no to boat of which two are."""
    for number, image in enumerate(images[:FEWEST]):
        reviewed(cast.annotator, image, yes=[words["dog"]], at=days_ago(1))
        last_word(cast.reviewer, image, words["dog"], "no" if number < 1 else "yes")
        last_word(cast.reviewer, image, words["boat"], "yes" if number < 2 else "no")
    assert upheld(cast) == (7 / 10, 10, 5)


def test_the_last_of_several_words_counts_unless_it_was_taken_back(cast, words, images):
    for image in images[:FEWEST]:
        reviewed(cast.annotator, image, yes=[words["dog"]], at=days_ago(3))
        last_word(cast.reviewer, image, words["dog"], "no", at=days_ago(2))
        last_word(cast.manager, image, words["dog"], "yes", at=days_ago(1))
        last_word(cast.admin, image, words["dog"], "no", undone_at=timezone.now())
    assert upheld(cast) == (1.0, 5, 5)


def test_ones_own_word_upholds_nothing(cast, words, images):
    for image in images[:FEWEST]:
        reviewed(cast.reviewer, image, yes=[words["dog"]], at=days_ago(1))
        last_word(cast.reviewer, image, words["dog"], "yes")
    assert upheld(cast, "reviewer") == (None, 0, 0)


def test_an_answer_after_the_word_was_not_decided_by_it(cast, words, images):
    for image in images[:FEWEST]:
        last_word(cast.reviewer, image, words["dog"], "yes", at=days_ago(1))
        reviewed(cast.annotator, image, yes=[words["dog"]])
    assert upheld(cast) == (None, 0, 0)


def test_the_later_of_a_review_and_an_answer_to_the_tag_alone_is_judged(cast, words, images):
    for image in images[:FEWEST]:
        reviewed(cast.annotator, image, yes=[words["dog"]], at=days_ago(3))
        answered(cast.annotator, image, words["dog"], "no", at=days_ago(2))
        answered(cast.annotator, image, words["dog"], "yes", at=days_ago(1.5), undone_at=timezone.now())
        last_word(cast.reviewer, image, words["dog"], "no", at=days_ago(1))
    assert upheld(cast) == (1.0, 5, 5)


def test_a_word_on_a_tag_that_was_not_asked_or_of_an_image_in_the_trash_decides_nothing(cast, words, images):
    for image in images[: FEWEST + 1]:
        reviewed(cast.annotator, image, yes=[words["dog"]], at=days_ago(1))
    new = make_tags(cast.project, "wolf")
    for image in images[: FEWEST + 1]:
        last_word(cast.reviewer, image, new["wolf"], "no")
        last_word(cast.reviewer, image, words["dog"], "yes")
    Image.objects.filter(pk=images[0].pk).update(deleted_at=timezone.now())
    assert upheld(cast) == (1.0, 5, 5)


def test_a_word_on_what_two_tags_became_judges_answers_to_either(cast, words, images):
    for image in images[:FEWEST]:
        reviewed(cast.annotator, image, yes=[words["boat"]], at=days_ago(1))
    tag_merges.merge(Tag.objects.get(name="boat"), Tag.objects.get(name="tree"), actor=cast.manager)
    for image in images[:FEWEST]:
        last_word(cast.reviewer, image, words["tree"], "yes")
    assert upheld(cast) == (1.0, 5, 5)


def test_a_no_to_one_of_two_tags_is_none_to_what_they_became(cast, words, images):
    for image in images[:FEWEST]:
        answered(cast.annotator, image, words["boat"], "no", at=days_ago(1))
    tag_merges.merge(Tag.objects.get(name="boat"), Tag.objects.get(name="tree"), actor=cast.manager)
    for image in images[:FEWEST]:
        last_word(cast.reviewer, image, words["tree"], "yes")
    assert upheld(cast) == (None, 0, 0)


def test_a_word_from_before_a_merge_judges_what_it_was_about(cast, words, images):
    for image in images[:FEWEST]:
        reviewed(cast.annotator, image, yes=[words["tree"]], at=days_ago(2))
        last_word(cast.reviewer, image, words["boat"], "no", at=days_ago(1))
    tag_merges.merge(Tag.objects.get(name="boat"), Tag.objects.get(name="tree"), actor=cast.manager)
    assert upheld(cast) == (1.0, 5, 5)


def test_of_very_many_reviews_and_words_the_newest_are_looked_at(cast, words, images, monkeypatch):
    for number, image in enumerate(images):
        for user in (cast.annotator, cast.second):
            reviewed(user, image, yes=[words["dog"]], at=days_ago(20 - number))
        last_word(cast.reviewer, image, words["dog"], "yes", at=days_ago(10 - number))
    monkeypatch.setattr(person_accuracy, "NEWEST_REVIEWS", 2 * 6)
    monkeypatch.setattr(person_accuracy, "NEWEST_WORDS", 5)
    assert agreement(cast) == (1.0, 6, 6)
    assert upheld(cast) == (1.0, 5, 5)


# All rules at once, over rows that are drawn, against the rules that every other page has of `verdicts.py`.


class Drawn:
    """Seven tags over six vocabulary versions, a day each: some come and go, three become one, one is in the trash."""

    def __init__(self, cast, seed: int) -> None:
        self.rng = random.Random(seed)
        self.project = cast.project
        self.images = make_images(cast.project, 6)
        self.users = [cast.annotator, cast.second, cast.reviewer, cast.manager, None]
        self.tags = list(
            Tag.objects.filter(pk__in=make_tags(cast.project, *"abcdefg").values()).order_by("pk")
        )
        TagPeriod.objects.all().delete()
        for tag in self.tags:
            since = self.rng.choice([1, 1, 1, 2, 3])
            self._active(tag, since, self.rng.choice([None, None, 5]))
        a, b, c, gone, *_ = self.tags
        for tag, into, version in ((a, b, 3), (b, c, 5)):
            self._merge(tag, into, version)
        Tag.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
        self.gone = gone.pk
        self.periods = list(TagPeriod.objects.values_list("tag_id", "since", "until"))
        rows = Tag.objects.exclude(merged_into=None).order_by("merged_version")
        self.merges = [Merge(row.pk, row.merged_into_id, row.merged_version, row.merged_at) for row in rows]
        for _ in range(150):
            self._say_something()
        Image.objects.filter(pk=self.images[0].pk).update(deleted_at=timezone.now())

    @staticmethod
    def _active(tag: Tag, since: int, until: int | None) -> None:
        TagPeriod.objects.create(tag=tag, since=since, until=until)

    @staticmethod
    def _merge(tag: Tag, into: Tag, version: int) -> None:
        Tag.objects.filter(pk=tag.pk).update(
            merged_into=into, merged_version=version, merged_at=moment(version)
        )
        TagPeriod.objects.filter(tag=tag).update(until=version)

    def asked(self, version: int) -> frozenset[int]:
        return frozenset(
            tag_id
            for tag_id, since, until in self.periods
            if since <= version and (until is None or version < until)
        )

    def _say_something(self) -> None:
        rng, version = self.rng, self.rng.randint(1, 6)
        at = moment(version + rng.random() * 0.98)
        user, image = rng.choice(self.users), rng.choice(self.images)
        active = sorted(self.asked(version))
        kind = rng.choice(["review", "review", "review", "alone", "word"])
        undone_at = timezone.now() if rng.random() < 0.1 else None
        if kind == "review":
            some = rng.sample(active, rng.randint(0, min(4, len(active))))
            cut = rng.randint(0, len(some))
            odd = rng.choice([{}] * 8 + [{"counted": False}, {"outcome": "unsure"}, {"source": "import"}])
            about = {"vocabulary_version": version, "undone_at": undone_at} | odd
            reviewed(user, image, yes=some[:cut], no=some[cut:], at=at, **about)
        elif active:
            scope = "tag" if kind == "alone" else "adjudicate"
            value = rng.choice(["yes", "no"])
            answered(user, image, rng.choice(active), value, at=at, scope=scope, undone_at=undone_at)

    # The slow derivation.

    def reviews(self) -> list[Review]:
        standing = Review.objects.filter(
            image__deleted_at=None, outcome="reviewed", source="person", counted=True, undone_at=None
        )
        return list(standing.order_by("created_at"))

    def verdicts(self, review: Review, until: datetime) -> dict[int, bool]:
        """What the review says of each tag, as things stood at a moment: yes or no."""
        whole = WholeReview(
            person=review.user_id,
            at=review.created_at,
            asked=self.asked(review.vocabulary_version) - {self.gone},
            explicit={one.tag_id: one.value for one in review.decisions.all() if one.tag_id != self.gone},
            vocabulary_version=review.vocabulary_version,
        )
        standing = Merges(one for one in self.merges if one.at <= until)
        said = merged_verdicts.of_tags(
            [whole], [], standing, implied_counts=self.project.unmarked == Project.Unmarked.NO
        )
        return {tag_id: verdict == YES for tag_id, verdict in said.items()}

    def agreement(self, since: datetime) -> dict[int | None, tuple[int, int, int]]:
        """By person: images, tags that both gave, tags that either gave."""
        latest: dict[int, dict[int | None, Review]] = defaultdict(dict)
        for review in self.reviews():
            latest[review.image_id][review.user_id] = review
        found: dict[int | None, list[int]] = defaultdict(lambda: [0, 0, 0])
        for of_image in latest.values():
            said = {person: self.verdicts(review, timezone.now()) for person, review in of_image.items()}
            for person, review in of_image.items():
                if len(of_image) < 2 or review.created_at < since:
                    continue
                found[person][0] += 1
                for other in said.keys() - {person}:
                    for tag_id in said[person].keys() & said[other].keys():
                        mine, theirs = said[person][tag_id], said[other][tag_id]
                        found[person][1] += mine and theirs
                        found[person][2] += mine or theirs
        return {person: tuple(figures) for person, figures in found.items()}

    def upheld(self, since: datetime) -> dict[int | None, tuple[int, int, int]]:
        """By person: images, answers that were upheld, answers that were decided."""
        images, counts = defaultdict(set), defaultdict(lambda: [0, 0])
        for word in self._last_words():
            for person, (at, value) in self._answers_before(word).items():
                if person == word.user_id or at < since:
                    continue
                images[person].add(word.image_id)
                counts[person][0] += value == (word.value == "yes")
                counts[person][1] += 1
        return {person: (len(images[person]), *counts[person]) for person in counts}

    def _last_words(self) -> list[Decision]:
        last = {}
        rows = Decision.objects.filter(scope="adjudicate", undone_at=None, image__deleted_at=None)
        for row in rows.exclude(tag_id=self.gone).order_by("created_at"):
            last[row.image_id, row.tag_id] = row
        return list(last.values())

    def _answers_before(self, word: Decision) -> dict[int | None, tuple[datetime, bool]]:
        said = []
        for review in self.reviews():
            if review.image_id == word.image_id and review.created_at < word.created_at:
                answer = self.verdicts(review, word.created_at).get(word.tag_id)
                said.append((review.created_at, review.user_id, answer))
        for one in Decision.objects.filter(image=word.image_id, scope="tag", undone_at=None):
            if one.created_at < word.created_at and self._means(one.tag_id, word.created_at) == word.tag_id:
                said.append((one.created_at, one.user_id, self._alone(one, word)))
        found = {}
        for at, person, answer in sorted(said, key=lambda row: row[0]):
            if answer is not None:
                found[person] = (at, answer)
        return found

    def _alone(self, one: Decision, word: Decision) -> bool | None:
        """A no speaks to what tags became only if they were one already."""
        merged_between = any(
            one.created_at < merge.at <= word.created_at
            and self._means(merge.tag_id, word.created_at) == word.tag_id
            for merge in self.merges
        )
        return True if one.value == "yes" else None if merged_between else False

    def _means(self, tag_id: int, at: datetime) -> int:
        return Merges(one for one in self.merges if one.at <= at).survivor(tag_id)


def moment(version: float) -> datetime:
    """Version 1 began ten days ago, each next one a day later."""
    return days_ago(11 - version)


@pytest.mark.parametrize("unmarked", ["no", "unknown"])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("days", [30, 7])
def test_counts_are_those_of_the_slow_derivation(cast, seed, unmarked, days):
    Project.objects.filter(pk=cast.project.pk).update(unmarked=unmarked)
    cast.project.refresh_from_db()
    drawn = Drawn(cast, seed)
    since = days_ago(days)
    sides = person_accuracy.Sides(cast.project, since)
    for rows, expected in (
        (sides.agreement(), drawn.agreement(since)),
        (sides.upheld(), drawn.upheld(since)),
    ):
        assert {person: (images, hits, among) for person, images, hits, among, *_ in rows} == expected
        assert sum(among for _, _, among in expected.values()) > 0


def test_costs_the_same_for_two_people_and_for_twenty(cast, words, images):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert annotators.of_project(cast.project, "30")
        return len(captured)

    def people(first: int, last: int) -> None:
        for number in range(first, last):
            user = User.objects.create_user(f"person{number}")
            for image in images[:FEWEST]:
                reviewed(user, image, yes=[words["dog"]])
                last_word(cast.reviewer, image, words["dog"], "yes")

    people(0, 2)
    few = queries()
    people(2, 20)
    assert queries() == few == 8
