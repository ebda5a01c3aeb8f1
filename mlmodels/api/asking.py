"""API of what the queue asks: the shares of the mixture, in percent."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView
from annotations.models import Role
from mlmodels import selectors, tasks
from mlmodels.api.serializers import AskingBody
from mlmodels.models import AskingPolicy
from mlmodels.services import asking


def shares_json(found: AskingPolicy) -> dict[str, Any]:
    return {field: getattr(found, field) for field in asking.FIELDS} | {"random": found.random}


class Asking(ProjectView):
    @extend_schema(responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """Admins. What part of the chosen images each strategy fills, in percent."""
        return Response(shares_json(selectors.asking_policy(self.project(Role.ADMIN).pk)))

    @extend_schema(request=AskingBody, responses={200: dict})
    def patch(self, request: Request, project_id: int) -> Response:
        """Change shares; `random` is what the others leave, and is not sent."""
        project = self.project(Role.ADMIN)
        body = AskingBody(data=request.data)
        body.is_valid(raise_exception=True)
        found = asking.update(project.pk, body.validated_data, actor_id=request.user.pk)
        tasks.nudge(tasks.asking_changed, project.pk)
        return Response(shares_json(found))
