"""Five fields of cron, against moments read off a calendar. What is refused: `test_finetune_schedule.py`."""

from datetime import datetime

import pytest

from mlmodels.services import cron

# A Sunday, the last day but one of its month.
NOON = datetime(2026, 11, 29, 12, 0)


@pytest.mark.parametrize(
    ("text", "last", "following"),
    [
        ("0 12 * * *", datetime(2026, 11, 29, 12), datetime(2026, 11, 30, 12)),
        ("*/20 * * * *", datetime(2026, 11, 29, 12), datetime(2026, 11, 29, 12, 20)),
        ("5/15 12 * * *", datetime(2026, 11, 28, 12, 50), datetime(2026, 11, 29, 12, 5)),
        ("0 9-17/4 * * *", datetime(2026, 11, 29, 9), datetime(2026, 11, 29, 13)),
        ("30 3 1,15 * *", datetime(2026, 11, 15, 3, 30), datetime(2026, 12, 1, 3, 30)),
        ("0 0 31 * *", datetime(2026, 10, 31), datetime(2026, 12, 31)),
        ("0 0 29 2 *", datetime(2024, 2, 29), datetime(2028, 2, 29)),
    ],
)
def test_the_moments_around_a_sunday_noon(text, last, following):
    schedule = cron.read(text)
    assert (schedule.last_before(NOON), schedule.next_after(NOON)) == (last, following)


@pytest.mark.parametrize("sunday", ["0", "7", "0,7", "7-7"])
def test_sunday_has_two_numbers(sunday):
    assert cron.read(f"0 3 * * {sunday}").next_after(NOON) == datetime(2026, 12, 6, 3)


def test_a_week_may_end_with_sunday():
    assert cron.read("0 3 * * 6-7").last_before(NOON) == datetime(2026, 11, 29, 3)


def test_of_day_and_weekday_either_suffices():
    schedule = cron.read("0 3 1 * 1")
    assert schedule.next_after(NOON) == datetime(2026, 11, 30, 3), "a Monday"
    assert schedule.next_after(datetime(2026, 11, 30, 4)) == datetime(2026, 12, 1, 3), "a first"


def test_a_star_with_steps_leaves_the_choice_to_the_other_field():
    assert cron.read("0 3 */2 * 1").next_after(NOON) == datetime(2026, 12, 7, 3), "a Monday and an odd day"


def test_a_day_that_no_year_has_never_comes():
    schedule = cron.read("0 0 30 2 *")
    assert schedule.last_before(NOON) is None and schedule.next_after(NOON) is None
