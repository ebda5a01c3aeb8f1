"""Page of quality: answers that the model doubts, as pictures; one key fixes one, another finds it right."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from annotations.numbers import whole_number
from annotations.selectors import key_map
from annotations.views.answering import AnsweringPage
from mlmodels.models import SuspectKind
from mlmodels.services import suspect_list, suspects
from mlmodels.services.suspect_list import Shown, Standing

PAGE_SIZE = 24
KINDS = {SuspectKind.WRONG.value: "Likely wrong", SuspectKind.MISSING.value: "Likely missing"}


class QualityPage(AnsweringPage):
    template = "mlmodels/quality.html"
    answered_part = "mlmodels/_suspect_answered.html"
    refused_part = "mlmodels/_suspect_refused.html"
    own_name, kept = "quality", ("kind", "tag", "after")
    section = "quality"
    needs = "see_suspects"
    depends_on = ("ml", "train")

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        kind, tag_id, after = self._asked()
        standing = suspect_list.standing(project_id)
        shown, more = standing.page(kind=kind, tag_id=tag_id, after=after, limit=PAGE_SIZE)
        decision = whole_number(request.GET.get("did", ""))
        response = self.page(
            tag_id=tag_id,
            **self._kinds(standing),
            tags=standing.tags(kind=kind),
            shown=shown,
            state=suspect_list.state(project_id),
            more=self.list_address(after=str(more)) if more else "",
            is_later_page=bool(after),
            first_address=self.list_address(after="", did=""),
            post_address=self.list_address(did=""),
            told=suspect_list.answered(project_id, decision) if decision else None,
            single_keys=key_map.are_single_keys_on(self.user),
        )
        patch_vary_headers(response, ["HX-Request"])
        return response

    def answer(self, image_id: int, tag_id: int, value: str) -> Shown:
        decision = suspects.answer(self.project.pk, image_id, tag_id, value, actor_id=self.user.pk)
        shown = suspect_list.answered(self.project.pk, decision)
        assert shown is not None  # stored a moment ago
        return shown

    def take_back(self, decision_id: int) -> Shown:
        return suspect_list.open_again(suspects.undo(self.project.pk, decision_id, actor_id=self.user.pk))

    def beside(self) -> dict[str, Any]:
        return self._kinds(suspect_list.standing(self.project.pk))

    def _kinds(self, standing: Standing) -> dict[str, Any]:
        return {"kind": self._asked()[0], "kinds": KINDS, "counts": standing.counts()}

    def _asked(self) -> tuple[str, int | None, int]:
        """Kind, tag and place; what makes no sense is as if it were not there."""
        query = self.request.GET
        kind = query.get("kind", "")
        return (
            kind if kind in KINDS else SuspectKind.WRONG.value,
            whole_number(query.get("tag", "")),
            whole_number(query.get("after", "")) or 0,
        )
