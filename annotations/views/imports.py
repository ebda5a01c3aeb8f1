"""Pages of imports: send files, watch them land, read what was refused and why.

A form that works without script; with it, `static/js/elements/image-upload.js` sends the same in many requests.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from annotations import tasks
from annotations.errors import Conflict, DomainError
from annotations.exporters import cells
from annotations.importers import sources, uploads
from annotations.importers.uploads import StagedUpload
from annotations.models import Image, ImportJob, Project
from annotations.permissions import allows
from annotations.selectors import import_reports, queue
from annotations.selectors.import_reports import Report
from annotations.services import imports, storage
from annotations.views.base import ProjectPage

REFUSALS_SHOWN = 200
EARLIER_SHOWN = 20


@dataclass(frozen=True)
class Picture:
    image: Image
    thumbnail_url: str


# The token stands in the form, and reading the form stages its files: the check comes after the role's.
@method_decorator(csrf_exempt, name="dispatch")
class ImportPage(ProjectPage):
    template = "annotations/import.html"
    section = "import"
    needs = "import"
    depends_on = ("io",)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST" or not self._may_send():
            return super().dispatch(request, *args, **kwargs)
        self.area, self.keeps_area = uploads.stage_uploads(request).area, False
        checked = csrf_protect(lambda request: super(ImportPage, self).dispatch(request, *args, **kwargs))
        try:
            return checked(request)
        except DomainError as error:  # of the form itself, which the check is the first to read
            return self._show(error)
        finally:
            if not self.keeps_area:
                storage.delete_area(self.area)

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """The page; to htmx, the part of it that moves."""
        response = self._part() if getattr(request, "htmx", False) else self._show()
        patch_vary_headers(response, ["HX-Request"])
        return response

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        try:
            job = self._start(request)
        except DomainError as error:
            return self._show(error)
        return redirect("import-report", project_id, job.pk)

    def _may_send(self) -> bool:
        try:
            return self.request.user.is_authenticated and allows(self.membership.role, self.needs)
        except DomainError:
            return False

    def _start(self, request: HttpRequest) -> ImportJob:
        sent = {name: request.POST[name] for name in request.POST if name != "csrfmiddlewaretoken"}
        uploaded = [upload for name in request.FILES for upload in request.FILES.getlist(name)]
        files = [upload for upload in uploaded if isinstance(upload, StagedUpload)]
        source = sources.read(sent, _by_ending(files), area=self.area)
        job = imports.start(
            self.project,
            actor=self.membership.user,
            source=source.name,
            batch=source.batch,
            options=sources.options(sent),
            area=self.area,
        )
        self.keeps_area = True
        tasks.nudge(tasks.run_import, job.pk)
        return job

    def _show(self, error: DomainError | None = None) -> HttpResponse:
        return self.page(error.status if error else 200, refused=error, **self._running(), limits=uploads)

    def _part(self) -> HttpResponse:
        return self.page(template="annotations/_import_live.html", **self._running())

    def _running(self) -> dict[str, Any]:
        running = import_reports.open_ones(self.project)
        before = self.request.GET.get("before", "")
        found = import_reports.newest(
            self.project, limit=EARLIER_SHOWN + 1, before=int(before) if before.isdecimal() else None
        )
        shown = found[:EARLIER_SHOWN]
        return {
            "running": running,
            "pictures": _pictures(self.project, running),
            "earlier": [report for report in shown if not report.is_open],
            "before": shown[-1].first_job if len(found) > len(shown) else None,
        }


class ImportReportPage(ProjectPage):
    """One import: how far it is, and everything that was refused."""

    template = "annotations/import_report.html"
    section = "import"
    needs = "import"
    depends_on = ("io",)

    def get(self, request: HttpRequest, project_id: int, job_id: int) -> HttpResponse:
        template = "annotations/_import_report_live.html" if getattr(request, "htmx", False) else None
        refusals = import_reports.refusals(self.project, job_id)
        report = import_reports.of_job(self.project, job_id)
        response = self.page(
            template=template,
            report=report,
            refusals=refusals[:REFUSALS_SHOWN],
            refusal_count=len(refusals),
            pictures=_pictures(self.project, [report]) if report.is_open else [],
        )
        patch_vary_headers(response, ["HX-Request"])
        return response


class ImportRefusals(ProjectPage):
    """What was refused as a table to save."""

    section = "import"
    needs = "import"

    def get(self, request: HttpRequest, project_id: int, job_id: int) -> HttpResponse:
        name = f"import-{job_id}-refused.csv"
        answer = HttpResponse(
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
        rows = import_reports.refusals(self.project, job_id)
        guarded = ([cells.guard(cell) for cell in (row.item, row.code, row.message)] for row in rows)
        answer.writelines(cells.write(["item", "code", "message"], guarded))
        return answer


class CancelImport(ProjectPage):
    """Stops every request of an import that is not finished; what has landed stays."""

    section = "import"
    needs = "import"

    def post(self, request: HttpRequest, project_id: int, job_id: int) -> HttpResponse:
        together = import_reports.together_with(self.project, job_id)
        for job in together.filter(state__in=import_reports.OPEN_STATES):
            try:
                imports.cancel(job)
            except Conflict:
                continue  # it ended by itself in the meantime
        return redirect("import-report", project_id, job_id)


def _by_ending(files: list[StagedUpload]) -> list[StagedUpload]:
    """A zip or a table among the pictures is what its ending says: people choose them together."""
    for upload in files:
        if upload.field != "files":
            continue
        ending = upload.path.lower().rsplit(".", 1)[-1]
        if ending == "zip":
            upload.field = "archive"
        elif ending in ("csv", "json"):
            upload.field = "captions_file"
    return files


def _pictures(project: Project, reports: list[Report]) -> list[Picture]:
    """The latest images that open imports have added, with the addresses of their thumbnails."""
    return [
        Picture(image, queue.addresses(image)["thumbnail_url"])
        for image in import_reports.latest_pictures(project, reports)
    ]
