"""API of suspects: answers of people that the live version doubts, and a person's word on one of them."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, checked, last_id_of, limit_of, next_address
from annotations.api.serializers import ActBody, TagAnswerBody
from annotations.errors import BadInput
from annotations.numbers import id_or_word
from annotations.permissions import required_role
from annotations.selectors import queue, vocabulary
from annotations.services import requests
from mlmodels.models import SuspectKind
from mlmodels.services import suspect_list, suspects
from mlmodels.services.suspect_list import Shown


def suspect_json(shown: Shown) -> dict[str, Any]:
    """`said`: who gave the answer, the newest first; `person` null for an import, `value` implied for a no unsaid."""
    image, tag = shown.row.image, shown.row.tag
    return {
        "image": {"id": image.pk, "name": image.name, **queue.addresses(image)},
        "tag": {"id": tag.pk, "name": tag.name},
        "kind": shown.row.kind,
        "score": shown.row.score,
        "said": [asdict(said) for said in shown.said],
    }


class SuspectsView(ProjectView):
    @extend_schema(
        operation_id="suspects_list",
        parameters=[
            OpenApiParameter("kind", str, enum=[kind.value for kind in SuspectKind]),
            OpenApiParameter("tag", str, description="Id or name of a tag."),
            OpenApiParameter("limit", int),
            OpenApiParameter("after", str),
        ],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """The likeliest mistake first; `kind` is wrong (a yes) by default, or missing (a no)."""
        project = self.project(required_role("see_suspects"))
        word = request.query_params.get("tag")
        tag = vocabulary.active_tag(project, id_or_word(word)) if word else None
        state = suspect_list.state(project.pk)
        standing = suspect_list.standing(project.pk)
        shown, more = standing.page(
            kind=_kind(request),
            tag_id=tag.pk if tag else None,
            after=last_id_of(request) or 0,
            limit=limit_of(request),
        )
        return Response(
            {
                "results": [suspect_json(one) for one in shown],
                "next": next_address(request, str(more)) if more else None,
                "counts": standing.counts(),
                "model_number": state.made.version.number if state.made else None,
                "read_at": state.made.read_at if state.made else None,
                "backbone_has_seen_answers": state.has_seen_answers,
                "learnt_images": state.learnt,
                "needed_images": state.needed,
            }
        )

    @extend_schema(operation_id="suspects_answer", request=TagAnswerBody, responses={201: dict, 200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """Yes or no to the tag of the image: the last word on that tag alone, which `undo` takes back by its id."""
        project = self.project(required_role("see_suspects"))
        body = TagAnswerBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        client_id = said.pop("client_id", None)

        def act() -> dict[str, Any]:
            decision = suspects.answer(
                project.pk, said["image"], said["tag"], said["answer"], actor_id=request.user.pk
            )
            shown = suspect_list.answered(project.pk, decision)
            return {"decision": decision, "verdict": shown.verdict if shown else "unasked"}

        answer, is_new = requests.once(
            project_id=project.pk, user=request.user, client_id=client_id, body=["suspects", said], act=act
        )
        return Response(answer, status=201 if is_new else 200)


class SuspectUndo(ProjectView):
    @extend_schema(operation_id="suspects_undo", request=ActBody, responses={200: dict})
    def post(self, request: Request, project_id: int, decision_id: int) -> Response:
        """Takes that answer back: the suspect is listed again, if it still is one."""
        project = self.project(required_role("see_suspects"))

        def undo() -> dict[str, Any]:
            check = suspects.undo(project.pk, decision_id, actor_id=request.user.pk)
            return suspect_json(suspect_list.open_again(check))

        answer, _ = self.answered_once(checked(ActBody, request), undo)
        return Response(answer)


def _kind(request: Request) -> str:
    kind = request.query_params.get("kind", SuspectKind.WRONG.value)
    if kind not in SuspectKind.values:
        raise BadInput(
            f"`kind` is one of {', '.join(SuspectKind.values)}, not “{kind[:40]}”.", code="bad_kind"
        )
    return kind
