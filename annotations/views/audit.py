"""The page of the audit trail: who did what to the project, newest first, narrowed to a person and a kind."""

from collections.abc import Container
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from annotations.audit_words import KINDS
from annotations.numbers import whole_number
from annotations.selectors import audit
from annotations.views.base import ProjectPage

PAGE_SIZE = 50


class AuditPage(ProjectPage):
    template = "annotations/audit.html"
    section = "people"
    needs = "see_audit"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """A person or a kind that there is not narrows nothing."""
        people = audit.people(self.project)
        person = _one_of(people, request.GET.get("person", ""))
        kind = _one_of(KINDS, request.GET.get("kind", ""))
        after = whole_number(request.GET.get("after", ""))
        events = audit.listing(self.project, actor=person or None, actions=KINDS[kind].areas if kind else ())
        found = list((events if after is None else events.filter(pk__lt=after))[: PAGE_SIZE + 1])
        shown = found[:PAGE_SIZE]
        chosen = {"person": person, "kind": kind}
        return self.page(
            events=audit.told(self.project, shown),
            people=people,
            kinds=[(name, one.title) for name, one in KINDS.items()],
            person=person,
            kind=kind,
            first=self._address(**chosen),
            older=self._address(**chosen, after=str(shown[-1].pk)) if len(found) > PAGE_SIZE else "",
            is_later_page=after is not None,
        )

    def _address(self, **asked: str) -> str:
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{self.address('audit')}?{query}" if query else self.address("audit")


def _one_of(known: Container[str], asked: str) -> str:
    return asked if asked in known else ""
