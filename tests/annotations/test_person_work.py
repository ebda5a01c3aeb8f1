"""What each person did and how fast: which reviews and answers count, and whose they are."""

import pytest

from annotations.models import BulkJob, Project, Review
from annotations.selectors import annotators, progress
from annotations.services import projects, reviews, tag_answers, verify
from tests.annotations.spoken import days_ago, reviewed
from tests.factories import make_images, make_tags, review_next


@pytest.fixture
def begun(cast):
    make_tags(cast.project, "dog", "boat")
    make_images(cast.project, 20)
    return cast


def rows_of(cast, period="all"):
    return {one.person.name: one for one in annotators.of_project(cast.project, period)}


def work_of(cast, name="annotator", period="all"):
    return rows_of(cast, period)[name].work


def test_outcomes_are_counted_each_by_itself(begun):
    for outcome in ("reviewed", "reviewed", "reviewed", "skipped", "skipped", "unsure", "broken"):
        review_next(begun, begun.annotator, outcome=outcome)
    work = work_of(begun)
    assert (work.reviews, work.skipped, work.unsure, work.broken) == (3, 2, 1, 1)


def test_what_came_too_late_or_with_an_import_or_elsewhere_is_no_work(begun):
    image = begun.project.images.first()
    reviewed(begun.annotator, image)
    reviewed(begun.annotator, image, counted=False)
    reviewed(begun.annotator, image, source=Review.Source.IMPORT)
    (foreign,) = make_images(Project.objects.exclude(pk=begun.project.pk).get(), 1)
    reviewed(begun.annotator, foreign)
    assert work_of(begun).reviews == 1


def test_speed_is_that_of_the_median_review_as_on_overview(begun):
    for seconds, keystrokes in ((3.0, 1), (6.0, None), (12.0, 2), (None, 9)):
        review_next(begun, begun.annotator, seconds=seconds, keystrokes=keystrokes)
    review_next(begun, begun.annotator, outcome="skipped", seconds=500.0, keystrokes=90)
    work = work_of(begun)
    assert (work.seconds, work.keystrokes) == (6.0, 2.0)
    assert work.images_an_hour == progress.work_by_day(begun.project)[-1].an_hour("middle") == 600


def test_nobody_measured_is_no_speed(begun):
    review_next(begun, begun.annotator)
    work = work_of(begun)
    assert (work.seconds, work.images_an_hour, work.keystrokes) == (None, None, None)


def test_reviews_taken_back_are_told_by_who_took_them_back(begun):
    made = [review_next(begun, begun.annotator, seconds=5.0).review.pk for _ in range(8)]
    reviews.undo(begun.membership(begun.annotator), made[0])
    for pk in made[1:3]:
        reviews.undo(begun.membership(begun.reviewer), pk)
    work = work_of(begun)
    assert (work.reviews, work.undone_by_self, work.undone_by_others, work.undone) == (5, 1, 2, 3)
    assert (work.share_undone_by_self, work.share_undone_by_others) == (1 / 8, 2 / 8)
    assert work.share_undone == 3 / 8
    assert "reviewer" not in rows_of(begun)


def test_nothing_made_is_no_share(begun):
    review_next(begun, begun.annotator, outcome="skipped")
    assert work_of(begun).share_undone is None


def test_answers_to_one_tag_are_those_of_grid_and_gallery_that_stand(begun):
    images = list(begun.project.images.order_by("pk")[:6])
    ids = [image.pk for image in images]
    verify.answer_tag(begun.project, begun.reviewer, word="dog", yes=ids[:2], no=ids[2:4])
    taken_back = verify.answer_tag(begun.project, begun.reviewer, word="dog", yes=ids[4:], no=[])
    verify.undo(begun.membership(begun.reviewer), taken_back["page"])
    tag_answers.answer(begun.project, images[0], "boat", "yes", actor=begun.reviewer)
    undone = tag_answers.answer(begun.project, images[1], "boat", "yes", actor=begun.reviewer)
    tag_answers.take_back(begun.project, undone.pk, actor=begun.manager)
    work = work_of(begun, "reviewer")
    assert (work.alone, work.reviews) == (5, 0)
    assert "manager" not in rows_of(begun)


def test_one_click_on_many_images_is_not_many_answers(begun):
    job = BulkJob.objects.create(project=begun.project)
    images = list(begun.project.images.order_by("pk")[:6])
    dog = begun.project.tags.get(name="dog").pk
    tag_answers.store(begun.project, begun.reviewer, [(image, dog, "yes") for image in images], bulk=job)
    assert rows_of(begun) == {}


def test_the_period_is_the_last_days(begun):
    images = list(begun.project.images.order_by("pk")[:3])
    for image, days in zip(images, (2, 20, 200), strict=True):
        reviewed(begun.annotator, image, at=days_ago(days))
    assert [work_of(begun, period=period).reviews for period in ("7", "30", "all")] == [1, 2, 3]
    (row,) = annotators.of_project(begun.project, "30")
    assert row.last_active_at == Review.objects.latest("created_at").created_at


def test_who_left_stays_in_the_list_and_deleted_accounts_are_somebody(begun):
    for user in (begun.annotator, begun.second, begun.manager):
        review_next(begun, user)
    projects.remove_member(begun.membership(begun.admin), "second")
    begun.annotator.delete()
    rows = rows_of(begun)
    assert list(rows) == ["manager", "second", "Somebody"]
    assert [one.person.role for one in rows.values()] == ["manager", None, None]
    assert rows["Somebody"].person.user_id is None and rows["Somebody"].work.reviews == 1


def test_names_are_full_names_in_order(begun):
    begun.second.first_name, begun.second.last_name = "Ada", "Lovelace"
    begun.second.save()
    for user in (begun.annotator, begun.second):
        review_next(begun, user)
    assert list(rows_of(begun)) == ["Ada Lovelace", "annotator"]


def test_orders_put_who_has_no_figure_last(begun):
    for user, seconds in ((begun.second, 9.0), (begun.annotator, 3.0), (begun.manager, None)):
        review_next(begun, user, seconds=seconds)
    review_next(begun, begun.manager)
    found = annotators.of_project(begun.project, "all")

    def by(order):
        return [one.person.name for one in sorted(found, key=annotators.ORDERS[order])]

    assert by("seconds") == ["second", "annotator", "manager"]
    assert by("reviews") == ["manager", "annotator", "second"]
    assert by("agreement") == by("name") == ["annotator", "manager", "second"]
    assert by("last") == ["manager", "annotator", "second"]


def test_ones_own_row_is_alone(begun):
    for user in (begun.annotator, begun.second):
        review_next(begun, user)
    (row,) = annotators.of_person(begun.project, begun.second, "all")
    assert row.person.username == "second"
    assert annotators.of_person(begun.project, begun.manager, "all") == []
