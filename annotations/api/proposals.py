"""API of proposals: words of captions that could enter the vocabulary, listed, adopted, dismissed and taken back."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, limit_of, next_address
from annotations.api.serializers import ProposalAdoption, ProposalDecision
from annotations.errors import BadInput
from annotations.models import Project, Proposal, Tag
from annotations.numbers import whole_number
from annotations.permissions import required_role
from annotations.selectors import proposals as selector
from annotations.selectors import vocabulary
from annotations.selectors.proposals import Shown
from annotations.services import proposals, requests


def proposal_json(shown: Shown) -> dict[str, Any]:
    row = shown.proposal
    figures = {name: value for name, value in row.evidence.items() if name != "examples"}
    return {
        "id": row.pk,
        "kind": row.kind,
        "text": row.text,
        "tag": _tag_json(row.tag),
        "captions": row.captions,
        "evidence": figures | {"examples": [_example_json(example) for example in shown.examples]},
        "state": row.state,
        "result": row.result_tag
        and {"kind": row.result_kind, "word": row.result_word, "tag": _tag_json(row.result_tag)},
        "decided_by": row.decided_by and row.decided_by.username,
        "decided_at": row.decided_at,
    }


class ProposalList(ProjectView):
    @extend_schema(
        operation_id="proposals_list",
        parameters=[
            OpenApiParameter("kind", str, enum=Proposal.Kind.values),
            OpenApiParameter("state", str, enum=Proposal.State.values, default="open"),
            OpenApiParameter("limit", int),
            OpenApiParameter("after", str),
        ],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """Best first. `count` is the number of this state and kind."""
        project = self.project(required_role("see_proposals"))
        kind = _choice(request, "kind", Proposal.Kind.values)
        state = _choice(request, "state", Proposal.State.values) or Proposal.State.OPEN
        limit, rows = limit_of(request), selector.listing(project, state=state, kind=kind)
        if last := request.query_params.get("after"):
            rows = selector.after(rows, *_place(last))
        found = list(rows[: limit + 1])
        shown = found[:limit]
        following = next_address(request, f"{shown[-1].rank}-{shown[-1].pk}") if len(found) > limit else None
        counts = selector.counts(project, state)
        return Response(
            {
                "results": [proposal_json(one) for one in selector.with_examples(project, shown)],
                "next": following,
                "count": counts[kind] if kind else sum(counts.values()),
            }
        )


class OneProposal(ProjectView):
    """A decision on one proposal, stored once for each `client_id`; answers the proposal as it is then."""

    def decide(
        self, request: Request, proposal_id: int, act: Callable[[Project, Proposal, dict[str, Any]], Proposal]
    ) -> Response:
        project = self.project(required_role("edit_tags"))
        body = self.body(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        client_id = said.pop("client_id", None)

        def once() -> dict[str, Any]:
            return {"id": act(project, selector.get(project, proposal_id), said).pk}

        asked = [type(self).__name__, proposal_id, said]
        stored, _ = requests.once(
            project_id=project.pk, user=request.user, client_id=client_id, body=asked, act=once
        )
        (shown,) = selector.with_examples(project, [selector.get(project, stored["id"])])
        return Response(proposal_json(shown))

    body: type[ProposalDecision] = ProposalDecision


class ProposalAdopt(OneProposal):
    body = ProposalAdoption

    @extend_schema(operation_id="proposals_adopt", request=ProposalAdoption, responses={200: dict})
    def post(self, request: Request, project_id: int, proposal_id: int) -> Response:
        """Make the tag or the alias that is proposed, a tag of another `name`, or another word for `alias_of`."""
        return self.decide(request, proposal_id, self._adopt)

    def _adopt(self, project: Project, proposal: Proposal, said: dict[str, Any]) -> Proposal:
        if "alias_of" not in said:
            return proposals.adopt(proposal, actor=self.request.user, name=said.get("name"))
        if "name" in said:
            raise BadInput("Send `name` or `alias_of`, not both.", code="name_or_alias")
        return proposals.adopt_as_alias(
            proposal, vocabulary.active_tag(project, said["alias_of"]), actor=self.request.user
        )


class ProposalDismiss(OneProposal):
    @extend_schema(operation_id="proposals_dismiss", request=ProposalDecision, responses={200: dict})
    def post(self, request: Request, project_id: int, proposal_id: int) -> Response:
        """Put it away: it is not proposed again."""
        return self.decide(
            request, proposal_id, lambda _, row, said: proposals.dismiss(row, actor=request.user)
        )


class ProposalRestore(OneProposal):
    @extend_schema(operation_id="proposals_restore", request=ProposalDecision, responses={200: dict})
    def post(self, request: Request, project_id: int, proposal_id: int) -> Response:
        """Take the decision back: a tag that was made is retired, an alias removed, and the proposal open again."""
        return self.decide(
            request, proposal_id, lambda _, row, said: proposals.restore(row, actor=request.user)
        )


def _choice(request: Request, name: str, allowed: list[str]) -> str | None:
    text = request.query_params.get(name)
    if text is not None and text not in allowed:
        raise BadInput(f"`{name}` is one of {', '.join(allowed)}, not “{text[:40]}”.", code=f"bad_{name}")
    return text


def _place(after: str) -> tuple[int, int]:
    rank, _, last_id = after.partition("-")
    numbers = whole_number(rank), whole_number(last_id)
    if numbers[0] is None or numbers[1] is None:
        raise BadInput("`after` comes from the `next` address of the page before.", code="bad_after")
    return numbers[0], numbers[1]


def _tag_json(tag: Tag | None) -> dict[str, Any] | None:
    return None if tag is None else {"id": tag.pk, "name": tag.name}


def _example_json(example: selector.Example) -> dict[str, Any]:
    return {
        "image": example.image_id,
        "thumbnail_url": example.thumbnail_url,
        "start": example.start,
        "end": example.end,
        "text": example.marked,
    }
