"""API of the grid: what to ask next about one tag, a page of answers, and taking one back."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import tasks
from annotations.api.base import PAGED, ProjectView, checked, limit_of
from annotations.api.serializers import ActBody, VerifyBody
from annotations.errors import BadInput
from annotations.numbers import id_or_word, whole_number
from annotations.permissions import required_role
from annotations.selectors import verify as selector
from annotations.selectors import vocabulary
from annotations.services import requests
from annotations.services import verify as service

WITHOUT_MAX = 1_000


class Verify(ProjectView):
    @extend_schema(
        operation_id="verify_next",
        parameters=[
            OpenApiParameter("tag", str, required=True),
            OpenApiParameter("order", str, enum=list(selector.ORDERS), default=selector.BEST),
            OpenApiParameter("without", str, description="Ids with commas between them."),
            PAGED[0],
        ],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """The next images of `tag`, in `order` (best, uncertain), but for the ids in `without`."""
        project = self.project(required_role("verify"))
        query = request.query_params
        tag = vocabulary.active_tag(project, id_or_word(query.get("tag", "")))
        tasks.keep_ranked(project.pk)
        found = selector.candidates(
            project,
            tag.pk,
            order=_order(query.get("order", selector.BEST)),
            limit=limit_of(request),
            without=_ids(query.get("without", "")),
        )
        waiting = selector.waiting_for(project, tag)
        return Response(
            {
                "tag": {"id": tag.pk, "name": tag.name},
                "waiting": waiting.waiting,
                "offered": waiting.offered,
                "built_at": selector.built_at(project),
                "results": [selector.tile(candidate) for candidate in found],
            }
        )

    @extend_schema(request=VerifyBody, responses={200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """Answers about one tag: images that have it and images that do not. None is reviewed by it."""
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
    @extend_schema(request=ActBody, responses={200: dict})
    def post(self, request: Request, project_id: int, page_id: int) -> Response:
        """Takes a whole page of answers back, one's own or, as a reviewer, anybody's."""
        self.project(required_role("verify"))
        said = checked(ActBody, request)
        answer, _ = self.answered_once(said, lambda: service.undo(self.membership, page_id))
        return Response(answer)


def _order(text: str) -> str:
    if text not in selector.ORDERS:
        raise BadInput(
            f"`order` is one of {', '.join(selector.ORDERS)}, not “{text[:40]}”.", code="bad_order"
        )
    return text


def _ids(text: str) -> list[int]:
    words = text.split(",") if text else []
    ids = [number for word in words if (number := whole_number(word)) is not None]
    if len(ids) < len(words) or len(ids) > WITHOUT_MAX:
        raise BadInput(
            f"`without` is at most {WITHOUT_MAX:,} ids of images with commas between them.", code="bad_ids"
        )
    return ids
