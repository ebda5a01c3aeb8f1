"""API of figures about people: how fast each one works and how far their answers are those of others."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import PAGED, ProjectView, last_id_of, limit_of, next_address
from annotations.errors import BadInput
from annotations.permissions import required_role
from annotations.selectors import annotators
from annotations.selectors.annotators import Annotator
from annotations.selectors.person_work import Work
from annotations.selectors.shares import Share

OWN = "me"


class AnnotatorList(ProjectView):
    @extend_schema(
        operation_id="annotators_list",
        parameters=[
            OpenApiParameter(
                "days",
                str,
                enum=list(annotators.PERIODS),
                default=annotators.PERIOD_DEFAULT,
                description="What was done in the last days, or ever.",
            ),
            OpenApiParameter(
                "user", str, enum=[OWN], description="The caller's own row alone, which every member may see."
            ),
            *PAGED,
        ],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """Speed and accuracy of everybody who did something in the period. Managers; with `user=me` every member.

        `seconds` and `keystrokes` are medians a review, `images_an_hour` follows from the first. `alone` counts answers
        to one tag without bulk actions. `taken_back` has the reviews that were undone, with their share of all that the
        person made. `agreement.share` is how often a tag that the person or another one gave, on images that both
        reviewed, was given by the other too; `upheld.share` that of answers which somebody else's last word confirmed.
        Both come with a 95 % interval; the three are null below 5 images. `left`: not in the project any more. `id` is
        null for all deleted accounts together.
        """
        rows = self._rows(request)
        limit, last_id = limit_of(request), last_id_of(request)
        waiting = [row for row in sorted(rows, key=_place) if last_id is None or _place(row) > last_id]
        shown = waiting[:limit]
        following = next_address(request, str(_place(shown[-1]))) if len(waiting) > limit else None
        return Response(
            {"results": [annotator_json(row) for row in shown], "next": following, "count": len(rows)}
        )

    def _rows(self, request: Request) -> list[Annotator]:
        asked = request.query_params
        whose, period = asked.get("user"), asked.get("days", annotators.PERIOD_DEFAULT)
        if whose not in (None, OWN):
            raise BadInput(f"`user` is {OWN} or left out, not “{whose[:40]}”.", code="bad_user")
        if period not in annotators.PERIODS:
            known = ", ".join(annotators.PERIODS)
            raise BadInput(f"`days` is one of {known}, not “{period[:40]}”.", code="bad_days")
        if whose == OWN:
            project = self.project(required_role("see_own_figures"))
            return annotators.of_person(project, request.user, period)
        return annotators.of_project(self.project(required_role("see_quality")), period)


def _place(row: Annotator) -> int:
    """In the order of ids; deleted accounts, which have none, come first."""
    return row.person.user_id or 0


def annotator_json(row: Annotator) -> dict[str, Any]:
    person, work = row.person, row.work
    return {
        "id": person.user_id,
        "user": person.username,
        "name": person.name,
        "role": person.role,
        "left": person.user_id is not None and person.role is None,
        **{name: getattr(work, name) for name in ("reviews", "skipped", "unsure", "broken", "alone")},
        **{name: getattr(work, name) for name in ("seconds", "images_an_hour", "keystrokes")},
        "taken_back": _taken_back_json(work),
        "agreement": _share_json(row.accuracy.agreement, "tags"),
        "upheld": _share_json(row.accuracy.upheld, "answers"),
        "last_active_at": row.last_active_at,
    }


def _taken_back_json(work: Work) -> dict[str, Any]:
    return {
        "by_self": {"reviews": work.undone_by_self, "share": work.share_undone_by_self},
        "by_others": {"reviews": work.undone_by_others, "share": work.share_undone_by_others},
    }


def _share_json(share: Share, among: str) -> dict[str, Any]:
    figures = asdict(share)
    return figures | {among: figures.pop("among")}
