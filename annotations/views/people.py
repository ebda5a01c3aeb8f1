"""Members of a project and their roles: list, add, invite, change, remove. How an invited one joins: `views.join`."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from annotations.errors import DomainError
from annotations.forms import InvitationForm, MemberForm, RoleForm
from annotations.models import Role
from annotations.permissions import allows
from annotations.selectors import people
from annotations.selectors.invitations import listing as open_invitations
from annotations.services import invitations, projects
from annotations.views.base import ProjectPage


class PeoplePage(ProjectPage):
    template = "annotations/people.html"
    section = "people"
    needs = "edit_members"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        return self._show(MemberForm())

    @method_decorator(never_cache)
    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """Two forms stand on the page: one adds who has an account, one invites who may have none."""
        if "invite" in request.POST:
            return self._invite(InvitationForm(request.POST, may_appoint=_may_appoint(self)))
        form = MemberForm(request.POST)
        if form.is_valid():
            name, role = form.cleaned_data["username"], form.cleaned_data["role"]
            try:
                projects.set_member(self.membership, name, role)
            except DomainError as error:
                form.refuse(error, "username")
            else:
                messages.success(request, f"{name} is {Role(role).with_article} of this project now.")
                return redirect("people", project_id)
        return self._show(form, status=400)

    def _invite(self, form: InvitationForm) -> HttpResponse:
        if form.is_valid():
            try:
                made, token = invitations.create(self.membership, **form.cleaned_data)
            except DomainError as error:
                form.refuse(error)
            else:
                link = self.request.build_absolute_uri(reverse("join", args=[token]))
                return self._show(MemberForm(), made=made, link=link)
        return self._show(MemberForm(), invite=form, status=400)

    def _show(
        self, form: MemberForm, invite: InvitationForm | None = None, status: int = 200, **context: Any
    ) -> HttpResponse:
        may_appoint = _may_appoint(self)
        return self.page(
            status,
            form=form,
            invite=invite or InvitationForm(may_appoint=may_appoint),
            members=people.members(self.project),
            invitations=open_invitations(self.project, state="open"),
            may_appoint=may_appoint,
            **context,
        )


class RevokeInvitation(ProjectPage):
    section = "people"
    needs = "edit_members"

    def post(self, request: HttpRequest, project_id: int, invitation_id: int) -> HttpResponse:
        invitations.revoke(self.membership, invitation_id)
        messages.success(request, "The invitation is taken back: its link leads nowhere now.")
        return redirect(self.back())

    def back(self) -> str:
        return self.address("people")


class MemberPage(ProjectPage):
    """One member: another role, or out of the project."""

    template = "annotations/member.html"
    section = "people"
    needs = "edit_members"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int, username: str) -> HttpResponse:
        member = people.member(self.project, username)
        return self._show(RoleForm(initial={"role": member.role}))

    def post(self, request: HttpRequest, project_id: int, username: str) -> HttpResponse:
        people.member(self.project, username)
        if "remove" in request.POST:
            projects.remove_member(self.membership, username)
            messages.success(request, f"{username} is not in this project any more. What they decided stays.")
            return redirect("projects" if username == self.membership.user.username else self.back())
        form = RoleForm(request.POST)
        if not form.is_valid():
            return self._show(form, status=400)
        projects.set_member(self.membership, username, form.cleaned_data["role"])
        messages.success(
            request, f"{username} is {Role(form.cleaned_data['role']).with_article} of this project now."
        )
        return redirect(self.back())

    def back(self) -> str:
        return self.address("people")

    def _show(self, form: RoleForm, status: int = 200) -> HttpResponse:
        member = people.member(self.project, self.kwargs["username"])
        return self.page(status, form=form, member=member, may_appoint=_may_appoint(self))


def _may_appoint(page: ProjectPage) -> bool:
    return allows(page.membership.role, "appoint_admin")
