"""The page of near-duplicates: groups side by side, to be kept or joined; and the question before anything goes.

Works without script; with it, question and answer come into the group's place, so that the keyboard goes on from there.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations.errors import BadInput, DomainError
from annotations.models import DuplicateGroup
from annotations.numbers import whole_number
from annotations.selectors import duplicates as selector
from annotations.selectors import import_reports
from annotations.services import duplicates
from annotations.views.base import ProjectPage

PAGE_SIZE = 20
# Of a group of more, the first are shown: the best to keep is among them.
SHOWN_MOST = 24


@dataclass(frozen=True)
class Told:
    """What was decided just now."""

    text: str
    group_id: int


class DuplicatesBase(ProjectPage):
    """The list, which each decision shows anew."""

    template = "annotations/duplicates.html"
    section = "gallery"
    needs = "edit_images"
    depends_on = ("io",)

    def show(self, told: Told | None = None, problem: str = "") -> HttpResponse:
        """The list; to htmx, the part of it that each decision changes."""
        state, from_import = self.state, self.import_id
        listed = selector.listing(self.project, state=state, import_id=from_import)
        start = min(whole_number(self.request.GET.get("from", "")) or 0, max(len(listed) - 1, 0))
        shown = [row.id for row in listed[start : start + PAGE_SIZE]]
        scan = selector.scan(self.project)
        response = self.page(
            template="annotations/_duplicates_live.html" if self.is_part else None,
            groups=selector.with_images(self.project, shown),
            shown_most=SHOWN_MOST,
            state=state,
            count=len(listed),
            leaking=sum(row.leaks for row in listed),
            more=self.list_address(start + PAGE_SIZE) if len(listed) > start + PAGE_SIZE else "",
            first=self.list_address(0) if start else "",
            query=self.query(),
            from_import=from_import,
            has_searched=scan.hashed_to > 0,
            has_measured=scan.measured_to > 0,
            told=told,
            problem=problem,
        )
        patch_vary_headers(response, ["HX-Request"])
        return response

    def back(self) -> str:
        return self.list_address(whole_number(self.request.GET.get("from", "")) or 0)

    @property
    def state(self) -> str:
        kept = DuplicateGroup.State.KEPT
        return kept if self.request.GET.get("state") == kept else DuplicateGroup.State.OPEN

    @property
    def import_id(self) -> int | None:
        """The import whose images are looked through; NotFound for one of another project."""
        job_id = whole_number(self.request.GET.get("import", ""))
        return import_reports.of_job(self.project, job_id).first_job if job_id else None

    def list_address(self, start: int) -> str:
        query = self.query(**({"from": str(start)} if start else {"from": ""}))
        return self.address("duplicates") + (f"?{query}" if query else "")

    def query(self, **changes: str) -> str:
        """This list with its place, which a decision keeps."""
        said = {name: self.request.GET.get(name, "") for name in ("state", "import", "from")} | changes
        return urlencode({name: value for name, value in said.items() if value})


class DuplicatesPage(DuplicatesBase):
    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        return self.show()


class DuplicatePage(DuplicatesBase):
    """One group: the question before it is joined, and what was decided of it."""

    def get(self, request: HttpRequest, project_id: int, group_id: int) -> HttpResponse:
        group = self._group()
        keep_id = whole_number(request.GET.get("keep", "")) if "ask" in request.GET else None
        plan = None if keep_id is None else duplicates.plan(self.project, group.row, keep_id)
        part = "annotations/_duplicate_group.html" if plan is None else "annotations/_duplicate_confirm.html"
        response = self.page(
            template=part if self.is_part else "annotations/duplicate.html",
            group=group,
            plan=plan,
            shown_most=SHOWN_MOST,
            query=self.query(),
        )
        patch_vary_headers(response, ["HX-Request"])
        return response

    def post(self, request: HttpRequest, project_id: int, group_id: int) -> HttpResponse:
        told, problem = None, ""
        try:
            told = Told(self._decide(request.POST), group_id)
        except DomainError as error:
            if not self.is_part:
                raise
            problem = error.message
        if self.is_part:
            return self.show(told, problem)
        assert told is not None
        messages.success(request, told.text)
        return redirect(self.back())

    def _decide(self, sent: Any) -> str:
        """What was done, as a sentence; the button that was pressed says what."""
        group_id, of = self.kwargs["group_id"], _numbers(sent.get("of", ""))
        if "keep_all" in sent:
            duplicates.keep(self.project, group_id, actor=self.user, of=of)
            return f"All {len(of)} stay, and are not asked about again."
        if "undo" in sent:
            duplicates.undo(self.project, group_id, actor=self.user)
            return "Taken back: the group asks again."
        if "join" in sent:
            plan = duplicates.join(
                self.project,
                group_id,
                whole_number(sent.get("keep", "")) or 0,
                take_tags="tags" in sent,
                take_caption="caption" in sent,
                actor=self.user,
                of=of,
            )
            gone = f"{len(plan.gone):,} image{'' if len(plan.gone) == 1 else 's'} moved to the trash"
            return f"{gone}, “{plan.kept.name}” stays."
        raise BadInput("Nothing was chosen to be done.", code="no_action")

    def _group(self) -> selector.Group:
        row = selector.get(self.project, self.kwargs["group_id"])
        return selector.with_images(self.project, [row.pk])[0]


def _numbers(text: str) -> list[int]:
    return [number for word in text.split(",") if (number := whole_number(word)) is not None]
