"""The list of projects, the first run, a new project, and the sample project's button."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from annotations.errors import DomainError, RoleTooLow
from annotations.forms import ProjectForm
from annotations.selectors import access, project_cards, trash
from annotations.selectors.project_cards import ProjectCard
from annotations.services import projects, sample_project
from annotations.tasks import nudge, run_import
from annotations.views import workers
from annotations.views.base import Page
from annotations.views.plots import Column, Plot, plot

# Fewer cards are seen at a glance.
SEARCH_FROM = 7


class ProjectsPage(Page):
    template = "annotations/projects.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        cards = project_cards.cards(self.user)
        words = request.GET.get("q", "").strip()
        found = project_cards.named(cards, words)
        return self.page(
            cards=cards,
            found=[(card, _spark(card)) for card in found],
            words=words,
            can_search=len(cards) >= SEARCH_FROM,
            may_create=access.may_create_projects(self.user),
            worker_notice=workers.notice(("io", "ml", "train")),
            has_trash=trash.projects(self.user).exists(),
            has_sample=any(card.is_sample for card in cards),
            sample_count=sample_project.COUNT,
        )


def _spark(card: ProjectCard) -> Plot | None:
    """Reviews a day as a small line; None where there were none lately."""
    if not any(card.by_day):
        return None
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in reversed(range(len(card.by_day)))]
    return plot(
        "spark",
        f"Reviews a day in {card.project.name}: {sum(card.by_day):,} in the last {len(days)} days",
        [Column("Day", "name", "text"), Column("Reviews", "line")],
        [(f"{day:%-d %b}", count) for day, count in zip(days, card.by_day, strict=True)],
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
