"""Settings of a project, and moving it to the trash."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.errors import DomainError
from annotations.forms import DeleteProjectForm, ProjectForm
from annotations.services import projects
from annotations.views.base import ProjectPage


class SettingsPage(ProjectPage):
    template = "annotations/settings.html"
    section = "settings"
    needs = "edit_project"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        fields = ProjectForm.base_fields
        return self.page(form=ProjectForm(initial={name: getattr(self.project, name) for name in fields}))

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        form = ProjectForm(request.POST)
        if form.is_valid():
            try:
                projects.update(self.membership, form.cleaned_data)
            except DomainError as error:
                form.refuse(error)
            else:
                messages.success(request, "Saved.")
                return redirect("settings", project_id)
        return self.page(400, form=form)


class DeleteProjectPage(ProjectPage):
    template = "annotations/project_delete.html"
    section = "settings"
    needs = "delete_project"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        return self.page(form=DeleteProjectForm(project=self.project))

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        form = DeleteProjectForm(request.POST, project=self.project)
        if not form.is_valid():
            return self.page(400, form=form)
        projects.trash(self.membership)
        messages.success(request, f"“{self.project.name}” is in the trash. It stays there for 30 days.")
        return redirect("projects")
