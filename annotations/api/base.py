"""What all API views share: the project with its permission check, keyset paging, reading of bodies."""

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from annotations.errors import BadInput
from annotations.models import Membership, Project, Role
from annotations.numbers import whole_number
from annotations.selectors import access
from annotations.services import requests

LIMIT_DEFAULT, LIMIT_MAX = 100, 1_000


# What pages of a list, and changes that can be told before they are made, take in their address: for the API's docs.
PAGED = [
    OpenApiParameter("limit", int, description=f"From 1 to {LIMIT_MAX:,}; {LIMIT_DEFAULT} unless said."),
    OpenApiParameter("after", str, description="Stands in the `next` address of the page before."),
]
PREVIEW = [
    OpenApiParameter("preview", bool, description="Answers what the change would touch, and makes none.")
]


# A view below /projects/{p}/: `self.project(...)` answers the project or raises 404 / 403. A docstring here would be
# told of every operation that has none.
class ProjectView(APIView):
    permission_classes = [IsAuthenticated]

    @functools.cached_property
    def membership(self) -> Membership:
        return access.membership_for(self.request.user, self.kwargs["project_id"])

    def project(self, at_least: Role = Role.ANNOTATOR) -> Project:
        access.require_role(self.membership, at_least)
        return self.membership.project

    def answered_once(self, said: Mapping[str, Any], act: Callable[[], Any]) -> tuple[Any, bool]:
        """The answer of `act`, as it is sent, and whether it ran now. `said` is the checked body.

        A `client_id` in it that has come to this address before, with the same body, gets the first answer again.
        """
        body = dict(said)
        client_id = body.pop("client_id", None)
        stored, is_new = requests.once(
            project_id=self.membership.project_id,
            user=self.request.user,
            client_id=client_id,
            body=[self.request.path, body],
            act=lambda: {"answer": json.loads(JSONRenderer().render(act()))},
        )
        return stored["answer"], is_new


def checked(shape: type[Serializer], request: Request) -> dict[str, Any]:
    """The body as its shape reads it. Raises DRF's ValidationError."""
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of the request, or the fields of a form, of which each counts once."""
    if isinstance(request.data, QueryDict):
        return request.data.dict()
    if not isinstance(request.data, Mapping):
        raise BadInput("The body is a JSON object.", code="bad_body")
    return dict(request.data)


def limit_of(request: Request) -> int:
    """`?limit=`, from 1 to 1,000."""
    text = request.query_params.get("limit", str(LIMIT_DEFAULT))
    limit = whole_number(text)
    if limit is None or not 1 <= limit <= LIMIT_MAX:
        raise BadInput(
            f"`limit` is a whole number from 1 to {LIMIT_MAX:,}, not “{text[:40]}”.", code="bad_limit"
        )
    return limit


def last_id_of(request: Request) -> int | None:
    """`?after=`, the last id of the page before; None for the first page."""
    after = request.query_params.get("after")
    last_id = None if after is None else whole_number(after)
    if after is not None and last_id is None:
        raise BadInput("`after` comes from the `next` address of the page before.", code="bad_after")
    return last_id


def page(
    request: Request,
    rows: QuerySet,
    to_json: Callable[[list[Any]], list[Any]],
    *,
    descending: bool = False,
    count: int | None = None,
) -> Response:
    """A list in keyset pages by id: `after` in the next address is the last id seen."""
    limit = limit_of(request)
    last_id = last_id_of(request)
    if last_id is not None:
        rows = rows.filter(pk__lt=last_id) if descending else rows.filter(pk__gt=last_id)
    found = list(rows.order_by("-pk" if descending else "pk")[: limit + 1])
    shown = found[:limit]
    answer: dict[str, Any] = {"results": to_json(shown), "next": None}
    if len(found) > limit:
        answer["next"] = next_address(request, str(shown[-1].pk))
    if count is not None:
        answer["count"] = count
    return Response(answer)


def next_address(request: Request, after: str) -> str:
    query = request.query_params.copy()
    query["after"] = after
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def flag_of(request: Request, name: str) -> bool | None:
    """A true or false in the query; None when absent."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if text.lower() not in ("true", "false", "1", "0"):
        raise BadInput(f"`{name}` is true or false, not “{text}”.", code="bad_flag")
    return text.lower() in ("true", "1")
