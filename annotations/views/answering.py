"""What pages share on which many small questions are answered, each by a form of its own.

Without script a form brings the page again, which tells what was done; htmx brings back the one question that was
answered, so that it can be taken back in its place.
"""

from typing import Any, ClassVar, Protocol
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.errors import BadInput, Conflict, DomainError, NotFound
from annotations.numbers import whole_number
from annotations.views.base import ProjectPage


class Answered(Protocol):
    """A question as it stands after it was answered, or after the answer was taken back: then without a decision."""

    @property
    def decision_id(self) -> int | None: ...


class AnsweringPage(ProjectPage):
    """`own_name`: of the page's address. `kept`: what of its query every address of the list keeps.

    `answered_part` and `refused_part` take the place of one question.
    """

    own_name: ClassVar[str]
    kept: ClassVar[tuple[str, ...]]
    answered_part: ClassVar[str]
    refused_part: ClassVar[str]

    def answer(self, image_id: int, tag_id: int, value: str) -> Answered:
        """Store a yes or no to the tag of the image."""
        raise NotImplementedError

    def take_back(self, decision_id: int) -> Answered:
        """Take an answer of this page back."""
        raise NotImplementedError

    def beside(self) -> dict[str, Any]:
        """What comes with an answered question: how many are left."""
        raise NotImplementedError

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """Answer one, or take an answer back: the button that was pressed says which."""
        try:
            one = self._do(request.POST)
        except (BadInput, Conflict, NotFound) as error:
            return self._refused(error)
        if self.is_part:
            return self.page(
                template=self.answered_part,
                one=one,
                post_address=self.list_address(did=""),
                answered=True,
                **self.beside(),
            )
        return redirect(self.list_address(did=str(one.decision_id or "")))

    def list_address(self, **changes: str) -> str:
        """This list as it was asked for, but for these changes."""
        query = {name: self.request.GET.get(name, "") for name in self.kept} | changes
        said = urlencode({name: value for name, value in query.items() if value})
        return f"{self.address(self.own_name)}?{said}" if said else self.address(self.own_name)

    def _do(self, sent: Any) -> Answered:
        if "undo" in sent:
            return self.take_back(_number(sent["undo"]))
        image_id, tag_id = (_number(sent.get(name, "")) for name in ("image", "tag"))
        return self.answer(image_id, tag_id, sent.get("answer", ""))

    def _refused(self, error: DomainError) -> HttpResponse:
        if self.is_part:
            return self.page(template=self.refused_part, problem=error.message)
        messages.error(self.request, error.message)
        return redirect(self.list_address(did=""))


def _number(text: str) -> int:
    number = whole_number(text)
    if number is None:
        raise BadInput("The form is not complete: open the page again.", code="bad_form")
    return number
