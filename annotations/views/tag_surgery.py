"""Merging, splitting and taking back; a merge and a split are asked about first, with what they touch."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.errors import DomainError
from annotations.forms import MergeForm, SplitForm
from annotations.models import Tag
from annotations.numbers import whole_number
from annotations.selectors import queue, tag_preview, vocabulary
from annotations.selectors.examples import Example
from annotations.services import tag_merges, tag_splits, tag_undo
from annotations.views.tags import OneTag


class MergeTagPage(OneTag):
    """First the question into which tag, then what that would touch, then the merge."""

    template = "annotations/tag_merge.html"

    def get(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag = self.tag
        word = request.GET.get("into", "").replace("\x00", "").strip()
        form = MergeForm({"into": word}) if word else MergeForm()
        if word:
            try:
                into = vocabulary.active_tag(self.project, word)
                tag_merges.refuse(tag, into)
            except DomainError as error:
                form.refuse(error, "into")
            else:
                return self._preview(tag, into)
        return self.page(400 if word else 200, tag=tag, form=form)

    def post(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag = self.tag
        into = vocabulary.active_tag(self.project, whole_number(request.POST.get("into", "")) or 0)
        tag_merges.merge(tag, into, actor=self.user, keep_words="keep_words" in request.POST)
        messages.success(request, f"Merged {tag.name} into {into.name}.")
        return redirect("tag", project_id, into.pk)

    def back(self) -> str:
        return self.address("tag-merge", self.kwargs["tag_id"])

    def _preview(self, tag: Tag, into: Tag) -> HttpResponse:
        merged = tag_preview.of_merge(self.project, tag, into)
        differing = [
            Example(image.pk, queue.addresses(image)["thumbnail_url"], image.caption)
            for image in merged.differing
        ]
        return self.page(
            tag=tag, into=into, merged=merged, both=[merged.tag, merged.into], differing=differing
        )


class SplitTagPage(OneTag):
    """The new tags beside what the old one leaves behind."""

    template = "annotations/tag_split.html"

    def get(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        return self._show(SplitForm())

    def post(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag, form = self.tag, SplitForm(request.POST)
        if form.is_valid():
            try:
                parts = tag_splits.split(tag, form.cleaned_data["words"], actor=self.user)
            except DomainError as error:
                form.refuse(error, "words")
            else:
                names = ", ".join(part.name for part in parts)
                messages.success(request, f"Split {tag.name} into {names}.")
                return redirect("tag", project_id, tag_id)
        return self._show(form, status=400)

    def _show(self, form: SplitForm, status: int = 200) -> HttpResponse:
        tag = self.tag
        return self.page(status, tag=tag, form=form, touched=tag_preview.of_tag(self.project, tag))


class UndoTag(OneTag):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag = tag_undo.undo(self.tag, actor=self.user)
        messages.success(request, f"Taken back: {tag.name} is as it was before.")
        return redirect(self.back())

    def back(self) -> str:
        """The page that the button stood on."""
        if "changes" in self.request.POST:
            return self.address("tag-changes")
        return self.address("tag", self.kwargs["tag_id"])
