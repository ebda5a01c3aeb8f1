"""Members of a project and their roles: list, add, change, remove."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.errors import DomainError
from annotations.forms import MemberForm, RoleForm
from annotations.permissions import allows
from annotations.selectors import people
from annotations.services import projects
from annotations.views.base import ProjectPage


class PeoplePage(ProjectPage):
    template = "annotations/people.html"
    section = "people"
    needs = "edit_members"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        return self._show(MemberForm())

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        form = MemberForm(request.POST)
        if form.is_valid():
            name, role = form.cleaned_data["username"], form.cleaned_data["role"]
            try:
                projects.set_member(self.membership, name, role)
            except DomainError as error:
                form.refuse(error, "username")
            else:
                messages.success(request, f"{name} is {_article(role)} of this project now.")
                return redirect("people", project_id)
        return self._show(form, status=400)

    def _show(self, form: MemberForm, status: int = 200) -> HttpResponse:
        return self.page(
            status, form=form, members=people.members(self.project), may_appoint=_may_appoint(self)
        )


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
        messages.success(request, f"{username} is {_article(form.cleaned_data['role'])} of this project now.")
        return redirect(self.back())

    def back(self) -> str:
        return self.address("people")

    def _show(self, form: RoleForm, status: int = 200) -> HttpResponse:
        member = people.member(self.project, self.kwargs["username"])
        return self.page(status, form=form, member=member, may_appoint=_may_appoint(self))


def _may_appoint(page: ProjectPage) -> bool:
    return allows(page.membership.role, "appoint_admin")


def _article(role: str) -> str:
    return f"{'an' if role[0] == 'a' else 'a'} {role}"
