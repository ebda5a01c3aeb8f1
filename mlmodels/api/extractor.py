"""API of a project's extractor: which one is asked for, which one suggestions read, and how far the change is."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView
from annotations.models import Role
from mlmodels.services import extractor_progress
from mlmodels.services.extractor_progress import ExtractorProgress


class ProjectExtractorDetail(ProjectView):
    @extend_schema(operation_id="extractor_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """Managers. The extractor that is asked for, the one that suggestions read, and how far a change is."""
        return Response(_json(extractor_progress.of_project(self.project(Role.MANAGER).pk)))


def _json(progress: ExtractorProgress) -> dict[str, Any]:
    return {
        "asked": progress.asked,
        "read": progress.read,
        "state": progress.state,
        "problem": progress.problem,
        "progress": {"done": progress.looked_at, "total": progress.images, "unit": "images"},
    }
