"""Writes the vocabulary's history: each change with what stood before it, and the mark of one that was taken back."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from annotations.models import Decision, Project, Tag, TagChange, User
from annotations.selectors import truth
from annotations.services import counters
from annotations.signals import reviews_changed, send_on_commit, vocabulary_changed


def record(
    tag: Tag, kind: str, *, actor: User | None, before: Mapping[str, Any], others: Iterable[Tag] = ()
) -> TagChange:
    """Append a change of this tag that concerns the others too; call inside its transaction."""
    return TagChange.objects.create(
        project_id=tag.project_id,
        kind=kind,
        tag=tag,
        tag_ids=[tag.pk, *(other.pk for other in others)],
        before=dict(before),
        actor=actor,
    )


def mark_undone(change: TagChange, *, actor: User) -> None:
    change.undone_at, change.undone_by = timezone.now(), actor
    change.save(update_fields=["undone_at", "undone_by"])


def tell_of_moved(project: Project, tag: Tag) -> None:
    """What was said of the tag counts for another one now: suggestions follow, and training has something to read."""
    moved = Decision.objects.filter(truth.NOT_TAKEN_BACK, tag=tag, image__is_holdout=False).count()
    counters.add(project.pk, {"trainable_decisions": moved})
    send_on_commit(vocabulary_changed, project_id=project.pk)
    send_on_commit(reviews_changed, project_id=project.pk)
