"""Overview of a project: how far it is, what the model saves, when it learns next, and what to do next."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRefresh

from annotations.models import ImportJob, Membership
from annotations.models.job import FINISHED_STATES
from annotations.permissions import allows
from annotations.selectors import counters, kept, progress, stats, strata, timings, vocabulary
from annotations.services import sample_project
from annotations.views import overview_plots
from annotations.views.base import ProjectPage

STATES = {
    "pending": "waits for a review",
    "reviewed": "reviewed",
    "disputed": "people disagree",
    "unsure": "waits for a reviewer",
    "broken": "broken",
}


@dataclass(frozen=True)
class NextStep:
    """The one thing to do now: a sentence and where it is done."""

    title: str
    text: str
    action: str = ""
    page: str = ""


@dataclass(frozen=True)
class Work:
    """An import that runs; the sample project's first draws what it imports."""

    sentence: str
    done: int
    total: int
    waits: bool


class OverviewPage(ProjectPage):
    template = "annotations/overview.html"
    section = "overview"

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        response = self._part() if self.is_part else self._whole()
        # The same address answers the page, and to htmx the part of it that moves.
        patch_vary_headers(response, ["HX-Request"])
        return response

    def _whole(self) -> HttpResponse:
        figures = self._figures()
        plots = self._plots(figures["figures"]["images"])
        is_kept = figures["figures"]["decisions"] >= kept.FROM_DECISIONS
        return self.page(
            **figures, **plots, **self._strata(), is_kept=is_kept, picture_times=self._picture_times()
        )

    def _part(self) -> HttpResponse:
        figures = self._figures()
        if "working" in self.request.GET and figures["work"] is None:
            # An import has ended: navigation and plots have new numbers too.
            return HttpResponseClientRefresh()
        return self.page(template="annotations/_overview_live.html", **figures)

    def _figures(self) -> dict[str, Any]:
        figures = stats.project_stats(self.project)
        has_tags = vocabulary.active_tags(self.project).exists()
        work = running_import(self.project.pk)
        midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return {
            "figures": figures,
            "reviewed": figures["by_state"]["reviewed"],
            "states": [(state, text, figures["by_state"][state]) for state, text in STATES.items()],
            "work": work,
            "next_step": next_step(
                self.membership, figures, has_tags=has_tags, is_importing=work is not None
            ),
            "mine": stats.person_today(self.project, self.membership.user, midnight),
        }

    def _picture_times(self) -> timings.PictureTimes | None:
        """For those who answer for the installation's speed."""
        if not allows(self.membership.role, "see_quality"):
            return None
        return timings.key_to_picture(self.project)

    def _strata(self) -> dict[str, Any]:
        """For those who judge the work; annotators need not know how they are measured."""
        if not allows(self.membership.role, "see_quality"):
            return {}
        counts = counters.read(self.project.pk)
        return {"strata": strata.figures(counts), "anchoring": strata.anchoring(counts)}

    def _plots(self, images: int) -> dict[str, Any]:
        days = progress.work_by_day(self.project)
        every = self.request.GET.get("tags") == "all"
        return {
            "day_plots": overview_plots.of_days(days, images),
            "balance": overview_plots.tag_balance(self.project, every=every),
        }


def running_import(project_id: int) -> Work | None:
    """What an unfinished import of the project is doing, the oldest first."""
    job = (
        ImportJob.objects.filter(project_id=project_id)
        .exclude(state__in=FINISHED_STATES)
        .order_by("pk")
        .first()
    )
    if job is None:
        return None
    total = job.total or 0
    if job.source == sample_project.SOURCE and not job.done:
        drawn = job.result.get("drawn", 0)
        return Work("Drawing the scenes", drawn, total, waits=job.claim is None)
    return Work("Importing images", job.done, total, waits=job.claim is None)


def next_step(
    membership: Membership, figures: dict[str, Any], *, has_tags: bool, is_importing: bool
) -> NextStep | None:
    """What a person with this role does next; None while reviewing is what is left to do and has begun."""
    manages = allows(membership.role, "import")
    if not figures["images"] and not is_importing:
        if manages:
            return NextStep(
                "No images yet", "Bring some in; the first suggestions follow.", "Import images", "import"
            )
        return NextStep("No images yet", "A manager of this project imports them.")
    if not has_tags:
        if manages:
            return NextStep(
                "No tags yet", "Write down the words to tag with, one a line.", "Write the tags", "tags"
            )
        return NextStep("No tags yet", "A manager of this project writes them down.")
    if not figures["images"]:
        return None
    if not figures["reviews"]:
        text = "Suggestions come from pixels and captions; each answer teaches the model."
        return NextStep("Nothing reviewed yet", text, "Review the first image", "review")
    if not figures["by_state"]["pending"] and not figures["by_state"]["unsure"]:
        disputed = figures["by_state"]["disputed"]
        if disputed and allows(membership.role, "see_disagreements"):
            text = f"{disputed:,} image{'s wait' if disputed > 1 else ' waits'} for a reviewer’s last word."
            return NextStep("People disagree", text, "Settle them", "disagreements")
        if manages:
            return NextStep("Every image is reviewed", "Take the tags with you.", "Export", "export")
        return NextStep("Every image is reviewed", "Nothing is left to do here.")
    return None
