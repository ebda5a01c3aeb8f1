"""Figures of a large project are kept for a minute, and pages say so; a small project's are always those of now."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis.exceptions import ConnectionError as NoRedis

from annotations.selectors import kept, progress
from tests.factories import make_images, make_tags, review_next


@pytest.fixture
def begun(cast):
    make_tags(cast.project, "dog")
    make_images(cast.project, 10)
    cast.review = lambda: review_next(cast, cast.annotator, yes=("dog",))
    cast.review()
    cast.dog = cast.project.tags.get().pk
    return cast


@pytest.fixture
def large(begun, monkeypatch):
    monkeypatch.setattr(kept, "FROM_DECISIONS", 1)
    return begun


def yes_and_days(cast):
    project = cast.project
    return progress.answers_by_tag(project)[cast.dog].yes, progress.work_by_day(project)[-1].reviews


def test_a_small_projects_figures_are_those_of_now(begun):
    assert yes_and_days(begun) == (1, 1)
    begun.review()
    assert yes_and_days(begun) == (2, 2)


def test_a_large_projects_are_read_once_a_minute(large):
    assert yes_and_days(large) == (1, 1)
    large.review()
    with CaptureQueriesContext(connection) as captured:
        assert yes_and_days(large) == (1, 1)
    assert all("counter" in query["sql"] for query in captured)


def test_another_vocabulary_has_figures_of_its_own(large):
    assert yes_and_days(large) == (1, 1)
    large.review()
    make_tags(large.project, "cat")
    assert yes_and_days(large) == (2, 2)


def test_two_projects_have_their_own(large):
    assert yes_and_days(large) == (1, 1)
    other = large.outsider.memberships.model.objects.exclude(project=large.project).get().project
    assert large.dog not in progress.answers_by_tag(other)


def test_without_redis_they_are_worked_out(large, monkeypatch):
    def away(*_):
        raise NoRedis("away")

    monkeypatch.setattr(kept.cache, "get", away)
    assert yes_and_days(large) == (1, 1)
    large.review()
    assert yes_and_days(large) == (2, 2)


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("", "The plots by day and by tag are those of the last minute."),
        ("tags/", "Answers and offers are those of the last minute."),
    ],
)
def test_pages_say_that_they_are_kept(begun, browser_of, monkeypatch, page, sentence):
    address = f"/projects/{begun.project.pk}/{page}"
    assert sentence not in browser_of(begun.manager).get(address).content.decode()
    monkeypatch.setattr(kept, "FROM_DECISIONS", 1)
    assert sentence in browser_of(begun.manager).get(address).content.decode()
