"""The list of projects, the first run, a new project, and the sample project's button."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from annotations.errors import DomainError, RoleTooLow
from annotations.forms import ProjectForm
from annotations.selectors import access, project_cards
from annotations.services import projects, sample_project
from annotations.tasks import nudge, run_import
from annotations.views import workers
from annotations.views.base import Page

FIRST_FIELDS = ("name", "description")


class ProjectsPage(Page):
    template = "annotations/projects.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        cards = project_cards.cards(self.user)
        return self.page(
            cards=cards,
            may_create=access.may_create_projects(self.user),
            worker_notice=workers.notice(("io", "ml", "train")),
            has_sample=any(card.is_sample for card in cards),
            sample_count=sample_project.COUNT,
        )


class NewProjectPage(Page):
    template = "annotations/project_new.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        if not access.may_create_projects(self.user):
            raise RoleTooLow(
                "Projects are created by managers and admins. Ask an admin of this installation."
            )
        return self.page(form=ProjectForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ProjectForm(request.POST)
        if form.is_valid():
            try:
                project = projects.create(self.user, **form.cleaned_data)
            except DomainError as error:
                if error.status == 403:
                    raise
                form.refuse(error)
            else:
                return redirect("overview", project.pk)
        return self.page(form=form, status=400)


class MakeSampleProject(Page):
    """A second click while the first one's scenes are drawn leads to the same project."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        project = sample_project.create(self.user)
        job = sample_project.job_of(project)
        if job is not None:
            nudge(run_import, job.pk)
        messages.success(request, "The sample project is yours. Its scenes are being drawn.")
        return redirect("overview", project.pk)

    def back(self) -> str:
        return reverse("projects")
