"""Snapshots: freeze the dataset under a name, see what changed between two, remove one."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations import tasks
from annotations.errors import BadInput, DomainError
from annotations.models import Image, JobState, Snapshot
from annotations.numbers import whole_number
from annotations.selectors import arrays, jobs
from annotations.services import snapshots
from annotations.views.base import ProjectPage

SHOWN = 50
FIELDS_SHOWN = {
    "yes": "tags",
    "no": "explicit no's",
    "disputed": "disputed tags",
    "not_asked": "tags not asked",
    "caption": "caption",
    "is_reviewed": "reviewed",
    "split": "holdout",
    "name": "name",
    "path": "folder",
    "metadata": "metadata",
}


@dataclass(frozen=True)
class Changes:
    """One kind of difference: how many images, and the first of them with what is still in the project."""

    title: str
    count: int
    shown: list[dict[str, Any]]


class SnapshotsPage(ProjectPage):
    template = "annotations/snapshots.html"
    section = "export"
    needs = "export"
    depends_on = ("io",)

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """The page; to htmx, the list that moves."""
        response = self.page(
            template="annotations/_snapshots_live.html" if self.is_part else self.template, **self._list()
        )
        patch_vary_headers(response, ["HX-Request"])
        return response

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        name = request.POST.get("name", "")
        try:
            snapshot = snapshots.start(self.project, actor=self.user, name=name)
        except DomainError as error:
            return self.page(error.status, refused=error, name=name, **self._list())
        tasks.nudge(tasks.run_snapshot, snapshot.pk)
        return redirect("snapshots", project_id)

    def _list(self) -> dict[str, Any]:
        before = whole_number(self.request.GET.get("before", ""))
        rows = list(jobs.newest(Snapshot, self.project, before=before).select_related("actor")[: SHOWN + 1])
        shown = rows[:SHOWN]
        return {
            "rows": shown,
            "is_running": any(row.state in (JobState.QUEUED, JobState.RUNNING) for row in shown),
            "can_compare": sum(bool(row.file_key) for row in shown) > 1,
            "before": shown[-1].pk if len(rows) > len(shown) else None,
        }


class SnapshotComparePage(ProjectPage):
    template = "annotations/snapshots_compare.html"
    section = "export"
    needs = "export"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        before, after = (self._picked(request, name) for name in ("before", "after"))
        found = snapshots.compare(before, after)
        kinds = [
            Changes(title, found.counts[kind], self._with_links(getattr(found, kind)))
            for kind, title in (("added", "Added"), ("removed", "Removed"), ("changed", "Changed"))
        ]
        return self.page(
            before=before,
            after=after,
            same=found.same,
            kinds=kinds,
            tags=sorted(found.tags, key=lambda tag: -abs(tag.after - tag.before)),
            by_field=[(FIELDS_SHOWN[name], count) for name, count in found.by_field.most_common()],
        )

    def _picked(self, request: HttpRequest, name: str) -> Snapshot:
        number = whole_number(request.GET.get(name, ""))
        if number is None:
            raise BadInput("Pick two snapshots to compare: an earlier and a later one.", code="two_needed")
        return jobs.job_of(Snapshot, self.project, number)

    def _with_links(self, differences: list[Any]) -> list[dict[str, Any]]:
        """What is not in the project any more has no page to go to."""
        images = Image.objects.filter(project=self.project, deleted_at=None)
        there = set(
            images.filter(arrays.among("id", [one.image_id for one in differences])).values_list(
                "id", flat=True
            )
        )
        return [
            {
                "one": one,
                "image_id": one.image_id if one.image_id in there else None,
                "fields": [FIELDS_SHOWN[name] for name in one.fields],
            }
            for one in differences
        ]


class RemoveSnapshotPage(ProjectPage):
    """Asks before a snapshot is removed for good."""

    template = "annotations/snapshot_remove.html"
    section = "export"
    needs = "export"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int, snapshot_id: int) -> HttpResponse:
        return self.page(snapshot=jobs.job_of(Snapshot, self.project, snapshot_id))

    def post(self, request: HttpRequest, project_id: int, snapshot_id: int) -> HttpResponse:
        snapshot = jobs.job_of(Snapshot, self.project, snapshot_id)
        snapshots.remove(snapshot, actor=self.user)
        messages.success(request, f"“{snapshot.name}” was removed.")
        return redirect("snapshots", project_id)

    def back(self) -> str:
        return self.address("snapshots")
