"""The page of flags: who wants which image looked at and why; to answer, to resolve, and to take that back.

The forms of flags on an image's own page and beside the plain form of Review post here too, and return there.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations.errors import BadInput, Conflict
from annotations.models import Flag
from annotations.numbers import whole_number
from annotations.selectors import flags as selector
from annotations.services import flags
from annotations.views.base import ProjectPage

PAGE_SIZE = 30


@dataclass(frozen=True)
class Told:
    """What was done to a flag just now, and the word for taking it back; none for an answer."""

    text: str
    flag_id: int
    undo: str = ""


class FlagsPage(ProjectPage):
    template = "annotations/flags.html"
    section = "flags"
    needs = "raise_flags"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        return self._show(self._told(request.GET.get("did", ""), request.GET.get("flag", "")), [])

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        problems: list[str] = []
        did, flag_id = "", 0
        try:
            did, flag_id = self._do(request.POST)
        except (BadInput, Conflict) as error:
            problems.append(error.message)
        if self.is_part:
            return self._show(self._told(did, str(flag_id)), problems)
        for problem in problems:
            messages.error(request, problem)
        return redirect(self._return(did, flag_id))

    def _do(self, sent: Any) -> tuple[str, int]:
        """What was done, and to which flag: the button that was pressed says it."""
        if "raise" in sent:
            flag = flags.raise_flag(
                self.project, _number(sent["raise"]), comment=sent.get("text", ""), actor=self.user
            )
            return "raise", flag.pk
        if "answer" in sent:
            flag = selector.get(self.membership, _number(sent["answer"]))
            flags.answer(flag, text=sent.get("text", ""), actor=self.user)
            return "answer", flag.pk
        for name, act in (("resolve", flags.resolve), ("reopen", flags.reopen)):
            if name in sent:
                self.require("resolve_flags")
                return name, act(selector.get(self.membership, _number(sent[name])), actor=self.user).pk
        raise BadInput("Nothing was chosen to be done.", code="no_action")

    def _return(self, did: str, flag_id: int) -> str:
        if "on_review" in self.request.POST:
            if did:
                messages.success(self.request, "Flagged. A reviewer will look at it.")
            return f"{self.address('review')}?plain=1"
        image_id = whole_number(self.request.POST.get("on_image", ""))
        if image_id is not None:
            return f"{self.address('image', image_id)}#flags"
        return self._address(**({"did": did, "flag": str(flag_id)} if did else {}))

    def _show(self, told: Told | None, problems: list[str]) -> HttpResponse:
        state = self._state
        rows = selector.listing(
            self.membership, state=state, image_id=whole_number(self.request.GET.get("image", ""))
        )
        after = whole_number(self.request.GET.get("after", ""))
        found = list((rows if after is None else rows.filter(pk__lt=after))[: PAGE_SIZE + 1])
        shown = found[:PAGE_SIZE]
        response = self.page(
            template="annotations/_flags_live.html" if self.is_part else None,
            flags=shown,
            state=state,
            counts=selector.counts(self.membership),
            more=self._address(after=str(shown[-1].pk)) if len(found) > PAGE_SIZE else "",
            is_later_page=after is not None,
            post_address=self._address(),
            first_address=self._address(after=""),
            told=told,
            problems=problems,
        )
        patch_vary_headers(response, ["HX-Request"])
        return response

    @property
    def _state(self) -> str:
        return "resolved" if self.request.GET.get("state") == "resolved" else "open"

    def _address(self, **changes: str) -> str:
        """This list with its state and place, which an act keeps."""
        query = {name: self.request.GET.get(name, "") for name in ("state", "image", "after")} | changes
        said = urlencode({name: value for name, value in query.items() if value})
        return f"{self.address('flags')}?{said}" if said else self.address("flags")

    def _told(self, did: str, flag_id: str) -> Told | None:
        number = whole_number(flag_id)
        flag = number and selector.visible_to(self.membership).filter(pk=number).first()
        if not flag:
            return None
        if did == "answer":
            return Told("Your answer is stored.", flag.pk)
        return _decision(flag, did)


def _decision(flag: Flag, did: str) -> Told | None:
    """The sentence, unless the flag has moved on since."""
    if did == "resolve" and flag.resolved_at is not None:
        return Told("Resolved.", flag.pk, "reopen")
    if did == "reopen" and flag.resolved_at is None:
        return Told("The flag is open again.", flag.pk, "resolve")
    return None


def _number(text: str) -> int:
    number = whole_number(text)
    if number is None:
        raise BadInput("The form is not complete: open the page again.", code="bad_form")
    return number
