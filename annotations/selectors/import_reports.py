"""Imports as people see them: the requests of one upload together, with what landed and what was refused.

A job stands for one request; a page sends a large upload in many. Jobs with the same `upload` share a report.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    Max,
    Min,
    Q,
    QuerySet,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from annotations.models import Image, ImportItem, ImportJob, JobState, Project
from annotations.models.job import OPEN_STATES
from annotations.selectors import jobs

COUNTED = ("added", "updated", "duplicates", "refused")
LATEST_PICTURES = 12


@dataclass(frozen=True)
class Report:
    """One import. `done` of `total` images; the four counts add up to `done`. `is_reading`: more rows are to come.

    `looked_into` counts the files whose keywords were read before the first one lands.
    """

    first_job: int
    source: str
    requests: int
    state: str
    done: int
    total: int
    added: int
    updated: int
    duplicates: int
    refused: int
    drawn: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    person: str
    reason: str
    is_reading: bool
    looked_into: int

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def landed(self) -> int:
        return self.added + self.updated + self.duplicates

    @property
    def images_a_second(self) -> float | None:
        """Over the whole time since its first image; None before there is anything to measure."""
        if self.started_at is None or not self.done:
            return None
        seconds = ((self.finished_at or timezone.now()) - self.started_at).total_seconds()
        return self.done / seconds if seconds >= 1 else None

    @property
    def seconds_left(self) -> float | None:
        rate = self.images_a_second
        return (self.total - self.done) / rate if rate and self.is_open else None


@dataclass(frozen=True)
class Refusal:
    """What did not land, by the name that the sender gave it, and why."""

    item: str
    code: str
    message: str


def newest(project: Project, *, limit: int = 20, before: int | None = None) -> list[Report]:
    """The project's imports, the latest first; `before` is the first job of the page before. One query."""
    rows = _grouped(ImportJob.objects.filter(project=project))
    if before is not None:
        rows = rows.filter(first_job__lt=before)
    return [_report(row) for row in rows.order_by("-first_job")[:limit]]


def open_ones(project: Project) -> list[Report]:
    """Imports of which at least one request is not finished, the oldest first. One query."""
    rows = _grouped(ImportJob.objects.filter(project=project)).filter(unfinished__gt=0)
    return [_report(row) for row in rows.order_by("first_job")]


def of_job(project: Project, job_id: int) -> Report:
    """The import that this request belongs to; NotFound if the project has no such job."""
    return _report(_grouped(together_with(project, job_id)).get())


def together_with(project: Project, job_id: int) -> QuerySet[ImportJob]:
    """All requests of the import that this one belongs to, in the order they came."""
    job = jobs.job_of(ImportJob, project, job_id)
    upload = job.options.get("upload")
    mine = Q(options__upload=upload, actor_id=job.actor_id) if upload else Q(pk=job.pk)
    return ImportJob.objects.filter(mine, project=project).order_by("pk")


def refusals(project: Project, job_id: int) -> list[Refusal]:
    """What was refused, in order; what several requests say alike stands here once."""
    told = together_with(project, job_id).values_list("errors", flat=True)
    said = [Refusal(error["item"], error["code"], error["message"]) for errors in told for error in errors]
    return list(dict.fromkeys(said))


def latest_pictures(project: Project, reports: Iterable[Report]) -> Sequence[Image]:
    """The newest images that the open imports have added."""
    first = min((report.first_job for report in reports), default=None)
    if first is None:
        return []
    items = (
        ImportItem.objects.filter(
            job__project=project, job_id__gte=first, state=ImportItem.State.ADDED, image__deleted_at=None
        )
        .exclude(image=None)
        .select_related("image")
        .order_by("-pk")
    )
    return [item.image for item in items[:LATEST_PICTURES] if item.image is not None]


def _grouped(rows: QuerySet[ImportJob]) -> Any:
    """One dict an import; the plugin for types knows no such rows, hence Any."""
    upload = KeyTextTransform("upload", "options")
    return (
        rows.order_by()
        .annotate(said_upload=Coalesce(upload, Value(""), output_field=TextField()))
        .annotate(
            group=Case(
                When(said_upload="", then=Cast(F("pk"), TextField())),
                default=F("said_upload"),
                output_field=TextField(),
            )
        )
        .values("group", "actor_id", "source")
        .annotate(
            first_job=Min("pk"),
            requests=Count("pk"),
            unfinished=Count("pk", filter=Q(state__in=OPEN_STATES)),
            running=Count("pk", filter=Q(state=JobState.RUNNING)),
            reading=Count(
                "pk",
                filter=Q(state=JobState.RUNNING, options__has_key="unread") & ~Q(options__has_key="is_read"),
            ),
            failed=Count("pk", filter=Q(state=JobState.FAILED)),
            cancelled=Count("pk", filter=Q(state=JobState.CANCELLED)),
            all_done=Sum("done"),
            all_total=Sum(Coalesce(F("total"), Value(0))),
            began_at=Min("created_at"),
            first_started_at=Min("started_at"),
            last_finished_at=Max("finished_at"),
            why=Max("reason"),
            person=Max("actor__username"),
            drawn=_sum_of("drawn"),
            looked_into=_sum_of("keywords_read", "options"),
            **{f"all_{name}": _sum_of(name) for name in COUNTED},
        )
    )


def _sum_of(name: str, field: str = "result") -> Coalesce:
    number = Cast(KeyTextTransform(name, field), BigIntegerField())
    return Coalesce(Sum(number), Value(0), output_field=BigIntegerField())


def _report(row: dict[str, Any]) -> Report:
    unfinished = row["unfinished"] > 0
    return Report(
        first_job=row["first_job"],
        source=row["source"],
        requests=row["requests"],
        state=_state(row),
        done=int(row["all_done"]),
        total=int(row["all_total"]),
        drawn=row["drawn"],
        created_at=row["began_at"],
        started_at=row["first_started_at"],
        finished_at=None if unfinished else row["last_finished_at"],
        person=row["person"] or "",
        reason=row["why"],
        is_reading=row["reading"] > 0,
        looked_into=row["looked_into"],
        **{name: row[f"all_{name}"] for name in COUNTED},
    )


def _state(row: dict[str, Any]) -> str:
    """Of several requests: running while one runs, waiting while one waits, else the worst end."""
    if row["running"]:
        return JobState.RUNNING
    if row["unfinished"]:
        return JobState.QUEUED if not row["all_done"] else JobState.RUNNING
    if row["failed"]:
        return JobState.FAILED
    return JobState.CANCELLED if row["cancelled"] else JobState.DONE
