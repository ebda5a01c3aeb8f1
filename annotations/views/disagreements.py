"""Page of disagreements: who said yes and who said no, side by side, and a reviewer's last word by button or key.

Everything is a form; htmx brings back the one tag that was settled, so that it can be taken back in its place.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations.errors import BadInput, Conflict, DomainError, NotFound
from annotations.models import Decision, Tag
from annotations.numbers import whole_number
from annotations.selectors import disagreements, key_map
from annotations.selectors.disagreements import Disagreement
from annotations.services import adjudication
from annotations.views.base import ProjectPage

PAGE_SIZE = 12


class DisagreementsPage(ProjectPage):
    template = "annotations/disagreements.html"
    section = "quality"
    needs = "see_disagreements"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        tag, after = self._asked()
        shown, more = disagreements.page(self.project, tag=tag, after=after, limit=PAGE_SIZE)
        response = self.page(
            tag_id=tag.pk if tag else None,
            tags=disagreements.tags(self.project),
            count=disagreements.count(self.project),
            shown=shown,
            more=self._address(after=str(more), did="") if more else "",
            is_later_page=bool(after),
            first_address=self._address(after="", did=""),
            post_address=self._address(did=""),
            told=self._told(),
            single_keys=key_map.are_single_keys_on(self.user),
        )
        patch_vary_headers(response, ["HX-Request"])
        return response

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """Settle one, or take a last word back: the button that was pressed says which."""
        try:
            one = self._do(request.POST)
        except (BadInput, Conflict, NotFound) as error:
            return self._refused(error)
        if self.is_part:
            return self.page(
                template="annotations/_disagreement_settled.html",
                one=one,
                count=disagreements.count(self.project),
                post_address=self._address(did=""),
            )
        return redirect(self._address(did=str(one.decision_id or "")))

    def _do(self, sent: Any) -> Disagreement:
        if "undo" in sent:
            undone = adjudication.undo(self.project, _number(sent["undo"]), actor=self.user)
            return disagreements.of(undone.image, undone.tag)
        image_id, tag_id = (_number(sent.get(name, "")) for name in ("image", "tag"))
        word = adjudication.settle(self.project, image_id, tag_id, sent.get("answer", ""), actor=self.user)
        return disagreements.of(word.image, word.tag, decision_id=word.pk)

    def _refused(self, error: DomainError) -> HttpResponse:
        if self.is_part:
            return self.page(template="annotations/_disagreement_refused.html", problem=error.message)
        messages.error(self.request, error.message)
        return redirect(self._address(did=""))

    def _told(self) -> Disagreement | None:
        """What was settled just now, where the page came back whole; nothing if it was taken back."""
        decision_id = whole_number(self.request.GET.get("did", ""))
        words = Decision.objects.select_related("image__project", "tag").filter(
            project=self.project, scope=Decision.Scope.ADJUDICATION, undone_at=None
        )
        word = words.filter(pk=decision_id).first() if decision_id else None
        return disagreements.of(word.image, word.tag, decision_id=word.pk) if word else None

    def _asked(self) -> tuple[Tag | None, int]:
        """Tag and place; what makes no sense is as if it were not there."""
        tag_id = whole_number(self.request.GET.get("tag", ""))
        tag = Tag.objects.filter(project=self.project, pk=tag_id).first() if tag_id else None
        return tag, whole_number(self.request.GET.get("after", "")) or 0

    def _address(self, **changes: str) -> str:
        """This list with its tag and place."""
        query = {name: self.request.GET.get(name, "") for name in ("tag", "after")} | changes
        said = urlencode({name: value for name, value in query.items() if value})
        return f"{self.address('disagreements')}?{said}" if said else self.address("disagreements")


def _number(text: str) -> int:
    number = whole_number(text)
    if number is None:
        raise BadInput("The form is not complete: open the page again.", code="bad_form")
    return number
