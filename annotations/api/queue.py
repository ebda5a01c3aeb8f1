"""API of the queue: hand out, renew, release."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import tasks
from annotations.api.base import ProjectView
from annotations.api.serializers import LeasesBody, NextBody
from annotations.errors import BadInput
from annotations.models import Role
from annotations.permissions import allows
from annotations.selectors import queue, vocabulary
from annotations.services import leases
from annotations.services.picking import Wish


class QueueNext(ProjectView):
    @extend_schema(request=NextBody, responses={200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """Hands out up to `count` images with what to show of each; a lease keeps them from others for a while."""
        project = self.project()
        body = NextBody(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        tag_id = self._tag_id(asked["tag"], asked["mode"])
        if Wish(asked["mode"], tag_id).is_one_tag:
            tasks.keep_ranked(project.pk)
        claimed = leases.claim_next(
            project,
            request.user,
            role=Role(self.membership.role),
            count=asked["count"],
            mode=asked["mode"],
            tag_id=tag_id,
            without=asked.get("without", ()),
            have=asked.get("have", ()),
        )
        return Response(
            {
                "items": [queue.item(lease) for lease in claimed],
                "queue": queue.remaining(
                    project, request.user, sees_unsure=allows(self.membership.role, "see_unsure")
                ),
            }
        )

    def _tag_id(self, word: int | str | None, mode: str) -> int | None:
        if word is None:
            if mode == "score":
                raise BadInput("The mode “score” needs a `tag` to order by.", code="tag_missing")
            return None
        return vocabulary.active_ids(self.project(), [word])[0]


class QueueRenew(ProjectView):
    @extend_schema(request=LeasesBody, responses={200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """Keeps leases longer; with `refresh` the items come with the suggestions of now."""
        project = self.project()
        body = LeasesBody(data=request.data)
        body.is_valid(raise_exception=True)
        refresh = body.validated_data["refresh"]
        renewed, lost = leases.renew(project, request.user, body.validated_data["leases"], refresh=refresh)
        answer = {
            "renewed": [
                {"token": str(lease.token), "expires_at": lease.expires_at.isoformat()} for lease in renewed
            ],
            "lost": lost,
        }
        if refresh:
            answer["items"] = [queue.item(lease) for lease in renewed]
        return Response(answer)


class QueueRelease(ProjectView):
    @extend_schema(request=LeasesBody, responses={200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """Gives leases back before they run out."""
        project = self.project()
        body = LeasesBody(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"released": leases.release(project, request.user, body.validated_data["leases"])})
