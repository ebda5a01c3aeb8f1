"""Deleting tags: the question before it, the trash of tags, and removing one for good."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.models import Tag
from annotations.models.tag import name_key
from annotations.numbers import whole_number
from annotations.selectors import hierarchy, proposals, tag_preview, trash, vocabulary
from annotations.services import tag_trash, tag_undo
from annotations.views.base import ProjectPage
from annotations.views.tags import CHILDREN_NAMED, OneTag


class DeleteTagPage(OneTag):
    """Asks before it deletes, saying what that touches."""

    template = "annotations/tag_delete.html"

    def get(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag = self.tag
        below = hierarchy.children(tag)
        return self.page(
            tag=tag,
            touched=tag_preview.of_tag(self.project, tag),
            children_count=below.count(),
            children=list(below[:CHILDREN_NAMED]),
            kept_days=trash.KEPT_DAYS,
        )

    def post(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag = tag_trash.delete(self.tag, actor=self.user)
        messages.success(request, f"{tag.name} is in the trash. It stays there for {trash.KEPT_DAYS} days.")
        return redirect(self.back())


class TagTrashPage(ProjectPage):
    template = "annotations/tag_trash.html"
    section = "tags"
    needs = "edit_tags"

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        rows = [
            {"tag": tag, "days_left": trash.days_left(tag.deleted_at)}
            for tag in trash.tags(self.project)
            if tag.deleted_at is not None
        ]
        return self.page(
            rows=rows,
            kept_days=trash.KEPT_DAYS,
            retired_count=vocabulary.all_tags(self.project).exclude(retired_at=None).count(),
            proposed_count=sum(proposals.counts(self.project).values()),
        )

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """Bring one tag back."""
        tag = trash.tag_of(self.project, whole_number(request.POST.get("tag", "")) or 0)
        tag_undo.undo(tag, actor=self.user)
        messages.success(request, f"{tag.name} is back.")
        return redirect("tag", project_id, tag.pk)

    def back(self) -> str:
        return self.address("tag-trash")


class RemoveTagPage(ProjectPage):
    """Removing for good is asked about on a page of its own, with the tag's name as the word to type."""

    template = "annotations/tag_remove.html"
    section = "tags"
    needs = "delete_project"

    @property
    def tag(self) -> Tag:
        return trash.tag_of(self.project, self.kwargs["tag_id"])

    def get(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        return self._ask(self.tag)

    def post(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag = self.tag
        if name_key(request.POST.get("name", "")) != tag.key:
            return self._ask(tag, f"Type {tag.name} to remove it.")
        tag_trash.remove(tag, actor=self.user)
        messages.success(request, f"{tag.name} was removed for good.")
        return redirect("tag-trash", project_id)

    def back(self) -> str:
        return self.address("tag-trash")

    def _ask(self, tag: Tag, problem: str = "") -> HttpResponse:
        return self.page(400 if problem else 200, tag=tag, answers=trash.answers(tag), problem=problem)
