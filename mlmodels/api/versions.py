"""API of model versions: list, one version, its evaluation, and putting it live."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import PAGED, ProjectView, checked, page
from annotations.api.serializers import ActBody
from annotations.errors import BadInput, NotFound
from annotations.models import Image, Project, Role
from annotations.selectors import images, model_inputs
from mlmodels import selectors, tasks
from mlmodels.models import ModelVersion
from mlmodels.services import evaluation_detail, forecasts, tuned_backbones, versions
from mlmodels.services.evaluation_detail import Error

ERRORS, PAIRS = 40, 40
# What a list does not send: it may be megabytes for a large vocabulary.
UNSENT = ("tag_metrics", "curves", "details", "tag_ids")


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
        "snapshot": version.snapshot or None,
        "fingerprint": version.fingerprint,
        "seed": version.seed,
        "sha256": version.artifact_sha256,
        "created_at": version.created_at,
        "activated_at": version.activated_at,
    }


class VersionList(ProjectView):
    @extend_schema(parameters=PAGED, operation_id="models_list", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """Managers. The latest first."""
        project = self.project(Role.MANAGER)
        live_id = model_inputs.live(project.pk).version_id
        return page(
            request,
            selectors.versions(project.pk).defer(*UNSENT),
            lambda rows: [version_json(version, live_id) for version in rows],
            descending=True,
        )


class VersionDetail(ProjectView):
    @extend_schema(operation_id="models_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, version_id: int) -> Response:
        """One version with its figures tag by tag, what the gate compared, and what more reviews would bring."""
        project = self.project(Role.MANAGER)
        version = _version(project, version_id)
        return Response(
            version_json(version, model_inputs.live(project.pk).version_id)
            | {
                "tags": version.tag_metrics,
                "details": version.details,
                "forecast": _forecast_json(version),
            }
        )


class VersionActivate(ProjectView):
    @extend_schema(request=ActBody, responses={200: dict})
    def post(self, request: Request, project_id: int, version_id: int) -> Response:
        """Admins. Puts the version live, also one that was refused."""
        project = self.project(Role.ADMIN)

        def activate() -> dict[str, Any]:
            return version_json(
                versions.activate(project.pk, version_id, actor_id=request.user.pk), version_id
            )

        answer, is_new = self.answered_once(checked(ActBody, request), activate)
        if is_new:
            tasks.nudge(tasks.version_activated, project.pk)
        return Response(answer)


class VersionEvaluation(ProjectView):
    @extend_schema(
        parameters=[OpenApiParameter("tag", int, description="Leaves the detail to this tag's scores.")],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int, version_id: int) -> Response:
        """What the version was judged by: figures, curves, histograms, pairs of tags and the worst errors."""
        project = self.project(Role.MANAGER)
        version = _version(project, version_id)
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
                "detail": _detail_json(project, version, _tag_id(request, version)),
            }
        )


def _forecast_json(version: ModelVersion) -> dict[str, Any] | None:
    """What more reviews would bring, of all tags and of each; null where the curve was not climbed for this version."""
    row = forecasts.of_version(version.pk)
    if row is None:
        return None
    return {
        "judged_on": row.judged_on,
        "judged_images": len(row.judged_ids),
        "backbone_has_seen_answers": tuned_backbones.has_seen_answers(version),
        "overall": row.overall or None,
        "tags": row.tags,
        "finished_at": row.finished_at,
    }


def _tag_id(request: Request, version: ModelVersion) -> int | None:
    asked = request.query_params.get("tag")
    if asked is None:
        return None
    if asked not in version.tag_metrics:
        raise BadInput(
            f"`tag` is the id of a tag that this version has judged, not “{asked[:40]}”.", code="bad_tag"
        )
    return int(asked)


def _detail_json(project: Project, version: ModelVersion, tag_id: int | None) -> dict[str, Any] | None:
    """What the stored scores say, of one tag or of all; None where none were stored."""
    judged = evaluation_detail.read(version)
    if judged is None:
        return None
    chosen = judged if tag_id is None else judged.of_tag(tag_id)
    false = evaluation_detail.highest_no(chosen, ERRORS)
    missed = evaluation_detail.lowest_yes(chosen, ERRORS)
    shown = images.with_scores(project, evaluation_detail.image_ids(false, missed))
    return {
        "tag": tag_id,
        "images": len(judged.image_ids),
        "curves": evaluation_detail.draw_curves(chosen),
        "histogram": [asdict(step) for step in evaluation_detail.histogram(chosen)],
        "co_occurrence": [
            {"tags": list(pair.tag_ids), "said": pair.said, "predicted": pair.predicted}
            for pair in evaluation_detail.pairs(judged, PAIRS)
        ],
        "highest_no": _errors_json(false, shown),
        "lowest_yes": _errors_json(missed, shown),
    }


def _errors_json(errors: list[Error], shown: Mapping[int, Image]) -> list[dict[str, Any]]:
    return [
        {"image": error.image_id, "tag": error.tag_id, "score": error.score}
        for error in errors
        if error.image_id in shown
    ]


def _version(project: Project, version_id: int) -> ModelVersion:
    version = selectors.version(project.pk, version_id)
    if version is None:
        raise NotFound(f"Model version {version_id} does not exist in this project.")
    return version
