"""Five fields of cron (minute, hour, day, month, weekday; UTC): whether a moment has come since another one.

Numbers, `*`, lists, ranges and steps, as crontab(5) has them. Nothing is run here. Celery's `crontab` is no help: it
takes `1-5!` for `1-5`, has no Sunday 7 and no `5/15`, wants day and weekday both, and cannot tell the moment before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from annotations.errors import BadInput

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
# A schedule that names no day of these years, such as 30 February, never comes.
_LOOK_DAYS = 366 * 5


@dataclass(frozen=True)
class Cron:
    """What each field allows; Sunday is 0. A `*` in day or weekday leaves the choice to the other one."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def last_before(self, now: datetime) -> datetime | None:
        """The latest moment of the schedule that is not after `now`; None if there is none within five years."""
        for date in _days(now, -1):
            if found := [time for time in self._times(date) if time <= now]:
                return max(found)
        return None

    def next_after(self, now: datetime) -> datetime | None:
        """The first moment of the schedule after `now`; None if there is none within five years."""
        for date in _days(now, 1):
            if found := [time for time in self._times(date) if time > now]:
                return min(found)
        return None

    def _times(self, date: datetime) -> Iterator[datetime]:
        if self._names(date):
            yield from (
                date.replace(hour=hour, minute=minute) for hour in self.hours for minute in self.minutes
            )

    def _names(self, date: datetime) -> bool:
        if date.month not in self.months:
            return False
        by_day, by_weekday = date.day in self.days, date.isoweekday() % 7 in self.weekdays
        return by_day and by_weekday if self.any_day or self.any_weekday else by_day or by_weekday


def _days(now: datetime, step: int) -> Iterator[datetime]:
    """The day of `now` and those before or after it."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return (day + timedelta(days=step * days) for days in range(_LOOK_DAYS))


def read(text: str) -> Cron:
    """The schedule of five fields; raises BadInput naming the field that is none.

    >>> read("30 3 * * 1-5").last_before(datetime(2026, 11, 29, 12, 0)).isoformat()
    '2026-11-27T03:30:00'
    >>> read("30 3 * * 1-5").next_after(datetime(2026, 11, 27, 3, 30)).isoformat()
    '2026-11-30T03:30:00'
    """
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise BadInput(
            f"A schedule has five fields, such as “0 3 * * 1” for Mondays at 3; got {len(parts)}.",
            code="bad_cron",
        )
    values = [_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    return Cron(
        minutes=values[0],
        hours=values[1],
        days=values[2],
        months=values[3],
        weekdays=frozenset(day % 7 for day in values[4]),
        any_day=parts[2].startswith("*"),
        any_weekday=parts[4].startswith("*"),
    )


def _field(text: str, name: str, least: int, most: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        numbers = [] if span == "*" else [first, last] if dash else [first]
        numbers += [step] if slash else []
        if not all(number.isascii() and number.isdigit() and len(number) < 4 for number in numbers):
            raise BadInput(
                f"The {name} “{text}” is no field of cron. Write numbers, or *, with lists such as 1,3, ranges such as "
                "1-5 and steps such as */2.",
                code="bad_cron",
            )
        low = least if span == "*" else int(first)
        high = most if span == "*" or (slash and not dash) else int(last) if dash else low
        if not (least <= low <= most and least <= high <= most):
            raise BadInput(f"The {name} “{text}” is not within {least} to {most}.", code="bad_cron")
        if low > high:
            raise BadInput(
                f"The {name} “{text}” runs backwards: the smaller number comes first.", code="bad_cron"
            )
        if slash and int(step) < 1:
            raise BadInput(f"The {name} “{text}” has a step of 0; the least is 1.", code="bad_cron")
        found |= set(range(low, high + 1, int(step) if slash else 1))
    return frozenset(found)
