"""API of the trash of a project: list its images, bring them back."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, checked, last_id_of, limit_of, next_address
from annotations.api.serializers import ActBody
from annotations.models import Image
from annotations.permissions import required_role
from annotations.selectors import queue
from annotations.selectors import trash as selector
from annotations.services import trash

_ROLE = required_role("edit_images")
IDS_MAX = 1_000


class RestoreBody(ActBody):
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), max_length=IDS_MAX
    )


def trashed_json(image: Image) -> dict[str, Any]:
    assert image.deleted_at is not None
    return {
        "id": image.pk,
        "name": image.name,
        "sha256": image.sha256,
        "caption": image.caption,
        "state": "removed",
        "thumbnail_url": queue.addresses(image)["thumbnail_url"],
        "deleted_at": image.deleted_at,
        "days_left": selector.days_left(image.deleted_at),
    }


class TrashList(ProjectView):
    @extend_schema(
        operation_id="trash_list",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("after", str)],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """The latest deleted first."""
        project, limit = self.project(_ROLE), limit_of(request)
        rows = selector.images(project)
        if (last_id := last_id_of(request)) is not None:
            rows = selector.images_after(project, last_id)
        found = list(rows[: limit + 1])
        shown = found[:limit]
        more = next_address(request, str(shown[-1].pk)) if len(found) > limit else None
        return Response({"results": [trashed_json(image) for image in shown], "next": more})


class TrashRestore(ProjectView):
    @extend_schema(operation_id="trash_restore", request=RestoreBody, responses={200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """Bring images back; ids that are not in the trash are passed over, so that it can be sent again."""
        project = self.project(_ROLE)
        said = checked(RestoreBody, request)

        def restore() -> dict[str, int]:
            return {"restored": trash.restore_images(project, said["ids"], actor=request.user)}

        answer, _ = self.answered_once(said, restore)
        return Response(answer)
