"""API of disagreements: tags that people answered differently, and a reviewer's last word on one of them."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import PAGED, ProjectView, checked, last_id_of, limit_of, next_address
from annotations.api.serializers import ActBody, TagAnswerBody
from annotations.numbers import id_or_word
from annotations.permissions import required_role
from annotations.selectors import disagreements as selector
from annotations.selectors import queue, vocabulary
from annotations.selectors.disagreements import Disagreement, DisputedImage
from annotations.services import adjudication


def disagreement_json(one: Disagreement) -> dict[str, Any]:
    """`said`: each person's latest answer, the newest first; `value` implied for a review finished without the tag."""
    return {
        "tag": {"id": one.tag.pk, "name": one.tag.name},
        "said": [asdict(said) for said in one.said],
    }


def image_json(disputed: DisputedImage) -> dict[str, Any]:
    image = disputed.image
    return {
        "image": {
            "id": image.pk,
            "name": image.name,
            "caption": image.caption,
            **queue.addresses(image),
        },
        "disagreements": [disagreement_json(one) for one in disputed.disagreements],
        "agreed": [{"id": tag.pk, "name": tag.name} for tag in disputed.agreed],
    }


class Disagreements(ProjectView):
    @extend_schema(
        operation_id="disagreements_list",
        parameters=[OpenApiParameter("tag", str, description="Id or name of a tag."), *PAGED],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """Images on which people disagree, by id, with who said what; on `tag` if it is named. `count` is of all."""
        project = self.project(required_role("see_disagreements"))
        word = request.query_params.get("tag")
        tag = vocabulary.active_tag(project, id_or_word(word)) if word else None
        shown, more = selector.page(project, tag=tag, after=last_id_of(request) or 0, limit=limit_of(request))
        return Response(
            {
                "results": [image_json(one) for one in shown],
                "next": next_address(request, str(more)) if more else None,
                "count": selector.count(project),
            }
        )

    @extend_schema(
        operation_id="disagreements_settle", request=TagAnswerBody, responses={201: dict, 200: dict}
    )
    def post(self, request: Request, project_id: int) -> Response:
        """The last word on the tag of the image, which outranks what was said before; `undo` takes it back by id."""
        project = self.project(required_role("see_disagreements"))
        said = checked(TagAnswerBody, request)

        def act() -> dict[str, Any]:
            decision = adjudication.settle(
                project, said["image"], said["tag"], said["answer"], actor=request.user
            )
            return {"decision": decision.pk, "verdict": decision.value, "state": decision.image.state}

        answer, is_new = self.answered_once(said, act)
        return Response(answer, status=201 if is_new else 200)


class DisagreementUndo(ProjectView):
    @extend_schema(operation_id="disagreements_undo", request=ActBody, responses={200: dict})
    def post(self, request: Request, project_id: int, decision_id: int) -> Response:
        """Takes a last word back: people disagree again, if they still do."""
        project = self.project(required_role("see_disagreements"))

        def undo() -> dict[str, Any]:
            decision = adjudication.undo(project, decision_id, actor=request.user)
            opened = selector.of(decision.image, decision.tag)
            return {**disagreement_json(opened), "verdict": opened.verdict, "state": decision.image.state}

        answer, _ = self.answered_once(checked(ActBody, request), undo)
        return Response(answer)
