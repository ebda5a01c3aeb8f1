"""What all pages share: sign-in, the project through membership, navigation, and errors as pages or messages.

No rules: what a role may do stands in `annotations.permissions`, and services decide the rest.
"""

import functools
import logging
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View
from django_htmx.http import HttpResponseStopPolling

from annotations.errors import DomainError, Unstorable
from annotations.models import Membership, Project, User
from annotations.permissions import REQUIRED_ROLE, allows, required_role
from annotations.selectors import access, flags, navigation
from annotations.views import workers

logger = logging.getLogger(__name__)


class Page(View):
    """A page for signed-in people. A refusal becomes a plain page or a message, never a 500."""

    template: ClassVar[str]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _sign_in(request)
        try:
            return super().dispatch(request, *args, **kwargs)
        except DomainError as error:
            return self.refused(error)
        except DataError as error:
            logger.warning("The database refused a value of a request", exc_info=error)
            return self.refused(Unstorable())

    def refused(self, error: DomainError) -> HttpResponse:
        """A refused POST goes back with a message; what cannot be shown at all becomes an error page."""
        if self.request.method == "POST" and error.status not in (403, 404):
            messages.error(self.request, error.message)
            return redirect(self.back())
        return render(self.request, "error.html", self.around() | {"error": error}, status=error.status)

    @property
    def user(self) -> User:
        """The signed-in person: `dispatch` lets nobody else in."""
        return cast(User, self.request.user)

    @property
    def is_part(self) -> bool:
        """Whether htmx asks for a part of the page."""
        return bool(getattr(self.request, "htmx", False))

    def back(self) -> str:
        """Where a refused POST returns to."""
        return self.request.path

    def shared(self) -> dict[str, Any]:
        return {}

    def around(self) -> dict[str, Any]:
        """What stands around an error page."""
        return {}

    def page(self, status: int = 200, template: str | None = None, **context: Any) -> HttpResponse:
        return render(self.request, template or self.template, self.shared() | context, status=status)


class ProjectPage(Page):
    """A page of one project. `needs` is the action that opens it, `post_needs` the one that may change things.

    `depends_on` names the workers without which the page does less than it says; it then shows a banner.
    """

    section: ClassVar[str] = ""
    needs: ClassVar[str] = "see_project"
    post_needs: ClassVar[str | None] = None
    depends_on: ClassVar[tuple[str, ...]] = ("io", "ml", "train")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _sign_in(request)
        try:
            self.require(self.needs)
            if request.method == "POST" and self.post_needs:
                self.require(self.post_needs)
        except DomainError as error:
            return self.refused(error)
        return super().dispatch(request, *args, **kwargs)

    @functools.cached_property
    def membership(self) -> Membership:
        membership = access.membership_for(self.user, self.kwargs["project_id"])
        # The signed-in person is at hand already: no second query when a service asks for them.
        membership.user = self.user
        return membership

    @property
    def project(self) -> Project:
        return self.membership.project

    def require(self, action: str) -> None:
        access.require_role(self.membership, required_role(action))

    def address(self, name: str, *args: object) -> str:
        return reverse(name, args=[self.project.pk, *args])

    def shared(self) -> dict[str, Any]:
        role = self.membership.role
        return {
            "project": self.project,
            "role": role,
            "can": {action for action in REQUIRED_ROLE if allows(role, action)},
            "section": self.section,
            "nav_counts": navigation.counts(self.project)
            | {"flags": flags.open_count(self.membership) or None},
            "worker_notice": workers.notice(self.depends_on),
        }

    def around(self) -> dict[str, Any]:
        """The project's navigation, for those who are in it."""
        try:
            return self.shared()
        except DomainError:
            return {}


def _sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back; a part that polls just stops, so that a half-written form stays."""
    if getattr(request, "htmx", False):
        return HttpResponseStopPolling()
    return redirect_to_login(request.get_full_path())
