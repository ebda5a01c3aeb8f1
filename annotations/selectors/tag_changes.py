"""The history of the vocabulary: what was done to a tag, and whether that can still be taken back."""

from collections.abc import Sequence

from annotations.models import Project, Tag, TagChange


def standing(project: Project, *tag_ids: int) -> list[TagChange]:
    """Changes of these tags that nobody has taken back, newest first."""
    rows = TagChange.objects.filter(project=project, undone_at=None, tag_ids__overlap=list(tag_ids))
    return list(rows.select_related("tag").order_by("-pk"))


def latest(tag: Tag) -> TagChange | None:
    """The newest change of the tag that stands: the one that an undo takes back."""
    return next(iter(standing(tag.project, tag.pk)), None)


def in_the_way(change: TagChange) -> TagChange | None:
    """A later change of one of its tags, which has to be taken back before it."""
    newest = standing(change.project, *change.tag_ids)[0]
    return None if newest.pk == change.pk else newest


def blocked(project: Project, changes: Sequence[TagChange]) -> set[int]:
    """Those of these changes that stand and cannot be taken back yet, by id. One query."""
    tag_ids = {tag_id for change in changes for tag_id in change.tag_ids}
    latest_of = {tag_id: one.pk for one in reversed(standing(project, *tag_ids)) for tag_id in one.tag_ids}
    return {
        change.pk
        for change in changes
        if change.undone_at is None and any(latest_of[tag_id] != change.pk for tag_id in change.tag_ids)
    }


def newest(project: Project, limit: int, after: int | None = None) -> list[TagChange]:
    """The last changes, or those before one of them; those taken back too. One query."""
    rows = TagChange.objects.filter(project=project).select_related("tag", "actor", "undone_by")
    rows = rows if after is None else rows.filter(pk__lt=after)
    return list(rows.order_by("-pk")[:limit])
