"""Settings of a project, and moving it to the trash."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.errors import DomainError
from annotations.forms import DeleteProjectForm, SettingsForm
from annotations.services import projects
from annotations.views.base import ProjectPage


class SettingsPage(ProjectPage):
    template = "annotations/settings.html"
    section = "settings"
    needs = "edit_project"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        fields = SettingsForm.base_fields
        return self.page(form=SettingsForm(initial={name: getattr(self.project, name) for name in fields}))

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        form = SettingsForm(request.POST)
        if form.is_valid():
            try:
                projects.update(self.membership, _changes(form))
            except DomainError as error:
                form.refuse(error, "extractor" if error.code == "unknown_extractor" else None)
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


def _changes(form: SettingsForm) -> dict[str, Any]:
    """Nobody wants no extractor or no language, and managers are not shown the first: empty ones stay."""
    kept_if_empty = ("extractor", "caption_language")
    return {name: value for name, value in form.cleaned_data.items() if name not in kept_if_empty or value}
