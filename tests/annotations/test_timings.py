"""The time from key to picture: what browsers send is checked and kept, and managers read it on the overview."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Review
from annotations.selectors import timings
from tests.factories import Cast, answer_lease, make_images, review_next


def measured(cast: Cast, *times_ms: int | None) -> None:
    make_images(cast.project, len(times_ms), first=Review.objects.count())
    for time_ms in times_ms:
        review_next(cast, cast.annotator, picture_ms=time_ms)


def test_median_and_95th_percentile_are_of_what_was_measured(cast: Cast) -> None:
    measured(cast, None, *range(10, 210, 10))
    # Twenty values 10, 20 … 200, by linear interpolation: 105 in the middle, 10 + 0.95 · 190 at the 95th.
    assert timings.key_to_picture(cast.project) == timings.PictureTimes(105, 190, 20)


def test_nothing_measured_is_no_figure(cast: Cast) -> None:
    measured(cast, None)
    assert timings.key_to_picture(cast.project) is None


def test_older_than_the_last_days_does_not_count(cast: Cast) -> None:
    measured(cast, 900, 40)
    old = Review.objects.filter(picture_ms=900)
    old.update(created_at=timezone.now() - timedelta(days=8))
    assert timings.key_to_picture(cast.project) == timings.PictureTimes(40, 40, 1)


def test_the_figure_costs_one_query_whatever_there_is(cast: Cast) -> None:
    for _ in range(2):
        measured(cast, *range(10))
        with CaptureQueriesContext(connection) as captured:
            timings.key_to_picture(cast.project)
        assert len(captured) == 1


def test_the_same_answer_with_another_time_is_the_same_answer(cast: Cast) -> None:
    make_images(cast.project, 1)
    client_id = "7b1f6a44-5d5e-4b7e-8f0e-6f9a4d7c2b10"
    first = review_next(cast, cast.annotator, client_id=client_id, picture_ms=40)
    again = answer_lease(
        cast, cast.annotator, first.review.lease, client_id=client_id, revision=1, picture_ms=70
    )
    assert (again.is_new, again.review.picture_ms) == (False, 40)


@pytest.mark.parametrize(
    ("sent", "status"), [(None, 201), (0, 201), (38, 201), (-1, 400), ("soon", 400), (4e9, 400)]
)
def test_the_api_takes_whole_milliseconds(cast: Cast, client_of, sent: object, status: int) -> None:
    make_images(cast.project, 1)
    client = client_of(cast.annotator)
    project = f"/api/v1/projects/{cast.project.pk}/"
    item = client.post(f"{project}queue/next/", {"count": 1}, format="json").json()["items"][0]
    body = {
        "image": item["image"]["id"],
        "lease": item["lease"]["token"],
        "revision": item["image"]["revision"],
        "picture_ms": sent,
    }
    answer = client.post(f"{project}reviews/", body, format="json")
    assert answer.status_code == status
    if status == 201:
        assert answer.json()["picture_ms"] == sent


@pytest.mark.parametrize(("who", "is_told"), [("annotator", False), ("manager", True)])
def test_managers_read_it_on_the_overview(cast: Cast, client_of, who: str, is_told: bool) -> None:
    measured(cast, 40, 60)
    page = client_of(getattr(cast, who)).get(f"/projects/{cast.project.pk}/").content.decode()
    assert ("From key to picture" in page) is is_told
