"""The vocabulary: a table or tree with what people and model say of each tag; adding, editing, retiring, reviving."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.errors import DomainError, NotFound
from annotations.forms import NewTagsForm, TagForm
from annotations.models import LiveModel, Tag
from annotations.models.tag import name_key
from annotations.numbers import whole_number
from annotations.permissions import allows
from annotations.selectors import (
    examples,
    hierarchy,
    kept,
    progress,
    proposals,
    stats,
    tag_preview,
    vocabulary,
)
from annotations.selectors import tag_changes as history
from annotations.selectors.progress import TagCount
from annotations.services import tags
from annotations.views import tag_rows
from annotations.views.base import ProjectPage
from annotations.views.tag_changes import told
from annotations.views.tag_rows import TagRow

PROPOSED_SHOWN = 5
CHILDREN_SHOWN = 40
CHILDREN_NAMED = 5
NEW_NAMED = 5
# Where on a form the page tells why a service refused; what is not here stands at the name.
FIELD_OF = {
    "unknown_tag": "parent",
    "parent_loop": "parent",
    "parent_retired": "parent",
    "bad_hotkey": "hotkey",
    "hotkey_taken": "hotkey",
}


class TagsPage(ProjectPage):
    template = "annotations/tags.html"
    section = "tags"
    needs = "see_tags"
    post_needs = "edit_tags"

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        number = whole_number(request.GET.get("below", ""))
        below = vocabulary.named(self.project, number) if number else None
        return self._show(NewTagsForm(initial={"parent": below.name if below else ""}))

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """Add one tag or many."""
        form = NewTagsForm(request.POST)
        if form.is_valid():
            try:
                created = tags.create_many(self.project, form.specs(), actor=self.user)
            except DomainError as error:
                form.refuse(error, FIELD_OF.get(error.code, "words"))
            else:
                messages.success(request, _added(created))
                return redirect("tags", project_id)
        return self._show(form, status=400)

    def _show(self, form: NewTagsForm, status: int = 200) -> HttpResponse:
        asked = self.request.GET
        is_tree, retired = bool(asked.get("tree")), bool(asked.get("retired"))
        words = asked.get("q", "").replace("\x00", "").strip()
        order = asked.get("order", "name" if is_tree else "oldest")
        every = list(vocabulary.all_tags(self.project))
        wanted = [tag for tag in every if (tag.retired_at is not None) == retired and _mentions(tag, words)]
        order = order if order in tag_rows.ORDERS else "oldest"
        rows = tag_rows.in_order(self._rows(wanted, every), order)
        return self.page(
            status,
            form=form,
            rows=tag_rows.as_tree(rows) if is_tree else rows,
            order=order,
            words=words,
            shows_tree=is_tree,
            shows_retired=retired,
            kept=("&tree=1" if is_tree else "") + ("&retired=1" if retired else ""),
            has_tree=any(tag.parent_id for tag in every),
            active_count=sum(tag.retired_at is None for tag in every),
            retired_count=sum(tag.retired_at is not None for tag in every),
            is_kept=kept.is_large(self.project.pk),
            **self._proposed(),
        )

    def _proposed(self) -> dict[str, Any]:
        """How many words wait to be looked at, and the best of them, for those who may adopt them."""
        if not allows(self.membership.role, "see_proposals"):
            return {}
        first = list(proposals.listing(self.project, kind="tag")[:PROPOSED_SHOWN])
        return {
            "proposed_count": sum(proposals.counts(self.project).values()),
            "found": proposals.with_examples(self.project, first),
        }

    def _rows(self, wanted: list[Tag], every: list[Tag]) -> list[TagRow]:
        answers = progress.answers_by_tag(self.project)
        offered = progress.offered_by_tag(self.project)
        live = LiveModel.objects.filter(project=self.project).first()
        judged = live.tags if live else {}
        by_id = {tag.pk: tag for tag in every}
        gone_into = tag_rows.gone_into(every)
        return [
            tag_rows.row(
                tag,
                answers.get(tag.pk, TagCount()),
                offered.get(tag.pk, 0),
                judged.get(str(tag.pk), {}),
                by_id.get(tag.parent_id or 0),
                gone_into.get(tag.pk, ()),
            )
            for tag in wanted
        ]


def _added(tags: Sequence[Tag]) -> str:
    names = ", ".join(tag.name for tag in tags[:NEW_NAMED])
    if len(tags) <= NEW_NAMED:
        return f"Added {names}."
    return f"Added {len(tags):,} tags: {names} and {len(tags) - NEW_NAMED:,} more."


class OneTag(ProjectPage):
    """A page about one tag of the project."""

    section = "tags"
    needs = "edit_tags"

    @property
    def tag(self) -> Tag:
        found = vocabulary.all_tags(self.project).filter(pk=self.kwargs["tag_id"]).first()
        if found is None:
            raise NotFound(f"Tag {self.kwargs['tag_id']} is not in this project.")
        # The services look at tag.project: the one at hand, without a query.
        found.project = self.project
        return found

    def back(self) -> str:
        return self.address("tags")


class TagPage(OneTag):
    template = "annotations/tag.html"

    def get(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag = self.tag
        return self._show(tag, TagForm.of(tag))

    def post(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag, form = self.tag, TagForm(request.POST)
        if form.is_valid():
            try:
                tags.update(
                    tag,
                    form.chosen(("name", "aliases", "parent", "description", "hotkey")),
                    actor=self.user,
                )
            except DomainError as error:
                form.refuse(error, FIELD_OF.get(error.code, "name"))
            else:
                messages.success(request, f"Saved {tag.name}.")
                return redirect(self.back())
        return self._show(self.tag, form, status=400)

    def _show(self, tag: Tag, form: TagForm, status: int = 200) -> HttpResponse:
        below = list(hierarchy.children(tag)[: CHILDREN_SHOWN + 1])
        latest = history.latest(tag)
        touched = tag_preview.of_tag(self.project, tag)
        return self.page(
            status,
            tag=tag,
            form=form,
            survivor=vocabulary.named(self.project, tag.pk) if tag.merged_into_id else None,
            change=told(self.project, [latest])[0] if latest else None,
            touched=touched,
            learnt=stats.learnt_of(self.project, tag.pk, yes=touched.yes),
            above=hierarchy.paths(self.project, [tag.pk])[tag.pk],
            children=below[:CHILDREN_SHOWN],
            has_more_children=len(below) > CHILDREN_SHOWN,
            examples=examples.of_tags(self.project, [tag.pk])[tag.pk],
        )


class RetireTagPage(OneTag):
    """Asks before it retires, saying what that touches."""

    template = "annotations/tag_retire.html"

    def get(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag = self.tag
        below = hierarchy.children(tag).filter(retired_at=None)
        return self.page(
            tag=tag,
            touched=tag_preview.of_tag(self.project, tag),
            children_count=below.count(),
            children=list(below[:CHILDREN_NAMED]),
        )

    def post(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag = tags.retire(self.tag, actor=self.user)
        messages.success(request, f"Retired {tag.name}. It can be revived at any time.")
        return redirect(self.back())


class ReviveTag(OneTag):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag = tags.revive(self.tag, actor=self.user)
        messages.success(request, f"{tag.name} is asked about again.")
        return redirect(self.back())


def _mentions(tag: Tag, words: str) -> bool:
    key = name_key(words)
    return not key or key in tag.key or any(key in alias.key for alias in tag.aliases.all())
