"""Page of disagreements: who said yes and who said no, side by side, and a reviewer's last word by button or key."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from annotations.models import Tag
from annotations.numbers import whole_number
from annotations.selectors import disagreements, key_map
from annotations.selectors.disagreements import Disagreement
from annotations.services import adjudication
from annotations.views.answering import AnsweringPage

PAGE_SIZE = 12


class DisagreementsPage(AnsweringPage):
    template = "annotations/disagreements.html"
    answered_part = "annotations/_disagreement_settled.html"
    refused_part = "annotations/_disagreement_refused.html"
    own_name, kept = "disagreements", ("tag", "after")
    section = "quality"
    needs = "see_disagreements"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        tag, after = self._asked()
        did = whole_number(request.GET.get("did", ""))
        shown, more = disagreements.page(self.project, tag=tag, after=after, limit=PAGE_SIZE)
        response = self.page(
            tag_id=tag.pk if tag else None,
            tags=disagreements.tags(self.project),
            shown=shown,
            more=self.list_address(after=str(more), did="") if more else "",
            is_later_page=bool(after),
            first_address=self.list_address(after="", did=""),
            post_address=self.list_address(did=""),
            told=disagreements.settled(self.project, did) if did else None,
            single_keys=key_map.are_single_keys_on(self.user),
            **self.beside(),
        )
        patch_vary_headers(response, ["HX-Request"])
        return response

    def answer(self, image_id: int, tag_id: int, value: str) -> Disagreement:
        word = adjudication.settle(self.project, image_id, tag_id, value, actor=self.user)
        return disagreements.of(word.image, word.tag, decision_id=word.pk)

    def take_back(self, decision_id: int) -> Disagreement:
        undone = adjudication.undo(self.project, decision_id, actor=self.user)
        return disagreements.of(undone.image, undone.tag)

    def beside(self) -> dict[str, Any]:
        return {"count": disagreements.count(self.project)}

    def _asked(self) -> tuple[Tag | None, int]:
        """Tag and place; what makes no sense is as if it were not there."""
        tag_id = whole_number(self.request.GET.get("tag", ""))
        tag = Tag.objects.filter(project=self.project, pk=tag_id).first() if tag_id else None
        return tag, whole_number(self.request.GET.get("after", "")) or 0
