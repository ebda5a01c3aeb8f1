"""Pages of imports: send files, watch them land, read what was refused and why.

A form that works without script; with it, `static/js/elements/image-upload.js` sends the same in many requests.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations import tasks
from annotations.errors import Conflict, DomainError
from annotations.exporters import cells
from annotations.importers import buckets, sidecars, sources, uploads
from annotations.importers.archives import opening as archives
from annotations.importers.uploads import StagedUpload
from annotations.models import Image, ImportJob, Project
from annotations.numbers import whole_number
from annotations.selectors import import_reports, queue
from annotations.selectors.import_reports import Report
from annotations.services import imports
from annotations.views.base import ProjectPage
from annotations.views.staged_form import StagedFormPage

REFUSALS_SHOWN = 200
EARLIER_SHOWN = 20


@dataclass(frozen=True)
class Picture:
    image: Image
    thumbnail_url: str


class ImportPage(StagedFormPage):
    template = "annotations/import.html"
    section = "import"
    needs = "import"
    depends_on = ("io",)

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """The page; to htmx, the part of it that moves."""
        response = self._part() if getattr(request, "htmx", False) else self.show()
        patch_vary_headers(response, ["HX-Request"])
        return response

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        try:
            job = self._start()
        except DomainError as error:
            return self.show(error)
        return redirect("import-report", project_id, job.pk)

    def _start(self) -> ImportJob:
        sent = self.sent()
        source = sources.read(sent, _by_ending(self.uploaded()), area=self.area)
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

    def show(self, error: DomainError | None = None) -> HttpResponse:
        readable = buckets.allowed_names()
        return self.page(
            error.status if error else 200,
            refused=error,
            tab=self._tab(readable),
            buckets=readable,
            sent=self.request.POST if error else {},
            **self._running(),
            limits=uploads,
        )

    def _tab(self, readable: list[str]) -> str:
        """Which source the page offers: the one that was sent in vain, or the one that was asked for."""
        sent = {"urls": "addresses", "s3": "s3"}
        asked = next((sent[name] for name in sent if name in self.request.POST), self.request.GET.get("from"))
        return asked if asked == "addresses" or (asked == "s3" and readable) else "files"

    def _part(self) -> HttpResponse:
        return self.page(template="annotations/_import_live.html", **self._running())

    def _running(self) -> dict[str, Any]:
        running = import_reports.open_ones(self.project)
        before = self.request.GET.get("before", "")
        found = import_reports.newest(self.project, limit=EARLIER_SHOWN + 1, before=whole_number(before))
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
                imports.cancel(job, actor=self.user)
            except Conflict:
                continue  # it ended by itself in the meantime
        return redirect("import-report", project_id, job_id)


def _by_ending(files: list[StagedUpload]) -> list[StagedUpload]:
    """An archive or a table among the pictures is what its ending says: people choose them together."""
    beside = sidecars.paired(upload.path for upload in files if upload.field == "files")
    for upload in files:
        if upload.field != "files" or upload.path in beside:
            continue
        ending = upload.path.lower().rsplit(".", 1)[-1]
        if archives.is_archive(upload.path):
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
