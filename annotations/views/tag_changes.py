"""The vocabulary's history: what was done to tags, in words, with what can be taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from annotations.models import Project, TagChange
from annotations.numbers import whole_number
from annotations.selectors import images, proposals, tag_changes, vocabulary
from annotations.views.base import ProjectPage

PAGE_SIZE = 50
_FIELDS = {
    "parent": "its parent",
    "hotkey": "its hotkey",
    "description": "its description",
    "colour": "its colour",
    "aliases": "its aliases",
}


@dataclass(frozen=True)
class ToldChange:
    """A change in words that follow the person's name. `tag` leads to its page; `can_undo`: nothing came after it."""

    change: TagChange
    sentence: str
    can_undo: bool


class TagChangesPage(ProjectPage):
    template = "annotations/tag_changes.html"
    section = "tags"
    needs = "edit_tags"

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        after = whole_number(request.GET.get("after", ""))
        found = tag_changes.newest(self.project, PAGE_SIZE + 1, after)
        shown = found[:PAGE_SIZE]
        retired = vocabulary.all_tags(self.project).exclude(retired_at=None)
        return self.page(
            changes=told(self.project, shown),
            older=shown[-1].pk if len(found) > PAGE_SIZE else None,
            is_later_page=after is not None,
            retired_count=retired.count(),
            proposed_count=sum(proposals.counts(self.project).values()),
        )


def told(project: Project, changes: Sequence[TagChange]) -> list[ToldChange]:
    """Two queries, however many changes."""
    names = images.tag_names(project, {tag_id for change in changes for tag_id in change.tag_ids})
    blocked = tag_changes.blocked(project, changes)
    return [
        ToldChange(change, sentence(change, names), change.undone_at is None and change.pk not in blocked)
        for change in changes
    ]


def sentence(change: TagChange, names: Mapping[int, str]) -> str:
    """What was done, to follow the name of whoever did it."""
    tag, *others = [
        f"“{names[tag_id]}”" if tag_id in names else "a tag that is gone" for tag_id in change.tag_ids
    ]
    match change.kind:
        case TagChange.Kind.MERGE:
            return f"merged {tag} into {others[0]}"
        case TagChange.Kind.SPLIT:
            return f"split {tag} into {', '.join(others)}"
        case TagChange.Kind.RETIRE:
            return f"retired {tag}"
        case TagChange.Kind.DELETE:
            return f"moved {tag} to the trash"
    if "name" in change.before:
        before = f"“{change.before['name']}”"
        return f"renamed {before}" + (f", now {tag}" if tag != before else "")
    changed = [words for field, words in _FIELDS.items() if field in change.before]
    return f"changed {tag}: {', '.join(changed)}"
