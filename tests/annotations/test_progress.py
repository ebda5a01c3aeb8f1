"""What each day brought: counted from reviews, bounded by the window, and the same cost for any number of rows."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Decision, Project, Review
from annotations.selectors import progress
from annotations.services import reviews
from tests.factories import make_images, make_tags, review_next
from tests.plans import rows_fetched, rows_read_by


@pytest.fixture
def begun(cast):
    make_tags(cast.project, "dog", "boat")
    make_images(cast.project, 30)
    return cast


def days_ago(days, *pks):
    Review.objects.filter(pk__in=pks).update(created_at=timezone.now() - timedelta(days=days))


def reviewed(cast, **said):
    return review_next(cast, cast.annotator, yes=("dog",), **said).review.pk


def test_images_add_up_and_what_lies_before_the_window_counts(begun):
    days_ago(40, reviewed(begun))
    days_ago(2, reviewed(begun), reviewed(begun))
    reviewed(begun)
    found = progress.work_by_day(begun.project)
    assert [day.reviews for day in found[-3:]] == [2, 0, 1]
    assert [day.reviewed_images for day in found[-4:]] == [1, 3, 3, 4]
    assert len(found) == progress.DAYS_AT_LEAST


def test_the_days_begin_with_the_first_work(begun):
    days_ago(20, reviewed(begun))
    found = progress.work_by_day(begun.project)
    assert len(found) == 21 and found[0].reviews == 1
    assert found[-1].day == timezone.localdate()


def test_an_undone_review_is_no_work(begun):
    pk = reviewed(begun)
    reviews.undo(begun.membership(begun.annotator), pk)
    assert not any(day.reviews or day.reviewed_images for day in progress.work_by_day(begun.project))


def test_speed_is_that_of_the_middle_review(begun):
    for seconds in (3.0, 6.0, 12.0, None):
        reviewed(begun, seconds=seconds)
    today = progress.work_by_day(begun.project)[-1]
    assert today.an_hour("middle") == 600
    assert today.an_hour("low") > 600 > today.an_hour("high")


def test_acceptance_counts_offered_tags_only(begun):
    pk = review_next(begun, begun.annotator, yes=("dog",), rejected=("boat",)).review.pk
    assert progress.work_by_day(begun.project)[-1].acceptance is None
    review = Review.objects.get(pk=pk)
    for value, offered in (("yes", True), ("yes", True), ("no", True), ("yes", False)):
        Decision.objects.create(
            project=begun.project,
            image=review.image,
            tag=begun.project.tags.first(),
            review=review,
            value=value,
            scope="image",
            suggestion={"offered": offered},
        )
    today = progress.work_by_day(begun.project)[-1]
    assert (today.offered, today.accepted) == (3, 2)


def test_the_cost_does_not_grow_with_reviews(begun):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            progress.work_by_day(begun.project)
        return len(captured)

    days_ago(1, reviewed(begun), reviewed(begun))
    few = queries()
    for days in range(18):
        days_ago(days, reviewed(begun))
    assert queries() == few == 5


def test_a_day_is_a_row_however_many_images_it_brought(begun):
    def rows():
        return rows_fetched(lambda: progress._told_by_day(begun.project, timezone.localdate()))

    reviewed(begun)
    few = rows()
    for _ in range(20):
        reviewed(begun)
    assert rows() == few
    assert progress.work_by_day(begun.project)[-1].reviewed_images == 21


def test_answers_of_other_projects_are_not_read(begun):
    def rows():
        days = rows_read_by(lambda: progress._offers(begun.project, timezone.localdate()))
        return days + rows_read_by(lambda: progress.answers_by_tag(begun.project))

    reviewed(begun)
    alone = rows()
    other = Project.objects.exclude(pk=begun.project.pk).get()
    (tag_id,) = make_tags(other, "cat").values()
    Decision.objects.bulk_create(
        Decision(project=other, image=image, tag_id=tag_id, value="yes", scope="tag")
        for image in make_images(other, 300)
    )
    assert rows() <= alone + 20


def test_several_projects_are_read_at_once(begun):
    days_ago(1, reviewed(begun))
    other = begun.project.pk + 1
    assert progress.reviews_by_day_of([begun.project.pk, other], 3) == {
        begun.project.pk: [0, 1, 0],
        other: [0, 0, 0],
    }
