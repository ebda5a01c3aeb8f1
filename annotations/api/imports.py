"""API of imports: start one from files, an archive, addresses, a bucket or server files; list, look, cancel."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import tasks
from annotations.api.base import PAGED, ProjectView, body_of, page
from annotations.api.jobs import job_json
from annotations.importers import sources, uploads
from annotations.importers.uploads import StagedUpload
from annotations.models import ImportJob, Project
from annotations.permissions import required_role
from annotations.selectors import jobs
from annotations.services import imports, requests, storage
from tagger.parsers import ShallowJSONParser

_ROLE = required_role("import")


class ImportList(ProjectView):
    # Uploads are staged while they arrive.
    parser_classes = [ShallowJSONParser, uploads.StagedMultiPartParser]
    area = ""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self.area = uploads.stage_uploads(request).area
        return super().initialize_request(request, *args, **kwargs)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.keeps_area = False
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            if self.area and not self.keeps_area:
                storage.delete_area(self.area)

    @extend_schema(parameters=PAGED, operation_id="imports_list", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """Managers. The latest first."""
        rows = ImportJob.objects.filter(project=self.project(_ROLE))
        return page(request, rows, lambda found: [job_json(job, request) for job in found], descending=True)

    @extend_schema(
        parameters=[OpenApiParameter("preview", bool, description="Reads a table, and stores nothing.")],
        operation_id="imports_create",
        request=dict,
        responses={202: dict},
    )
    def post(self, request: Request, project_id: int) -> Response:
        """Managers. One source, in a form or in JSON; the answer is a job that a worker carries out.

        The source is `files` (with `captions_file` if wanted), an `archive`, a `manifest` (a table, with `mapping` and
        `tags_separator`), `urls`, `items`, `s3` or `path`. Beside it go `create_tags`, `complete`, `file_keywords`,
        `format`, `unmatched_captions`, `parts` and `client_id`.
        """
        project = self.project(_ROLE)
        sent, files = _form(request)
        if sources.is_preview(sent | {name: request.GET[name] for name in request.GET if name == "preview"}):
            return Response(sources.previewed(sent, files).as_json())
        stored, is_new = requests.once(
            project_id=project.pk,
            user=request.user,
            client_id=sent.get("client_id"),
            body=uploads.fingerprint(sent, files),
            act=lambda: {"job": self._start(project, request, sent, files).pk},
        )
        job = jobs.job_of(ImportJob, project, stored["job"])
        location = request.build_absolute_uri(f"{request.path}{job.pk}/")
        return Response(job_json(job, request), status=202 if is_new else 200, headers={"Location": location})

    def _start(
        self, project: Project, request: Request, sent: dict[str, Any], files: list[StagedUpload]
    ) -> ImportJob:
        source = sources.read(sent, files, area=self.area)
        job = imports.start(
            project,
            actor=request.user,
            source=source.name,
            batch=source.batch,
            options=sources.options(sent),
            area=self.area,
        )
        self.keeps_area = True
        tasks.nudge(tasks.run_import, job.pk)
        return job


class ImportDetail(ProjectView):
    @extend_schema(operation_id="imports_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, job_id: int) -> Response:
        """The job, with what landed and every item that was refused, and why."""
        return Response(job_json(jobs.job_of(ImportJob, self.project(_ROLE), job_id), request))


class ImportCancel(ProjectView):
    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request, project_id: int, job_id: int) -> Response:
        """Stops it at its next step; what has landed stays. 409 `job_finished` once it has ended."""
        job = jobs.job_of(ImportJob, self.project(_ROLE), job_id)
        return Response(job_json(imports.cancel(job, actor=request.user), request))


def _form(request: Request) -> tuple[dict[str, Any], list[StagedUpload]]:
    """The fields and the files of a form, or the object of a JSON body."""
    if request.content_type.startswith("application/json"):
        return body_of(request), []
    fields = {name: request.data[name] for name in request.data if name not in request.FILES}
    return fields, [upload for name in request.FILES for upload in request.FILES.getlist(name)]
