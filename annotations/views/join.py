"""The page behind an invitation's link: for one who signs in, and for one who has no account yet.

It is the only door to an account where the installation's own sign-up is closed.
"""

from typing import Any

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from annotations.errors import DomainError
from annotations.forms import JoinForm
from annotations.models import Invitation, Role
from annotations.selectors import invitations as selector
from annotations.services import invitations

GONE = 410
FIELDS = {"bad_password": "password", "bad_account": "username", "user_exists": "username"}


@method_decorator(never_cache, name="dispatch")
class JoinPage(View):
    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            return self._show(selector.by_token(token), JoinForm())
        except DomainError as error:
            return self._refused(error)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            invitation = selector.by_token(token)
            if request.user.is_authenticated:
                return self._welcome(invitation, invitations.accept(token, actor=request.user).role)
            return self._make_account(invitation, JoinForm(request.POST), token)
        except DomainError as error:
            return self._refused(error)

    def _make_account(self, invitation: Invitation, form: JoinForm, token: str) -> HttpResponse:
        if not ratelimit.consume(self.request, action="signup"):
            form.add_error(None, "Too many accounts were asked for from here. Wait a minute and try again.")
            return self._show(invitation, form, status=429)
        if form.is_valid():
            name, password = form.cleaned_data["username"], form.cleaned_data["password"]
            try:
                user = invitations.accept_with_account(token, name=name, password=password)
            except DomainError as error:
                if error.code not in FIELDS:
                    raise
                form.refuse(error, FIELDS[error.code])
            else:
                login(self.request, user)
                return self._welcome(invitation, invitation.role)
        return self._show(invitation, form, status=400)

    def _welcome(self, invitation: Invitation, role: str) -> HttpResponse:
        name = invitation.project.name
        messages.success(self.request, f"Welcome. You are {Role(role).with_article} of {name} now.")
        return redirect("overview", invitation.project_id)

    def _show(self, invitation: Invitation, form: JoinForm, status: int = 200) -> HttpResponse:
        """What there is to do; a member who gains nothing by the link is told so, whatever state it is in."""
        user = self.request.user
        member = selector.membership_of(invitation, user) if user.is_authenticated else None
        problem = selector.problem(invitation)
        if member is not None and (problem is not None or not selector.raises(invitation, member)):
            return self._page(invitation, member=member)
        if problem is not None:
            return self._refused(problem)
        return self._page(invitation, status, form=form, present=member)

    def _page(self, invitation: Invitation, status: int = 200, **context: Any) -> HttpResponse:
        here = reverse("join", kwargs=self.kwargs)
        shared = {"invitation": invitation, "here": here}
        return self._answer("annotations/join.html", shared | context, status)

    def _refused(self, error: DomainError) -> HttpResponse:
        status = error.status if error.status == 404 else GONE
        return self._answer("annotations/join_refused.html", {"error": error}, status)

    def _answer(self, template: str, context: dict[str, Any], status: int) -> HttpResponse:
        answer = render(self.request, template, context, status=status)
        answer["X-Robots-Tag"] = "noindex"
        return answer
