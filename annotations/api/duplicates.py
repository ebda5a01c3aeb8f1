"""API of near-duplicates: the groups that ask for a decision; keep all, join into one, take either back."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, checked, limit_of, next_address
from annotations.api.serializers import ActBody
from annotations.errors import BadInput
from annotations.models import DuplicateGroup
from annotations.numbers import whole_number
from annotations.permissions import required_role
from annotations.selectors import duplicates as selector
from annotations.selectors import queue
from annotations.selectors.duplicates import Group, Member
from annotations.services import duplicates

_ROLE = required_role("edit_images")
_ID = {"min_value": 1, "max_value": 2**63 - 1}


class KeepBody(ActBody):
    """`images`: the group as it was seen; one that has changed since is refused."""

    images = serializers.ListField(child=serializers.IntegerField(**_ID), required=False)


class JoinBody(KeepBody):
    keep = serializers.IntegerField(**_ID)
    tags = serializers.BooleanField(default=True)
    caption = serializers.BooleanField(default=False)


def group_json(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "state": group.row.state,
        "leaks": group.leaks,
        "images": [_member_json(member) for member in group.members],
        "pairs": [
            {
                "images": [pair.first_id, pair.second_id],
                "bits": pair.bits,
                "mirrored": pair.mirrored,
                "distance": None if pair.distance is None else round(pair.distance, 4),
            }
            for pair in group.pairs
        ],
        "decided_by": group.row.decided_by and group.row.decided_by.username,
        "decided_at": group.row.decided_at,
    }


def _member_json(member: Member) -> dict[str, Any]:
    image = member.image
    told = {} if member.yes is None else {"yes": member.yes}
    return {
        "id": image.pk,
        "name": image.name,
        "caption": image.caption,
        "state": image.state,
        "is_holdout": image.is_holdout,
        "reviews_done": image.reviews_done,
        "width_px": image.width_px,
        "height_px": image.height_px,
        "size_bytes": image.size_bytes,
        "format": image.format,
        "created_at": image.created_at,
        **queue.addresses(image),
        **told,
    }


class DuplicateList(ProjectView):
    @extend_schema(
        operation_id="duplicates_list",
        parameters=[
            OpenApiParameter("state", str, enum=DuplicateGroup.State.values),
            OpenApiParameter("import", int),
            OpenApiParameter("limit", int),
            OpenApiParameter("after", str),
        ],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """First the groups between holdout and training, which make the model look better than it is."""
        project, limit = self.project(_ROLE), limit_of(request)
        state = request.query_params.get("state", DuplicateGroup.State.OPEN)
        if state not in DuplicateGroup.State.values:
            raise BadInput(f"`state` is open or kept, not “{state[:40]}”.", code="bad_state")
        listed = selector.listing(project, state=state, import_id=_import_of(request))
        rest = _behind(listed, request.query_params.get("after"))
        shown = selector.with_images(project, [row.id for row in rest[:limit]])
        scan = selector.scan(project)
        return Response(
            {
                "results": [group_json(group) for group in shown],
                "next": _next(request, rest[limit - 1]) if len(rest) > limit else None,
                "count": len(listed),
                "leaking": sum(row.leaks for row in listed),
                "searched": {"by_hash_to": scan.hashed_to, "with_features_to": scan.measured_to},
            }
        )


class DuplicateDetail(ProjectView):
    """One group; below it what is decided of it."""

    @extend_schema(operation_id="duplicates_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, group_id: int) -> Response:
        self.project(_ROLE)
        return Response(self.told())

    def told(self, **more: Any) -> dict[str, Any]:
        """The group as it is now."""
        project = self.membership.project
        group = selector.get(project, self.kwargs["group_id"])
        return group_json(selector.with_images(project, [group.pk])[0]) | more


class DuplicateKeep(DuplicateDetail):
    http_method_names = ["post", "options"]

    @extend_schema(operation_id="duplicates_keep", request=KeepBody, responses={200: dict})
    def post(self, request: Request, project_id: int, group_id: int) -> Response:
        """All stay, and these images are not asked about again."""
        project, sent = self.project(_ROLE), checked(KeepBody, request)

        def keep() -> dict[str, Any]:
            duplicates.keep(project, group_id, actor=request.user, of=sent.get("images"))
            return self.told()

        answer, _ = self.answered_once(sent, keep)
        return Response(answer)


class DuplicateJoin(DuplicateDetail):
    http_method_names = ["post", "options"]

    @extend_schema(operation_id="duplicates_join", request=JoinBody, responses={200: dict})
    def post(self, request: Request, project_id: int, group_id: int) -> Response:
        """`keep` stays, the others go to the trash; their yes tags and captions are taken over if asked for."""
        self.project(_ROLE)
        sent = checked(JoinBody, request)
        answer, _ = self.answered_once(sent, lambda: self._join(group_id, sent))
        return Response(answer)

    def _join(self, group_id: int, sent: Mapping[str, Any]) -> dict[str, Any]:
        plan = duplicates.join(
            self.membership.project,
            group_id,
            sent["keep"],
            take_tags=sent["tags"],
            take_caption=sent["caption"],
            actor=self.request.user,
            of=sent.get("images"),
        )
        taken = [tag.name for tag in plan.tags] if sent["tags"] else []
        return self.told(kept=sent["keep"], trashed=[image.pk for image in plan.gone], tags_taken_over=taken)


class DuplicateUndo(DuplicateDetail):
    http_method_names = ["post", "options"]

    @extend_schema(operation_id="duplicates_undo", request=ActBody, responses={200: dict})
    def post(self, request: Request, project_id: int, group_id: int) -> Response:
        """Ask again: a kept group is open, and what a join did is taken back."""
        project, said = self.project(_ROLE), checked(ActBody, request)

        def undo() -> dict[str, Any]:
            duplicates.undo(project, group_id, actor=request.user)
            return self.told()

        answer, _ = self.answered_once(said, undo)
        return Response(answer)


def _import_of(request: Request) -> int | None:
    text = request.query_params.get("import")
    number = None if text is None else whole_number(text)
    if text is not None and number is None:
        raise BadInput(f"`import` is the id of an import, not “{text[:40]}”.", code="bad_import")
    return number


def _next(request: Request, last: selector.Listed) -> str:
    return next_address(request, f"{int(last.leaks)}:{last.id}")


def _behind(listed: list[selector.Listed], after: str | None) -> list[selector.Listed]:
    """The groups behind the one that `next` names, which may have been decided meanwhile."""
    if after is None:
        return listed
    leaks, _, number = after.partition(":")
    last_id = whole_number(number)
    if leaks not in ("0", "1") or last_id is None:
        raise BadInput("`after` comes from the `next` address of the page before.", code="bad_after")
    return [row for row in listed if (not row.leaks, row.id) > (leaks == "0", last_id)]
