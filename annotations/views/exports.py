"""Page of exports: choose a format knowing what it cannot hold, watch it being written, take the file."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations import tasks
from annotations.errors import DomainError
from annotations.exporters.base import KEYWORDS, PICTURE_OPTIONS, Exporter, Group, Option
from annotations.exporters.registry import FORMATS
from annotations.models import ExportJob, Image, JobState, Snapshot
from annotations.numbers import whole_number
from annotations.selectors import jobs, snapshots
from annotations.services import export_files, exports
from annotations.views.base import ProjectPage

EXPORTS_SHOWN = 20
SNAPSHOTS_OFFERED = 100
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


@dataclass(frozen=True)
class Asked:
    """One option of a format: its field in the form, and what the form was sent with for it, in vain."""

    field: str
    option: Option
    said: str


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
                with_pictures=bool(request.POST.get("images")),
                snapshot=self._snapshot(request.POST.get("snapshot", "")),
            )
        except DomainError as error:
            return self._show(error)
        tasks.nudge(tasks.run_export, job.pk)
        return redirect(f"{self.address('export')}#exports")  # below the form, where it is written

    def _show(self, error: DomainError | None = None) -> HttpResponse:
        return self.page(
            error.status if error else 200,
            refused=error,
            groups=[
                (group.value, [(one, self._offered(one)) for one in FORMATS.values() if one.group is group])
                for group in Group
            ],
            chosen=self.request.POST.get("format", next(iter(FORMATS))),
            picked=self.request.POST,
            keywords=PICTURE_OPTIONS[KEYWORDS],
            snapshots=list(snapshots.ready(self.project)[:SNAPSHOTS_OFFERED]),
            snapshot=whole_number(self._asked("snapshot")),
            states=STATES.items(),
            sides=SIDES.items(),
            **self._past(),
        )

    def _offered(self, exporter: Exporter) -> list[Asked]:
        fields = {f"{exporter.name}.{name}": option for name, option in exporter.options.items()}
        return [Asked(field, option, self.request.POST.get(field, "")) for field, option in fields.items()]

    def _asked(self, name: str) -> str:
        """What the form was sent with, else what the address says."""
        return str(self.request.POST.get(name, self.request.GET.get(name, "")))

    def _snapshot(self, text: str) -> Snapshot | None:
        if not text:
            return None
        return jobs.job_of(Snapshot, self.project, whole_number(text) or 0)

    def _part(self) -> HttpResponse:
        return self.page(template="annotations/_export_live.html", **self._past())

    def _past(self) -> dict[str, Any]:
        before = self.request.GET.get("before", "")
        found = jobs.newest(ExportJob, self.project, before=whole_number(before))
        rows = list(found.select_related("actor", "project", "snapshot")[: EXPORTS_SHOWN + 1])
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
        exports.cancel(jobs.job_of(ExportJob, self.project, job_id), actor=self.user)
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


def _options(request: HttpRequest) -> dict[str, Any]:
    """The chosen format's options; those of other formats stand in the same form."""
    exporter = FORMATS.get(request.POST.get("format", ""))
    chosen: dict[str, Any] = {}
    for name, option in exporter.options.items() if exporter else ():
        if value := request.POST.get(f"{exporter.name}.{name}", "") if exporter else "":
            chosen[name] = value if option.choices else True
    with_pictures = bool(request.POST.get("images"))
    may_be = export_files.options(exporter, with_pictures=with_pictures) if exporter else {}
    # The choice stays in the form when the images are unticked: it says nothing then.
    if (wanted := request.POST.get(KEYWORDS)) and KEYWORDS in may_be:
        chosen[KEYWORDS] = wanted
    return chosen


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
    for name, value in job.options.items():
        said.append(name.replace("_", " ") if value is True else f"{name}: {value}")
    if job.with_pictures:
        said.append("with images")
    of_snapshot = [job.snapshot.name] if job.snapshot else []
    return ", ".join([*of_snapshot, *(one.lower() for one in said)])
