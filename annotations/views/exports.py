"""Page of exports: choose a format knowing what it cannot hold, watch it being written, take the file."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations import tasks
from annotations.errors import DomainError
from annotations.exporters.registry import FORMATS
from annotations.models import ExportJob, Image, JobState
from annotations.selectors import jobs
from annotations.services import exports
from annotations.views.base import ProjectPage

EXPORTS_SHOWN = 20
STATES = {"": "All images", **{state: f"Only {state}" for state in Image.State.values if state != "removed"}}
SIDES = {"": "Training and holdout", "false": "Only training", "true": "Only holdout"}


@dataclass(frozen=True)
class Row:
    """One export of the list."""

    job: ExportJob
    title: str
    file_name: str
    sha256: str
    size_bytes: int
    items: int
    chosen: str

    @property
    def is_open(self) -> bool:
        return self.job.state in (JobState.QUEUED, JobState.RUNNING)


class ExportPage(ProjectPage):
    template = "annotations/export.html"
    section = "export"
    needs = "export"
    depends_on = ("io",)

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """The page; to htmx, the list that moves."""
        response = self._part() if getattr(request, "htmx", False) else self._show()
        patch_vary_headers(response, ["HX-Request"])
        return response

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        try:
            job = exports.start(
                self.project,
                actor=self.membership.user,
                format=request.POST.get("format", ""),
                filter=_filter(request),
                options=_options(request),
            )
        except DomainError as error:
            return self._show(error)
        tasks.nudge(tasks.run_export, job.pk)
        return redirect("export", project_id)

    def _show(self, error: DomainError | None = None) -> HttpResponse:
        return self.page(
            error.status if error else 200,
            refused=error,
            formats=FORMATS.values(),
            chosen=self.request.POST.get("format", next(iter(FORMATS))),
            states=STATES.items(),
            sides=SIDES.items(),
            **self._past(),
        )

    def _part(self) -> HttpResponse:
        return self.page(template="annotations/_export_live.html", **self._past())

    def _past(self) -> dict[str, Any]:
        before = self.request.GET.get("before", "")
        found = jobs.newest(ExportJob, self.project, before=int(before) if before.isdecimal() else None)
        rows = list(found.select_related("actor", "project")[: EXPORTS_SHOWN + 1])
        shown = [_row(job) for job in rows[:EXPORTS_SHOWN]]
        return {
            "rows": shown,
            "is_running": any(row.is_open for row in shown),
            "before": shown[-1].job.pk if len(rows) > len(shown) else None,
        }


class CancelExport(ProjectPage):
    section = "export"
    needs = "export"

    def post(self, request: HttpRequest, project_id: int, job_id: int) -> HttpResponse:
        exports.cancel(jobs.job_of(ExportJob, self.project, job_id))
        return redirect("export", project_id)

    def back(self) -> str:
        return self.address("export")


def _filter(request: HttpRequest) -> dict[str, Any]:
    state, side = request.POST.get("state", ""), request.POST.get("is_holdout", "")
    chosen: dict[str, Any] = {"state": state} if state else {}
    if side:
        # Anything but these two is handed on as it came: the service refuses it by name.
        chosen["is_holdout"] = {"true": True, "false": False}.get(side, side)
    return chosen


def _options(request: HttpRequest) -> dict[str, bool]:
    """The ticked options of the chosen format; those of other formats stand in the same form."""
    chosen = FORMATS.get(request.POST.get("format", ""))
    names = chosen.options if chosen else {}
    return {name: True for name in names if request.POST.get(f"{chosen.name}.{name}")} if chosen else {}


def _row(job: ExportJob) -> Row:
    exporter = FORMATS.get(job.format)
    return Row(
        job=job,
        title=exporter.title if exporter else job.format,
        file_name=exports.file_name(job) if exporter else "",
        sha256=job.result.get("sha256", ""),
        size_bytes=job.result.get("bytes", 0),
        items=job.result.get("items", 0),
        chosen=_chosen(job),
    )


def _chosen(job: ExportJob) -> str:
    """What was asked for beside the format, in words."""
    said = [STATES.get(job.filter.get("state", ""), "")] if job.filter.get("state") else []
    if "is_holdout" in job.filter:
        said.append(SIDES["true" if job.filter["is_holdout"] else "false"])
    said += [name.replace("_", " ") for name, is_on in job.options.items() if is_on]
    return ", ".join(said).lower()
