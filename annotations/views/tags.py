"""The vocabulary: a table with what people and model say of each tag; adding, editing, retiring, reviving."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.errors import DomainError, NotFound
from annotations.forms import NewTagsForm, TagForm
from annotations.models import LiveModel, Tag
from annotations.models.tag import name_key
from annotations.permissions import allows
from annotations.selectors import examples, progress, proposals, vocabulary
from annotations.selectors.progress import TagCount
from annotations.services import tags
from annotations.views.base import ProjectPage

# Above this F1 a tag's bar is calm; below it, it asks for a look.
GOOD_F1 = 0.6
PROPOSED_SHOWN = 5
ORDERS = ("name", "yes", "f1", "oldest")


@dataclass(frozen=True)
class TagRow:
    """One line of the table. `f1` is None until the live model has learnt and judged the tag."""

    tag: Tag
    aliases: tuple[str, ...]
    count: TagCount
    offered: int
    f1: float | None
    threshold: float | None
    support: int
    needed: int

    @property
    def is_learnt(self) -> bool:
        return self.support >= self.needed > 0

    @property
    def tone(self) -> str:
        return "live" if self.f1 is not None and self.f1 >= GOOD_F1 else "wait"


class TagsPage(ProjectPage):
    template = "annotations/tags.html"
    section = "tags"
    needs = "see_tags"
    post_needs = "edit_tags"

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        return self._show(NewTagsForm())

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """Add one tag or many."""
        form = NewTagsForm(request.POST)
        if form.is_valid():
            try:
                created = tags.create_many(self.project, form.cleaned_data["words"], actor=self.user)
            except DomainError as error:
                form.refuse(error, "words")
            else:
                names = ", ".join(tag.name for tag in created[:5]) + (" …" if len(created) > 5 else "")
                messages.success(request, f"Added {names}.")
                return redirect("tags", project_id)
        return self._show(form, status=400)

    def _show(self, form: NewTagsForm, status: int = 200) -> HttpResponse:
        retired = bool(self.request.GET.get("retired"))
        words = self.request.GET.get("q", "").replace("\x00", "").strip()
        order = self.request.GET.get("order", "oldest")
        every = list(vocabulary.all_tags(self.project))
        wanted = [tag for tag in every if (tag.retired_at is not None) == retired and _mentions(tag, words)]
        return self.page(
            status,
            form=form,
            rows=_sorted(self._rows(wanted), order if order in ORDERS else "oldest"),
            order=order,
            words=words,
            shows_retired=retired,
            active_count=sum(tag.retired_at is None for tag in every),
            retired_count=sum(tag.retired_at is not None for tag in every),
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

    def _rows(self, wanted: list[Tag]) -> list[TagRow]:
        answers = progress.answers_by_tag(self.project)
        offered = progress.offered_by_tag(self.project)
        live = LiveModel.objects.filter(project=self.project).first()
        judged = live.tags if live else {}
        return [
            _row(tag, answers.get(tag.pk, TagCount()), offered.get(tag.pk, 0), judged.get(str(tag.pk), {}))
            for tag in wanted
        ]


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
        return self.page(tag=tag, form=TagForm.of(tag), examples=self.examples(tag))

    def post(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag, form = self.tag, TagForm(request.POST)
        if form.is_valid():
            try:
                tags.update(
                    tag,
                    form.chosen(("name", "aliases", "description", "hotkey")),
                    actor=self.user,
                )
            except DomainError as error:
                form.refuse(error, "hotkey" if "hotkey" in error.code else "name")
            else:
                messages.success(request, f"Saved {tag.name}.")
                return redirect(self.back())
        return self.page(400, tag=self.tag, form=form, examples=self.examples(tag))

    def examples(self, tag: Tag) -> tuple[examples.Example, ...]:
        return examples.of_tags(self.project, [tag.pk])[tag.pk]


class RetireTagPage(OneTag):
    """Asks before it retires, saying what that touches."""

    template = "annotations/tag_retire.html"

    def get(self, request: HttpRequest, project_id: int, tag_id: int) -> HttpResponse:
        tag = self.tag
        count = progress.answers_by_tag(self.project).get(tag.pk, TagCount())
        return self.page(tag=tag, count=count)

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


def _row(tag: Tag, count: TagCount, offered: int, judged: dict[str, Any]) -> TagRow:
    return TagRow(
        tag=tag,
        aliases=tuple(alias.name for alias in tag.aliases.all()),
        count=count,
        offered=offered,
        f1=judged.get("f1"),
        threshold=judged.get("threshold"),
        support=judged.get("support") or 0,
        needed=judged.get("needed") or 0,
    )


def _sorted(rows: list[TagRow], order: str) -> list[TagRow]:
    if order == "yes":
        return sorted(rows, key=lambda row: -row.count.yes)
    if order == "f1":
        return sorted(rows, key=lambda row: -1.0 if row.f1 is None else row.f1, reverse=True)
    return sorted(rows, key=lambda row: row.tag.key) if order == "name" else rows
