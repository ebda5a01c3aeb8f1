"""API of exports: formats with their losses, start one, look, cancel, download with ranges, manifest."""

from collections.abc import Iterable
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import tasks
from annotations.api import downloads
from annotations.api.base import PAGED, ProjectView, body_of, page
from annotations.api.jobs import job_json
from annotations.errors import BadInput, Conflict
from annotations.exporters.base import Exporter, Option
from annotations.exporters.registry import FORMATS
from annotations.models import ExportJob, Project, Snapshot
from annotations.numbers import whole_number
from annotations.permissions import required_role
from annotations.selectors import jobs
from annotations.services import export_files, exports, requests

_ROLE = required_role("export")
_ZIP = "application/zip"


class ExportFormats(ProjectView):
    """What can be written, and what each format cannot hold, before anybody downloads."""

    @extend_schema(operation_id="export_formats_list", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        self.project(_ROLE)
        return Response(
            {
                "results": [
                    {
                        "name": exporter.name,
                        "title": exporter.title,
                        "extension": exporter.one_file.extension if exporter.one_file else "zip",
                        "content_type": exporter.one_file.content_type if exporter.one_file else _ZIP,
                        "pictures": exporter.pictures.value,
                        "losses": exporter.losses,
                        "options": {name: option.text for name, option in _options(exporter)},
                        "choices": {
                            name: option.choices for name, option in _options(exporter) if option.choices
                        },
                    }
                    for exporter in FORMATS.values()
                ],
                "next": None,
            }
        )


class ExportList(ProjectView):
    @extend_schema(parameters=PAGED, operation_id="exports_list", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """Managers. The latest first."""
        rows = ExportJob.objects.filter(project=self.project(_ROLE))
        return page(request, rows, lambda found: [job_json(job, request) for job in found], descending=True)

    @extend_schema(operation_id="exports_create", request=dict, responses={202: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """Managers. `format`, and if wanted `images`, `filter`, `options`, `snapshot`, `client_id`. Answers a job."""
        project = self.project(_ROLE)
        sent = body_of(request)
        stored, is_new = requests.once(
            project_id=project.pk,
            user=request.user,
            client_id=sent.pop("client_id", None),
            body=sent,
            act=lambda: {"job": _start(project, request, sent).pk},
        )
        job = jobs.job_of(ExportJob, project, stored["job"])
        location = request.build_absolute_uri(f"{request.path}{job.pk}/")
        return Response(job_json(job, request), status=202 if is_new else 200, headers={"Location": location})


class ExportDetail(ProjectView):
    @extend_schema(operation_id="exports_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, job_id: int) -> Response:
        """The job; `download_url` is there once it is done."""
        return Response(job_json(jobs.job_of(ExportJob, self.project(_ROLE), job_id), request))


class ExportCancel(ProjectView):
    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request, project_id: int, job_id: int) -> Response:
        """Stops it at its next step; 409 `job_finished` once it has ended."""
        job = jobs.job_of(ExportJob, self.project(_ROLE), job_id)
        return Response(job_json(exports.cancel(job, actor=request.user), request))


class ExportDownload(ProjectView):
    content_negotiation_class = downloads.AsItIs

    @extend_schema(responses={200: bytes, 206: bytes})
    def get(self, request: Request, project_id: int, job_id: int) -> HttpResponseBase:
        """The file, whole or in ranges; its ETag is its sha256."""
        job = _done(self.project(_ROLE), job_id)
        return downloads.attachment(
            request,
            key=job.file_key,
            name=exports.file_name(job),
            content_type=exports.content_type(job),
            etag=job.result["sha256"],
        )


class ExportManifest(ProjectView):
    @extend_schema(operation_id="exports_manifest", responses={200: dict})
    def get(self, request: Request, project_id: int, job_id: int) -> Response:
        """What the file holds: counts, vocabulary, losses, and the sha256 of the contents."""
        return Response(exports.manifest(_done(self.project(_ROLE), job_id)))


def _options(exporter: Exporter) -> Iterable[tuple[str, Option]]:
    """All that may be chosen, with the images."""
    return export_files.options(exporter, with_pictures=True).items()


def _start(project: Project, request: Request, sent: dict[str, Any]) -> ExportJob:
    for name in ("filter", "options"):
        if not isinstance(sent.get(name) or {}, dict):
            raise BadInput(f"{name}: expected an object, got {sent[name]!r}.", code=f"bad_{name}")
    job = exports.start(
        project,
        actor=request.user,
        format=str(sent.get("format", "")),
        filter=sent.get("filter"),
        options=sent.get("options"),
        with_pictures=_with_pictures(sent.get("images")),
        snapshot=_snapshot(project, sent.get("snapshot")),
    )
    tasks.nudge(tasks.run_export, job.pk)
    return job


def _with_pictures(value: object) -> bool:
    """True or false, or a form's words for them."""
    words = {None: False, "": False, "false": False, "0": False, "true": True, "1": True, "on": True}
    if isinstance(value, bool):
        return value
    if value is None or isinstance(value, str):
        found = words.get(value)
        if found is not None:
            return found
    raise BadInput(f"images: expected true or false, got {value!r}.", code="bad_images")


def _snapshot(project: Project, value: object) -> Snapshot | None:
    if value in (None, ""):
        return None
    snapshot_id = whole_number(str(value))
    if snapshot_id is None:
        raise BadInput(f"snapshot: expected the id of a snapshot, got {value!r}.", code="bad_snapshot")
    return jobs.job_of(Snapshot, project, snapshot_id)


def _done(project: Project, job_id: int) -> ExportJob:
    job = jobs.job_of(ExportJob, project, job_id)
    if not job.file_key:
        raise Conflict(
            f"The export is {job.state}: there is a file once it is done.", code="not_done", state=job.state
        )
    return job
