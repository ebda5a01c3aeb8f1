"""The trash: images of a project, and whole projects, to be brought back within 30 days or removed for good."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import pluralize

from annotations.errors import BadInput
from annotations.models import Image
from annotations.numbers import whole_number
from annotations.selectors import queue
from annotations.selectors import trash as selector
from annotations.services import trash
from annotations.views.base import Page, ProjectPage

PAGE_SIZE = 60


@dataclass(frozen=True)
class Tile:
    """One image in the trash, its thumbnail, and the days until it is removed for good."""

    image: Image
    thumbnail_url: str
    days_left: int


class TrashPage(ProjectPage):
    template = "annotations/trash.html"
    section = "gallery"
    needs = "edit_images"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        after = whole_number(request.GET.get("after", ""))
        rows = selector.images_after(self.project, after) if after else selector.images(self.project)
        found = list(rows[: PAGE_SIZE + 1])
        shown = found[:PAGE_SIZE]
        return self.page(
            tiles=[self._tile(image) for image in shown],
            count=selector.images(self.project).count(),
            later=shown[-1].pk if len(found) > PAGE_SIZE else None,
            is_later_page=after is not None,
            kept_days=selector.KEPT_DAYS,
        )

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """Bring the picked images back, or all of them."""
        picked = [number for word in request.POST.getlist("picked") if (number := whole_number(word))]
        is_all = "all" in request.POST
        if not picked and not is_all:
            raise BadInput("No image is picked. Pick some first.", code="nothing_picked")
        count = trash.restore_images(self.project, None if is_all else picked, actor=self.user)
        messages.success(request, f"{count:,} image{pluralize(count)} came back.")
        return redirect(self.back())

    def _tile(self, image: Image) -> Tile:
        assert image.deleted_at is not None
        address = queue.addresses(image)["thumbnail_url"]
        return Tile(image, address, selector.days_left(image.deleted_at))


class EmptyTrashPage(ProjectPage):
    """Removing for good is asked about on a page of its own, with the number of images as the word to type."""

    template = "annotations/trash_empty.html"
    section = "gallery"
    needs = "delete_project"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        return self._ask(selector.images(self.project).count())

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        count = selector.images(self.project).count()
        if request.POST.get("count", "").strip() != str(count):
            return self._ask(count, f"There are {count:,} images in the trash: type {count} to remove them.")
        removed = trash.empty(self.project, actor=self.user)
        messages.success(request, f"{removed:,} image{pluralize(removed)} removed for good.")
        return redirect("trash", project_id)

    def _ask(self, count: int, problem: str = "") -> HttpResponse:
        return self.page(count=count, problem=problem)


class ProjectsTrashPage(Page):
    template = "annotations/projects_trash.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        rows: list[dict[str, Any]] = [
            {"project": project, "days_left": selector.days_left(project.deleted_at)}
            for project in selector.projects(self.user)
            if project.deleted_at is not None
        ]
        return self.page(rows=rows, kept_days=selector.KEPT_DAYS)

    def post(self, request: HttpRequest) -> HttpResponse:
        project = trash.restore_project(self.user, whole_number(request.POST.get("project", "")) or 0)
        messages.success(request, f"“{project.name}” is back as it was.")
        return redirect("overview", project.pk)
