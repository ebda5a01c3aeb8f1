"""Reads of actions on many images: those that run or have just ended, and what each says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from annotations.models import BulkJob, JobState, Project
from annotations.selectors import images

TOLD_FOR = timedelta(minutes=10)
SHOWN = 3


@dataclass(frozen=True)
class Told:
    """An action as the gallery shows it."""

    job: BulkJob
    doing: str
    done: str
    can_undo: bool

    @property
    def is_open(self) -> bool:
        return self.job.state in (JobState.QUEUED, JobState.RUNNING)

    @property
    def changed(self) -> int:
        return int(self.job.result.get("changed", 0))

    @property
    def left_out(self) -> int:
        """Taking back leaves out only what was changed: the rest was not the action's."""
        undone = self.job.undoes
        meant = self.job.done if undone is None else min(self.job.done, int(undone.result.get("changed", 0)))
        return max(meant - self.changed, 0)

    @property
    def why_left_out(self) -> str:
        if self.job.undoes_id is not None:
            return "that somebody has changed since"
        if self.job.delete_images:
            return "that were gone already"
        if self.job.queue:
            return "that are finished, broken or holdout"
        return "that say so already"


def live(project: Project) -> dict[str, Any]:
    """What the gallery's strip of actions shows."""
    told = recent(project)
    return {"bulk_jobs": told, "bulk_is_open": any(one.is_open for one in told)}


def recent(project: Project) -> list[Told]:
    """What runs, and what ended within minutes and was not put away, newest first. Two queries."""
    lately = Q(finished_at=None) | Q(finished_at__gt=timezone.now() - TOLD_FOR)
    rows = BulkJob.objects.filter(lately, project=project, is_put_away=False).defer("image_ids")
    jobs = list(rows.select_related("undoes", "actor").order_by("-pk")[:SHOWN])
    undone = set(
        BulkJob.objects.filter(undoes__in=[job.pk for job in jobs]).values_list("undoes_id", flat=True)
    )
    names = images.tag_names(project, {tag for job in jobs for tag in (*job.add_ids, *job.remove_ids)})
    return [
        Told(
            job,
            in_words(job, names, ("Adding", "Removing", "Sending to the queue", "Deleting", "Taking back")),
            in_words(job, names, ("Added", "Removed", "Sent to the queue", "Deleted", "Took back")),
            job.state in (JobState.DONE, JobState.CANCELLED)
            and job.undoes_id is None
            and job.pk not in undone,
        )
        for job in jobs
    ]


def in_words(job: BulkJob, names: Mapping[int, str], verbs: tuple[str, str, str, str, str]) -> str:
    """“Adding “dog””, “Deleted”: what an action does or did, without its images."""
    adding, removing, queueing, deleting, undoing = verbs
    if job.undoes_id is not None:
        return undoing
    parts = [f"{adding} {_quoted(job.add_ids, names)}"] if job.add_ids else []
    parts += [f"{removing} {_quoted(job.remove_ids, names)}"] if job.remove_ids else []
    parts += [queueing] if job.queue else []
    parts += [deleting] if job.delete_images else []
    first, *rest = parts
    return ", ".join([first, *(part[0].lower() + part[1:] for part in rest)])


def _quoted(tag_ids: list[int], names: Mapping[int, str]) -> str:
    return ", ".join(f"“{names[tag_id]}”" for tag_id in tag_ids if tag_id in names)
