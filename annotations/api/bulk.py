"""API of actions on many images: start one, look, cancel, take it back."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import tasks
from annotations.api.base import PAGED, ProjectView, checked, page
from annotations.api.jobs import job_json
from annotations.api.serializers import ActBody, BulkBody
from annotations.models import BulkJob
from annotations.permissions import required_role
from annotations.selectors import jobs
from annotations.services import bulk, requests

_ROLE = required_role("verify")


class BulkList(ProjectView):
    @extend_schema(parameters=PAGED, operation_id="images_bulk_list", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """Reviewers. The latest first."""
        rows = BulkJob.objects.filter(project=self.project(_ROLE)).defer("image_ids")
        return page(request, rows, lambda found: [job_json(job) for job in found], descending=True)

    @extend_schema(operation_id="images_bulk_create", request=BulkBody, responses={202: dict, 200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """Reviewers; `delete` is for managers. One action on the images of `ids` or `filter` as they are now."""
        self.project(_ROLE)
        body = BulkBody(data=request.data)
        body.is_valid(raise_exception=True)
        said: dict[str, Any] = dict(body.validated_data)
        client_id = said.pop("client_id", None)
        bulk.require_roles(self.membership, delete=said["delete"])
        return self._stored(request, client_id, said, lambda: bulk.start(self.membership, **said))

    def _stored(self, request: Request, client_id: Any, body: Any, act: Any) -> Response:
        stored, is_new = requests.once(
            project_id=self.membership.project_id,
            user=request.user,
            client_id=client_id,
            body=body,
            act=lambda: {"job": act().pk},
        )
        if is_new:
            tasks.nudge(tasks.run_bulk, stored["job"])
        return _answer(request, jobs.job_of(BulkJob, self.membership.project, stored["job"]), is_new)


class BulkDetail(ProjectView):
    @extend_schema(operation_id="images_bulk_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, job_id: int) -> Response:
        """How far it is."""
        return Response(job_json(jobs.job_of(BulkJob, self.project(_ROLE), job_id)))


class BulkCancel(ProjectView):
    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request, project_id: int, job_id: int) -> Response:
        """Stops it; what it has done stays and can be undone."""
        job = jobs.job_of(BulkJob, self.project(_ROLE), job_id)
        return Response(job_json(bulk.cancel(self.membership, job)))


class BulkUndo(ProjectView):
    @extend_schema(request=ActBody, responses={202: dict, 200: dict})
    def post(self, request: Request, project_id: int, job_id: int) -> Response:
        """Takes back what the action did, as an action of its own."""
        project = self.project(_ROLE)
        done, said = jobs.job_of(BulkJob, project, job_id), checked(ActBody, request)
        undoing, is_new = self.answered_once(said, lambda: bulk.undo(self.membership, done).pk)
        if is_new:
            tasks.nudge(tasks.run_bulk, undoing)
        return _answer(request, jobs.job_of(BulkJob, project, undoing), is_new)


def _answer(request: Request, job: BulkJob, is_new: bool) -> Response:
    path = f"/api/v1/projects/{job.project_id}/images/bulk/{job.pk}/"
    headers = {"Location": request.build_absolute_uri(path)}
    return Response(job_json(job), status=202 if is_new else 200, headers=headers)
