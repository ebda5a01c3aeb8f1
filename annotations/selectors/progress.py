"""How the work goes over time and over tags: what each day brought, answers by tag. Bounded by days and by tags."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import Aggregate, Count, FloatField, Max, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from annotations.models import Decision, Image, Project, Review
from annotations.selectors import counters, kept

WINDOW_DAYS = 28
DAYS_AT_LEAST = 7


@dataclass(frozen=True)
class Quartiles:
    """Seconds on one review: a quarter of them took at most `low`, half at most `middle`."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class DayWork:
    """What people did on a day; `reviewed_images` are those reviewed by its end, some `offered` tags got a yes."""

    day: date
    reviews: int
    reviewed_images: int
    offered: int
    accepted: int
    seconds: Quartiles | None

    @property
    def acceptance(self) -> float | None:
        return self.accepted / self.offered if self.offered else None

    def an_hour(self, part: str) -> float | None:
        """Images an hour at this part of the quartiles; None where no review took measurable time."""
        return images_an_hour(getattr(self.seconds, part) if self.seconds else None)


def images_an_hour(seconds: float | None) -> float | None:
    """At so many seconds a review; None where it took no measurable time."""
    return 3600 / seconds if seconds else None


@dataclass(frozen=True)
class TagCount:
    """Explicit answers that stand in counted reviews or as one-tag decisions."""

    yes: int = 0
    no: int = 0


def work_by_day(project: Project, days: int = WINDOW_DAYS) -> list[DayWork]:
    """The last days, today last, from the first one with work on (a week at least). Five queries.

    What was reviewed before the window is counted, not looked at.
    """
    first = timezone.localdate() - timedelta(days=days - 1)
    told = _kept(project, f"days-from-{first}", lambda: _told_by_day(project, first))
    done = counters.read(project.pk).get("reviewed", 0) - sum(day["finished"] for day in told.values())
    found = []
    for day in (first + timedelta(days=step) for step in range(days)):
        one = _NOTHING | told.get(day.isoformat(), {})
        done += one["finished"]
        found.append(
            DayWork(
                day=day,
                reviews=one["reviews"],
                reviewed_images=max(0, done),
                offered=one["offered"],
                accepted=one["accepted"],
                seconds=Quartiles(*one["seconds"]) if one["seconds"] else None,
            )
        )
    return _from_first_work(found)


_NOTHING: dict[str, Any] = {"reviews": 0, "finished": 0, "offered": 0, "accepted": 0, "seconds": None}


def _kept(project: Project, name: str, work_out: Callable[[], Any]) -> Any:
    return kept.figures(project.pk, project.vocabulary_version, name, work_out)


def _told_by_day(project: Project, first: date) -> dict[str, dict[str, Any]]:
    """What there is of each day on which anything happened, as JSON holds it."""
    found: dict[str, dict[str, Any]] = defaultdict(lambda: dict(_NOTHING))
    for day, reviews, seconds in _reviews(project, first):
        found[day.isoformat()] |= {"reviews": reviews, "seconds": seconds}
    for day, offered, accepted in _offers(project, first):
        found[day.isoformat()] |= {"offered": offered, "accepted": accepted}
    for day, finished in _finished(project, first):
        found[day.isoformat()] |= {"finished": finished}
    return found


def reviews_by_day_of(project_ids: Sequence[int], days: int) -> dict[int, list[int]]:
    """Counted reviews of the last days of several projects, today last. One query."""
    first = timezone.localdate() - timedelta(days=days - 1)
    rows = (
        _counted(first)
        .filter(project__in=project_ids)
        .annotate(day=TruncDate("created_at"))
        .values("project", "day")
        .annotate(reviews=Count("pk"))
    )
    found = {project_id: [0] * days for project_id in project_ids}
    for row in rows:
        found[row["project"]][(row["day"] - first).days] = row["reviews"]
    return found


def _counted(first: date) -> QuerySet[Review]:
    """Reviews by people that count, from this day on."""
    return Review.objects.filter(
        created_at__gte=datetime.combine(first, time.min, tzinfo=timezone.get_current_timezone()),
        outcome=Review.Outcome.REVIEWED,
        counted=True,
        undone_at=None,
        source=Review.Source.PERSON,
    )


def _reviews(project: Project, first: date) -> list[tuple[date, int, list[float] | None]]:
    """By day: how many reviews, and the quartiles of the seconds that were spent on one; None where nobody measured."""
    rows = (
        _counted(first)
        .filter(project=project)
        .annotate(day=TruncDate("created_at"))
        .values_list("day")
        .annotate(
            reviews=Count("pk"),
            low=_Percentile("seconds", share=0.25),
            middle=_Percentile("seconds", share=0.5),
            high=_Percentile("seconds", share=0.75),
        )
    )
    return [(day, reviews, seconds if seconds[0] else None) for day, reviews, *seconds in rows]


class _Percentile(Aggregate):
    """PostgreSQL's percentile_cont of a field at a `share`."""

    function = "percentile_cont"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


def _offers(project: Project, first: date) -> list[tuple[date, int, int]]:
    """By day: tags that were offered in counted reviews, and how many of them got a yes."""
    rows = (
        Decision.objects.filter(
            # The project once more: others may have far more decisions.
            project=project,
            review__in=_counted(first).filter(project=project),
            suggestion__offered=True,
        )
        .annotate(day=TruncDate("review__created_at"))
        .values_list("day")
        .annotate(offered=Count("pk"), accepted=Count("pk", filter=Q(value=Decision.Value.YES)))
    )
    return list(rows)


def _finished(project: Project, first: date) -> list[tuple[date, int]]:
    """By day of its last review: images that are reviewed now. A row a day, however many images."""
    last = (
        _counted(first)
        .filter(project=project, image__state=Image.State.REVIEWED, image__deleted_at=None)
        .values("image")
        .annotate(day=TruncDate(Max("created_at")))
    )
    query, parameters = last.values("day").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT day, count(*) FROM ({query}) AS last (day) GROUP BY day", parameters)  # noqa: S608
        return cursor.fetchall()


def _from_first_work(days: list[DayWork]) -> list[DayWork]:
    begun = next((at for at, day in enumerate(days) if day.reviews), len(days))
    return days[min(begun, len(days) - DAYS_AT_LEAST) :]


def answers_by_tag(project: Project) -> Mapping[int, TagCount]:
    """Images with a yes and with an explicit no, by tag id; a merged tag's are the survivor's. Two queries."""
    rows = _kept(project, "answers", lambda: _rows(_ANSWERS, project))
    return {tag_id: TagCount(yes, no) for tag_id, yes, no in rows}


def offered_by_tag(project: Project) -> Mapping[int, int]:
    """Images on which the model offers the tag and that still wait for a review, by tag id. Two queries."""
    return dict(_kept(project, "offers", lambda: _rows(_OFFERS, project)))


def _rows(query: str, project: Project) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"project": project.pk})
        return cursor.fetchall()


_ANSWERS = """
    WITH RECURSIVE part (tag_id, survivor_id) AS (
        SELECT t.id, t.id FROM annotations_tag t WHERE t.project_id = %(project)s AND t.merged_into_id IS NULL
        UNION ALL
        SELECT t.id, part.survivor_id FROM part JOIN annotations_tag t ON t.merged_into_id = part.tag_id
    )
    SELECT part.survivor_id, count(DISTINCT d.image_id) FILTER (WHERE d.value = 'yes'),
           count(DISTINCT d.image_id) FILTER (WHERE d.value = 'no')
    FROM annotations_decision d
    JOIN part ON part.tag_id = d.tag_id
    LEFT JOIN annotations_review r ON r.id = d.review_id
    WHERE d.project_id = %(project)s AND d.undone_at IS NULL AND (r.id IS NULL OR (r.counted AND r.undone_at IS NULL))
    GROUP BY part.survivor_id
"""
_OFFERS = """
    SELECT tag_id, count(*) FROM annotations_suggestionset s
    JOIN annotations_queueentry e ON e.image_id = s.image_id AND NOT e.is_holdout
    CROSS JOIN unnest(s.offered_ids) AS tag_id
    WHERE s.project_id = %(project)s GROUP BY tag_id
"""
