"""API of a version as a file to take away: ask for it, look, cancel, download with ranges."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api import downloads
from annotations.api.base import PAGED, ProjectView, body_of, page
from annotations.api.jobs import job_json
from annotations.errors import BadInput, NotFound
from annotations.models import Project
from annotations.permissions import required_role
from annotations.services import requests
from mlmodels import selectors, tasks
from mlmodels.models import ModelExport
from mlmodels.services import model_exports

_ROLE = required_role("export_model")
FORMATS = ("onnx",)


def export_json(job: ModelExport, request: Request) -> dict[str, Any]:
    """A job, with the version that it writes and where its file is once there is one."""
    path = f"/api/v1/projects/{job.project_id}/models/{job.version_id}/exports/{job.pk}/download/"
    return job_json(job, request, kind="model_export") | {
        "version": {"id": job.version_id, "number": job.version.number},
        "format": FORMATS[0],
        "download_url": request.build_absolute_uri(path) if job.file_key else None,
    }


class ModelExportList(ProjectView):
    @extend_schema(parameters=PAGED, operation_id="model_exports_list", responses={200: dict})
    def get(self, request: Request, project_id: int, version_id: int) -> Response:
        """Files of the version, the latest first."""
        project = self.project(_ROLE)
        _refuse_unknown(project, version_id)
        return page(
            request,
            selectors.exports(project.pk, version_id),
            lambda rows: [export_json(job, request) for job in rows],
            descending=True,
        )

    @extend_schema(operation_id="model_exports_create", request=dict, responses={202: dict, 200: dict})
    def post(self, request: Request, project_id: int, version_id: int) -> Response:
        """One that is being made already is answered instead of a second one."""
        project = self.project(_ROLE)
        sent = body_of(request)
        client_id = sent.pop("client_id", None)
        _refuse_other_fields(sent)
        stored, is_new = requests.once(
            project_id=project.pk,
            user=request.user,
            client_id=client_id,
            body=sent | {"version": version_id},
            act=lambda: {"id": model_exports.start(project.pk, version_id, actor_id=request.user.pk).pk},
        )
        job = _export(project, version_id, stored["id"])
        tasks.nudge(tasks.export_model, job.pk)
        location = request.build_absolute_uri(f"{request.path}{job.pk}/")
        return Response(
            export_json(job, request), status=202 if is_new else 200, headers={"Location": location}
        )


class ModelExportDetail(ProjectView):
    @extend_schema(operation_id="model_exports_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, version_id: int, job_id: int) -> Response:
        """The job; `download_url` is there once it is done."""
        return Response(export_json(_export(self.project(_ROLE), version_id, job_id), request))


class ModelExportCancel(ProjectView):
    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request, project_id: int, version_id: int, job_id: int) -> Response:
        """Stops it at its next step; 409 `job_finished` once it has ended."""
        job = _export(self.project(_ROLE), version_id, job_id)
        return Response(export_json(model_exports.cancel(job, actor_id=request.user.pk), request))


class ModelExportDownload(ProjectView):
    content_negotiation_class = downloads.AsItIs

    @extend_schema(operation_id="model_exports_download", responses={200: bytes, 206: bytes})
    def get(self, request: Request, project_id: int, version_id: int, job_id: int) -> HttpResponseBase:
        """The ONNX file, whole or in ranges; its ETag is its sha256."""
        job = model_exports.done(_export(self.project(_ROLE), version_id, job_id))
        return downloads.attachment(
            request,
            key=job.file_key,
            name=model_exports.file_name(job),
            content_type=model_exports.CONTENT_TYPE,
            etag=job.result["sha256"],
        )


def _refuse_other_fields(sent: dict[str, Any]) -> None:
    if unknown := sorted(sent.keys() - {"format"}):
        raise BadInput(f"Expected `format` alone, got {', '.join(unknown)}.", code="unknown_option")
    if sent.get("format", FORMATS[0]) not in FORMATS:
        raise BadInput(f"format: expected {FORMATS[0]}, got {sent['format']!r}.", code="bad_format")


def _refuse_unknown(project: Project, version_id: int) -> None:
    if selectors.version(project.pk, version_id) is None:
        raise NotFound(f"Model version {version_id} does not exist in this project.")


def _export(project: Project, version_id: int, job_id: int) -> ModelExport:
    job = selectors.export(project.pk, version_id, job_id)
    if job is None:
        raise NotFound(f"File {job_id} of model version {version_id} does not exist in this project.")
    return job
