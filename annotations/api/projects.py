"""API of projects, their figures and members."""

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.api.base import PAGED, ProjectView, checked, page
from annotations.api.serializers import MemberBody, ProjectBody
from annotations.errors import BadInput
from annotations.models import Membership, Project, Role
from annotations.numbers import id_or_word
from annotations.selectors import access, one_tag, stats, vocabulary
from annotations.services import projects, requests


def project_json(project: Project, role: str) -> dict[str, Any]:
    return {
        "id": project.pk,
        **{field: getattr(project, field) for field in projects.SETTINGS},
        "vocabulary_version": project.vocabulary_version,
        "created_at": project.created_at,
        "role": role,
    }


class ProjectList(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(parameters=PAGED, operation_id="projects_list", responses={200: dict})
    def get(self, request: Request) -> Response:
        """The caller's projects, each with their role in it."""
        mine = Membership.objects.filter(user=request.user, project__deleted_at=None).select_related(
            "project"
        )
        roles = {membership.project_id: membership.role for membership in mine}
        rows = Project.objects.filter(pk__in=roles, deleted_at=None)
        return page(
            request, rows, lambda found: [project_json(project, roles[project.pk]) for project in found]
        )

    @extend_schema(request=ProjectBody, responses={201: dict})
    def post(self, request: Request) -> Response:
        """Managers and admins of the installation only; the creator becomes the admin of the project."""
        body = ProjectBody(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        client_id = fields.pop("client_id", None)
        if "name" not in fields:
            raise BadInput("A project needs a name.", code="bad_name")

        def create() -> dict[str, Any]:
            return {"id": projects.create(request.user, **fields).pk}

        stored, is_new = requests.once(
            project_id=None, user=request.user, client_id=client_id, body=fields, act=create
        )
        made = access.membership_for(request.user, stored["id"])
        return Response(project_json(made.project, made.role), status=201 if is_new else 200)


class ProjectDetail(ProjectView):
    @extend_schema(operation_id="projects_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """The project's settings and the caller's role in it."""
        return Response(project_json(self.project(), self.membership.role))

    @extend_schema(request=ProjectBody, responses={200: dict})
    def patch(self, request: Request, project_id: int) -> Response:
        """Managers. Changes the settings that are sent; the extractor is for admins."""
        self.project(Role.MANAGER)
        body = ProjectBody(data=request.data)
        body.is_valid(raise_exception=True)
        changes = {key: value for key, value in body.validated_data.items() if key != "client_id"}
        project = projects.update(self.membership, changes)
        return Response(project_json(project, self.membership.role))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, project_id: int) -> Response:
        """Admins. Moves the project to the trash, from where a page brings it back within 30 days."""
        self.project(Role.ADMIN)
        projects.trash(self.membership)
        return Response(status=204)


class ProjectStats(ProjectView):
    @extend_schema(parameters=[OpenApiParameter("tag", str)], responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """Figures of the project; with `tag` also how far the answers about that one have come."""
        project = self.project()
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        mine = stats.person_today(project, request.user, since=midnight)
        answer = stats.project_stats(project) | {"me": mine}
        if word := request.query_params.get("tag"):
            tag = vocabulary.active_tag(project, id_or_word(word))
            answer["tag"] = {"id": tag.pk, **asdict(one_tag.progress(project, tag.pk))}
        return Response(answer)


class MemberList(ProjectView):
    @extend_schema(parameters=PAGED, responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """Managers."""
        rows = Membership.objects.filter(project=self.project(Role.MANAGER)).select_related("user")
        return page(request, rows, lambda found: [member_json(member) for member in found])

    @extend_schema(request=MemberBody, responses={201: dict, 200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """Managers. Adds somebody who has an account, or changes their role; admins are appointed by admins."""
        self.project(Role.MANAGER)
        said = checked(MemberBody, request)
        answer, is_new = self.answered_once(
            said, lambda: member_json(projects.set_member(self.membership, said["user"], said["role"]))
        )
        return Response(answer, status=201 if is_new else 200)


class MemberDetail(ProjectView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, project_id: int, username: str) -> Response:
        """Managers. What the person decided stays and goes on counting."""
        self.project(Role.MANAGER)
        projects.remove_member(self.membership, username)
        return Response(status=204)


def member_json(member: Membership) -> dict[str, Any]:
    return {"id": member.pk, "user": member.user.username, "role": member.role}
