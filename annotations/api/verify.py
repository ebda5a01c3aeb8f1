"""API of answers about one tag: a page of them, and taking one back."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView
from annotations.api.serializers import VerifyBody
from annotations.permissions import required_role
from annotations.services import requests
from annotations.services import verify as service


class Verify(ProjectView):
    @extend_schema(request=VerifyBody, responses={200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        project = self.project(required_role("verify"))
        body = VerifyBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)

        def store() -> dict[str, Any]:
            return service.answer_tag(
                project,
                request.user,
                word=said["tag"],
                yes=said.get("yes", []),
                no=said.get("no", []),
                seconds=said.get("seconds"),
                model_number=said.get("model_number"),
            )

        answer, _ = requests.once(
            project_id=project.pk,
            user=request.user,
            client_id=said.pop("client_id", None),
            body=said,
            act=store,
        )
        return Response(answer)


class VerifyUndo(ProjectView):
    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request, project_id: int, page_id: int) -> Response:
        self.project(required_role("verify"))
        return Response(service.undo(self.membership, page_id))
