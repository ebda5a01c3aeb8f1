"""API of images that look alike."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, limit_of
from annotations.permissions import required_role
from annotations.selectors import images, queue
from mlmodels.services import similar

LIMIT_DEFAULT = 24


class SimilarImages(ProjectView):
    @extend_schema(
        parameters=[OpenApiParameter("limit", int, default=LIMIT_DEFAULT)],
        operation_id="images_similar",
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int, image_id: int) -> Response:
        """Nearest first. `yes` is left out for a holdout image that waits for reviews: it would be an answer."""
        project = self.project(required_role("see_images"))
        image = images.get(project, image_id)
        limit = limit_of(request) if "limit" in request.query_params else LIMIT_DEFAULT
        near = similar.nearest(project.pk, image.pk, limit=limit)
        if near is None:
            return Response({"results": [], "next": None, "ready": False, "complete": False})
        distances = dict(near.found)
        found = images.by_ids(project, list(distances))
        rows: list[dict[str, Any]] = [
            {"id": one.pk, "name": one.name, "distance": round(distances[one.pk], 4), **queue.addresses(one)}
            for one in found
        ]
        if not images.is_blind(project, image):
            truths = images.truths(project, found)
            names = images.tag_names(project, {tag for truth in truths.values() for tag in truth.yes})
            for one, row in zip(found, rows, strict=True):
                row["yes"] = sorted(names[tag_id] for tag_id in truths[one.pk].yes)
        return Response({"results": rows, "next": None, "ready": True, "complete": near.is_complete})
