"""Page of quality: answers that the model doubts, as pictures; one key fixes one, another finds it right.

Everything is a form; htmx brings back the one picture that was answered, so that it can be taken back in its place.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations.errors import BadInput, Conflict, DomainError, NotFound
from annotations.numbers import whole_number
from annotations.selectors import key_map
from annotations.views.base import ProjectPage
from mlmodels.models import SuspectKind
from mlmodels.services import suspect_list, suspects
from mlmodels.services.suspect_list import Shown, Standing

PAGE_SIZE = 24
KINDS = {SuspectKind.WRONG.value: "Likely wrong", SuspectKind.MISSING.value: "Likely missing"}


class QualityPage(ProjectPage):
    template = "mlmodels/quality.html"
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
            more=self._address(after=str(more)) if more else "",
            is_later_page=bool(after),
            first_address=self._address(after="", did=""),
            post_address=self._address(did=""),
            told=suspect_list.answered(project_id, decision) if decision else None,
            single_keys=key_map.are_single_keys_on(self.user),
        )
        patch_vary_headers(response, ["HX-Request"])
        return response

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """Answer one, or take an answer back: the button that was pressed says which."""
        try:
            shown = self._do(request.POST)
        except (BadInput, Conflict, NotFound) as error:
            return self._refused(error)
        if self.is_part:
            return self.page(
                template="mlmodels/_suspect_answered.html",
                one=shown,
                post_address=self._address(did=""),
                **self._kinds(suspect_list.standing(project_id)),
                answered=True,
            )
        return redirect(self._address(did=str(shown.decision_id or "")))

    def _do(self, sent: Any) -> Shown:
        project_id, actor_id = self.project.pk, self.user.pk
        if "undo" in sent:
            check = suspects.undo(project_id, _number(sent["undo"]), actor_id=actor_id)
            return suspect_list.open_again(check)
        image_id, tag_id = (_number(sent.get(name, "")) for name in ("image", "tag"))
        decision = suspects.answer(project_id, image_id, tag_id, sent.get("answer", ""), actor_id=actor_id)
        shown = suspect_list.answered(project_id, decision)
        assert shown is not None  # stored a moment ago
        return shown

    def _refused(self, error: DomainError) -> HttpResponse:
        if self.is_part:
            return self.page(template="mlmodels/_suspect_refused.html", problem=error.message)
        messages.error(self.request, error.message)
        return redirect(self._address(did=""))

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

    def _address(self, **changes: str) -> str:
        """This list with its kind, tag and place."""
        query = {name: self.request.GET.get(name, "") for name in ("kind", "tag", "after")} | changes
        said = urlencode({name: value for name, value in query.items() if value})
        return f"{self.address('quality')}?{said}" if said else self.address("quality")


def _number(text: str) -> int:
    number = whole_number(text)
    if number is None:
        raise BadInput("The form is not complete: open the page again.", code="bad_form")
    return number
