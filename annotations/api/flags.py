"""API of flags: list, raise one or many, answer, resolve and open again."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, page
from annotations.errors import BadInput, DomainError
from annotations.models import Flag, FlagComment
from annotations.models.flag import COMMENT_MAX_CHARS
from annotations.numbers import whole_number
from annotations.permissions import required_role
from annotations.selectors import flags as selector
from annotations.selectors import queue
from annotations.services import flags, requests
from tagger import api_errors

LIST_MAX = 200


class FlagAnswer(serializers.Serializer):
    client_id = serializers.UUIDField(required=False)
    comment = serializers.CharField(max_length=COMMENT_MAX_CHARS)


class FlagBody(FlagAnswer):
    image = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


class FlagDecision(serializers.Serializer):
    client_id = serializers.UUIDField(required=False)


def flag_json(flag: Flag) -> dict[str, Any]:
    image = flag.image
    return {
        "id": flag.pk,
        "image": {"id": image.pk, "name": image.name, **queue.addresses(image)},
        "author": flag.author and flag.author.username,
        "comment": flag.comment,
        "state": "open" if flag.resolved_at is None else "resolved",
        "created_at": flag.created_at,
        "resolved_at": flag.resolved_at,
        "resolved_by": flag.resolved_by and flag.resolved_by.username,
        "comments": [_comment_json(comment) for comment in flag.comments.all()],
    }


class FlagView(ProjectView):
    """What the views of flags share: one is fetched as its person may see it, and acts are stored once."""

    def flag(self) -> Flag:
        return selector.get(self.membership, self.kwargs["flag_id"])

    def once(
        self, body: Any, client_id: Any, act: Callable[[], dict[str, Any]]
    ) -> tuple[dict[str, Any], bool]:
        return requests.once(
            project_id=self.membership.project_id,
            user=self.request.user,
            client_id=client_id,
            body=[type(self).__name__, self.kwargs.get("flag_id"), body],
            act=act,
        )


class FlagList(FlagView):
    @extend_schema(
        operation_id="flags_list",
        parameters=[
            OpenApiParameter("state", str, enum=list(selector.STATES)),
            OpenApiParameter("image", int),
            OpenApiParameter("limit", int),
            OpenApiParameter("after", str),
        ],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """Newest first; an annotator gets their own, a reviewer all."""
        self.project(required_role("raise_flags"))
        state = request.query_params.get("state")
        if state is not None and state not in selector.STATES:
            raise BadInput(
                f"`state` is one of {', '.join(selector.STATES)}, not “{state[:40]}”.", code="bad_state"
            )
        rows = selector.listing(self.membership, state=state, image_id=_image_id(request))
        return page(request, rows, lambda found: [flag_json(flag) for flag in found], descending=True)

    @extend_schema(operation_id="flags_raise", request=FlagBody, responses={201: dict, 200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """One flag, or a list of them: then 200 with `[{status, flag|error}]` in order."""
        self.project(required_role("raise_flags"))
        if not isinstance(request.data, list):
            flag, is_new = self._raise(request.data)
            return Response(flag_json(flag), status=201 if is_new else 200)
        if len(request.data) > LIST_MAX:
            raise BadInput(
                f"At most {LIST_MAX} flags fit into one request, not {len(request.data)}.", code="too_many"
            )
        return Response([self._raise_one(body) for body in request.data])

    def _raise(self, data: Any) -> tuple[Flag, bool]:
        said = _checked(FlagBody, data)
        client_id = said.pop("client_id", None)

        def act() -> dict[str, Any]:
            flag = flags.raise_flag(
                self.membership.project, said["image"], comment=said["comment"], actor=self.request.user
            )
            return {"id": flag.pk}

        stored, is_new = self.once(said, client_id, act)
        return selector.get(self.membership, stored["id"]), is_new

    def _raise_one(self, data: Any) -> dict[str, Any]:
        """Each flag stands for itself: one that is refused does not hold the others back."""
        try:
            flag, is_new = self._raise(data)
        except DomainError as error:
            return {"status": error.status} | api_errors.body(error.code, error.message, error.fields)
        return {"status": 201 if is_new else 200, "flag": flag_json(flag)}


class FlagDetail(FlagView):
    @extend_schema(operation_id="flags_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, flag_id: int) -> Response:
        """A flag with its answers."""
        self.project(required_role("raise_flags"))
        return Response(flag_json(self.flag()))


class FlagComments(FlagView):
    @extend_schema(operation_id="flags_comment", request=FlagAnswer, responses={201: dict, 200: dict})
    def post(self, request: Request, project_id: int, flag_id: int) -> Response:
        """Answer a flag that one may see."""
        self.project(required_role("raise_flags"))
        flag, said = self.flag(), _checked(FlagAnswer, request.data)
        client_id = said.pop("client_id", None)

        def act() -> dict[str, Any]:
            return {"id": flags.answer(flag, text=said["comment"], actor=request.user).pk}

        stored, is_new = self.once(said, client_id, act)
        comment = FlagComment.objects.select_related("author").get(flag=flag, pk=stored["id"])
        return Response(_comment_json(comment), status=201 if is_new else 200)


class FlagResolve(FlagView):
    @extend_schema(operation_id="flags_resolve", request=FlagDecision, responses={200: dict})
    def post(self, request: Request, project_id: int, flag_id: int) -> Response:
        """Close it. Whoever was slower gets 409 `already_resolved`."""
        return self.decide(flags.resolve)

    def decide(self, act: Callable[..., Flag]) -> Response:
        self.project(required_role("resolve_flags"))
        flag, said = self.flag(), _checked(FlagDecision, self.request.data)
        self.once({}, said.get("client_id"), lambda: {"id": act(flag, actor=self.request.user).pk})
        return Response(flag_json(self.flag()))


class FlagReopen(FlagResolve):
    @extend_schema(operation_id="flags_reopen", request=FlagDecision, responses={200: dict})
    def post(self, request: Request, project_id: int, flag_id: int) -> Response:
        """Take the resolving back."""
        return self.decide(flags.reopen)


def _comment_json(comment: FlagComment) -> dict[str, Any]:
    return {
        "id": comment.pk,
        "author": comment.author and comment.author.username,
        "comment": comment.text,
        "created_at": comment.created_at,
    }


def _checked(shape: type[serializers.Serializer], data: Any) -> dict[str, Any]:
    """The checked body. Raises BadInput naming the field, so that one of a list can be refused alone."""
    body = shape(data=data)
    if not body.is_valid():
        field, complaints = next(iter(body.errors.items()))
        raise BadInput(f"{field}: {complaints[0]}", code="bad_input", **body.errors)
    return dict(body.validated_data)


def _image_id(request: Request) -> int | None:
    text = request.query_params.get("image")
    if text is None:
        return None
    number = whole_number(text)
    if number is None:
        raise BadInput(f"`image` is an image's id, not “{text[:40]}”.", code="bad_image")
    return number
