"""The tab “Proposed” of the tags page: words of captions to adopt, to make synonyms of, or to put away."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations.errors import BadInput, DomainError
from annotations.models import Proposal
from annotations.numbers import whole_number
from annotations.selectors import proposals as selector
from annotations.selectors import vocabulary
from annotations.services import proposals
from annotations.views.base import ProjectPage

PAGE_SIZE = 40
TOLD_MOST = 200  # proposals of one bulk decision that its message speaks of
KINDS = {"tag": "New tags", "alias": "Synonyms"}
VERBS = {Proposal.State.ACCEPTED: "Adopted", Proposal.State.DISMISSED: "Dismissed"}


@dataclass(frozen=True)
class Told:
    """What was decided just now, in words, and the ids by which it can be taken back."""

    text: str
    ids: str


class ProposedPage(ProjectPage):
    template = "annotations/proposals.html"
    section = "tags"
    needs = "see_proposals"
    post_needs = "edit_tags"
    depends_on = ("ml",)

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        if "reading" in request.GET:
            return self._reading()
        return self._show(_ids(request.GET.get("decided", "")), [])

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """One decision, or one on all that are picked; what cannot be done is said, and the rest is done."""
        decided, problems = self._decide(request.POST)
        if self.is_part:
            return self._show(decided, problems)
        for problem in problems:
            messages.error(request, problem)
        return redirect(self._address(decided=",".join(map(str, decided))))

    def _decide(self, sent: Any) -> tuple[list[int], list[str]]:
        act, ids = self._wish(sent)
        done, problems = [], []
        for proposal_id in ids:
            try:
                done.append(act(selector.get(self.project, proposal_id)).pk)
            except DomainError as error:
                problems.append(error.message)
        return done, problems

    def _wish(self, sent: Any) -> tuple[Callable[[Proposal], Proposal], list[int]]:
        """What to do, and with which proposals: the button that was pressed says it."""
        actor = self.user
        acts: dict[str, Callable[[Proposal], Proposal]] = {
            "adopt": lambda row: proposals.adopt(row, actor=actor),
            "own": lambda row: proposals.adopt(row, actor=actor, name=row.text),
            "dismiss": lambda row: proposals.dismiss(row, actor=actor),
            "restore": lambda row: proposals.restore(row, actor=actor),
        }
        if sent.get("bulk") in ("adopt", "dismiss"):
            return acts[sent["bulk"]], _ids(",".join(sent.getlist("picked")))
        if "alias" in sent:
            tag = vocabulary.active_tag(self.project, _word(sent))
            return lambda row: proposals.adopt_as_alias(row, tag, actor=actor), _ids(sent["alias"])
        for name, act in acts.items():
            if name in sent:
                return act, _ids(sent[name])
        raise BadInput("Nothing was chosen to be done.", code="no_action")

    def _show(self, decided: list[int], problems: list[str]) -> HttpResponse:
        counts = selector.counts(self.project)
        kind = self.request.GET.get("kind")
        kind = kind if kind in KINDS else None
        rows = selector.listing(self.project, kind=kind)
        if place := _place(self.request.GET.get("after", "")):
            rows = selector.after(rows, *place)
        found = list(rows[: PAGE_SIZE + 1])
        shown = found[:PAGE_SIZE]
        more = f"{shown[-1].rank}-{shown[-1].pk}" if len(found) > PAGE_SIZE else ""
        response = self.page(
            template="annotations/_proposals_live.html" if self.is_part else None,
            rows=selector.with_examples(self.project, shown),
            counts=counts,
            proposed_count=sum(counts.values()),
            retired_count=vocabulary.all_tags(self.project).exclude(retired_at=None).count(),
            kinds=[(name, text, counts[name]) for name, text in KINDS.items()],
            kind=kind,
            post_address=self._address(),
            first_address=self._address(after=""),
            more=more and self._address(after=more),
            is_later_page=place is not None,
            told=self._told(decided),
            problems=problems,
            reading=selector.progress(self.project),
            has_captions=selector.has_captions(self.project.pk),
        )
        patch_vary_headers(response, ["HX-Request"])
        return response

    def _address(self, **changes: str) -> str:
        """This list with its kind and place, which a decision keeps."""
        query = {name: self.request.GET.get(name, "") for name in ("kind", "after")} | changes
        said = urlencode({name: value for name, value in query.items() if value})
        return f"{self.address('proposals')}?{said}" if said else self.address("proposals")

    def _reading(self) -> HttpResponse:
        """The bar of captions alone; when all are read, the page fetches the list again."""
        reading = selector.progress(self.project)
        response = self.page(template="annotations/_proposals_reading.html", reading=reading)
        if not reading.is_reading:
            response["HX-Trigger"] = "proposals-made"
        patch_vary_headers(response, ["HX-Request"])
        return response

    def _told(self, decided: list[int]) -> Told | None:
        rows = list(Proposal.objects.filter(project=self.project, pk__in=decided).order_by("pk"))
        said = [row for row in rows if row.state in VERBS]
        if not said:
            again = f"“{rows[0].text}” is" if len(rows) == 1 else f"{len(rows)} proposals are"
            return Told(f"{again} open again.", "") if rows else None
        names = f"“{said[0].text}”" if len(said) == 1 else f"{len(said)} proposals"
        verb = VERBS[Proposal.State(said[0].state)]
        return Told(f"{verb} {names}.", ",".join(str(row.pk) for row in said))

    def back(self) -> str:
        return self.address("proposals")


class ProposalPage(ProjectPage):
    """One proposal with all of its examples: adopted under another name, or as another word for any tag."""

    template = "annotations/proposal.html"
    section = "tags"
    needs = "edit_tags"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int, proposal_id: int) -> HttpResponse:
        (shown,) = selector.with_examples(self.project, [selector.get(self.project, proposal_id)])
        return self.page(shown=shown)

    def post(self, request: HttpRequest, project_id: int, proposal_id: int) -> HttpResponse:
        row = selector.get(self.project, proposal_id)
        if "of" in request.POST:
            tag = vocabulary.active_tag(self.project, _word(request.POST))
            proposals.adopt_as_alias(row, tag, actor=self.user)
        else:
            proposals.adopt(row, actor=self.user, name=request.POST.get("name", "").replace("\x00", ""))
        return redirect(f"{self.address('proposals')}?decided={row.pk}")


def _word(sent: Any) -> int | str:
    """The tag that was chosen by id, or typed by name."""
    number = whole_number(sent.get("tag", ""))
    return sent.get("of", "").replace("\x00", "").strip() if number is None else number


def _ids(text: str) -> list[int]:
    numbers = [whole_number(part) for part in text.split(",")[:TOLD_MOST]]
    return [number for number in numbers if number is not None]


def _place(after: str) -> tuple[int, int] | None:
    rank, _, last_id = after.partition("-")
    numbers = whole_number(rank), whole_number(last_id)
    return None if numbers[0] is None or numbers[1] is None else (numbers[0], numbers[1])
