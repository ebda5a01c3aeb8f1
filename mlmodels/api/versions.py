"""API of model versions: list, one version, its evaluation, and putting it live."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, page
from annotations.errors import NotFound
from annotations.models import Project, Role
from annotations.selectors import model_inputs
from mlmodels import selectors, tasks
from mlmodels.models import ModelVersion
from mlmodels.services import versions


def version_json(version: ModelVersion, live_id: int | None) -> dict[str, Any]:
    return {
        "id": version.pk,
        "number": version.number,
        "kind": "head",
        "live": version.pk == live_id,
        "verdict": version.verdict,
        "reasons": version.reasons,
        "metrics": version.metrics,
        "extractor": version.extractor.key,
        "parent": version.parent_id,
        "run": version.run_id,
        "trained_images": version.trained_images,
        "trained_reviews": version.trained_reviews,
        "trained_decisions": version.trained_decisions,
        "vocabulary_version": version.vocabulary_version,
        "fingerprint": version.fingerprint,
        "seed": version.seed,
        "sha256": version.artifact_sha256,
        "created_at": version.created_at,
        "activated_at": version.activated_at,
    }


class VersionList(ProjectView):
    @extend_schema(operation_id="models_list", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        project = self.project(Role.MANAGER)
        live_id = model_inputs.live(project.pk).version_id
        return page(
            request,
            selectors.versions(project.pk),
            lambda rows: [version_json(version, live_id) for version in rows],
            descending=True,
        )


class VersionDetail(ProjectView):
    @extend_schema(operation_id="models_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, version_id: int) -> Response:
        project = self.project(Role.MANAGER)
        version = _version(project, version_id)
        return Response(
            version_json(version, model_inputs.live(project.pk).version_id)
            | {"tags": version.tag_metrics, "details": version.details}
        )


class VersionActivate(ProjectView):
    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request, project_id: int, version_id: int) -> Response:
        project = self.project(Role.ADMIN)
        version = versions.activate(project.pk, version_id, actor_id=request.user.pk)
        tasks.nudge(tasks.version_activated, project.pk)
        return Response(version_json(version, version.pk))


class VersionEvaluation(ProjectView):
    @extend_schema(responses={200: dict})
    def get(self, request: Request, project_id: int, version_id: int) -> Response:
        version = _version(self.project(Role.MANAGER), version_id)
        return Response(
            {
                "id": version.pk,
                "number": version.number,
                "metrics": version.metrics,
                "tags": [{"id": int(tag_id), **figures} for tag_id, figures in version.tag_metrics.items()],
                "curves": version.curves,
                "verdict": version.verdict,
                "reasons": version.reasons,
                "details": version.details,
            }
        )


def _version(project: Project, version_id: int) -> ModelVersion:
    version = selectors.version(project.pk, version_id)
    if version is None:
        raise NotFound(f"Model version {version_id} does not exist in this project.")
    return version
