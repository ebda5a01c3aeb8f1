"""API of the audit trail: who did what to the project, newest first."""

from dataclasses import asdict

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, page
from annotations.permissions import required_role
from annotations.selectors import audit, image_filters


class AuditList(ProjectView):
    @extend_schema(
        operation_id="audit_list",
        parameters=[
            OpenApiParameter("actor", str, description="A user name."),
            OpenApiParameter(
                "action", str, description="One action (`tags.retire`), or all of a thing (`tags`)."
            ),
            OpenApiParameter("since", str, description="A day or a time: 2026-03-31T12:00:00Z."),
            OpenApiParameter("limit", int),
            OpenApiParameter("after", str),
        ],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """`sentence` goes on after the actor's name; `actor` is null for what a command or the machine did."""
        project = self.project(required_role("see_audit"))
        asked = request.query_params
        events = audit.listing(
            project,
            actor=asked.get("actor"),
            actions=[asked["action"]] if "action" in asked else [],
            since=image_filters.moment("since", asked["since"]) if "since" in asked else None,
        )
        return page(
            request,
            events,
            lambda found: [asdict(event) for event in audit.told(project, found)],
            descending=True,
        )
