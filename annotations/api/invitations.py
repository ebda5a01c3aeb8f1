"""API of invitations: list, make one with its link, take one back. Joining is for people, on the link's page."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, page
from annotations.errors import BadInput
from annotations.models import Invitation
from annotations.models.invitation import NOTE_MAX_CHARS
from annotations.permissions import required_role
from annotations.selectors import invitations as selector
from annotations.services import invitations, requests

_ROLE = required_role("edit_members")


class InvitationBody(serializers.Serializer):
    client_id = serializers.UUIDField(required=False)
    role = serializers.CharField(max_length=10)
    note = serializers.CharField(required=False, allow_blank=True, max_length=NOTE_MAX_CHARS)


def invitation_json(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.pk,
        "role": invitation.role,
        "note": invitation.note,
        "state": selector.state(invitation),
        "invited_by": invitation.created_by and invitation.created_by.username,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "used_by": invitation.used_by and invitation.used_by.username,
        "used_at": invitation.used_at,
    }


class InvitationList(ProjectView):
    @extend_schema(
        operation_id="invitations_list",
        parameters=[
            OpenApiParameter("state", str, enum=list(selector.STATES)),
            OpenApiParameter("limit", int),
            OpenApiParameter("after", str),
        ],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """Newest first, whatever their state, unless `state` names one."""
        project = self.project(_ROLE)
        state = request.query_params.get("state")
        if state is not None and state not in selector.STATES:
            raise BadInput(
                f"`state` is one of {', '.join(selector.STATES)}, not “{state[:40]}”.", code="bad_state"
            )
        rows = selector.listing(project, state=state)
        return page(request, rows, lambda found: [invitation_json(one) for one in found], descending=True)

    @extend_schema(
        operation_id="invitations_create", request=InvitationBody, responses={201: dict, 200: dict}
    )
    def post(self, request: Request, project_id: int) -> Response:
        """`link` is told once and stored nowhere: with a `client_id` that was used it is null."""
        project = self.project(_ROLE)
        body = InvitationBody(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        client_id = fields.pop("client_id", None)
        links: list[str] = []

        def create() -> dict[str, Any]:
            made, token = invitations.create(self.membership, **fields)
            links.append(request.build_absolute_uri(reverse("join", args=[token])))
            return {"id": made.pk}

        stored, is_new = requests.once(
            project_id=project.pk, user=request.user, client_id=client_id, body=fields, act=create
        )
        answer = invitation_json(selector.get(project, stored["id"])) | {"link": links[0] if is_new else None}
        return Response(answer, status=201 if is_new else 200)


class InvitationDetail(ProjectView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, project_id: int, invitation_id: int) -> Response:
        """Take it back: its link leads nowhere any more."""
        self.project(_ROLE)
        invitations.revoke(self.membership, invitation_id)
        return Response(status=204)
