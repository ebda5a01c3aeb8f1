"""API of snapshots: freeze now, list, look, compare two, remove."""

import time
from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import tasks
from annotations.api.base import PAGED, ProjectView, body_of, page
from annotations.api.jobs import job_json
from annotations.errors import BadInput
from annotations.models import Project, Snapshot
from annotations.models.job import FINISHED_STATES
from annotations.permissions import required_role
from annotations.selectors import jobs
from annotations.services import requests, snapshots

WAIT_S = 10.0
"""Most projects are frozen in less; whoever freezes a larger one gets a job to look at."""
_LOOK_EVERY_S = 0.1
_ROLE = required_role("export")


def snapshot_json(snapshot: Snapshot, request: Request) -> dict[str, Any]:
    return {
        **job_json(snapshot, request, kind="snapshot"),
        "name": snapshot.name,
        "sha256": snapshot.sha256 or None,
        "images": snapshot.images,
        "decisions": snapshot.decisions,
        "vocabulary_version": snapshot.vocabulary_version,
    }


class SnapshotList(ProjectView):
    @extend_schema(parameters=PAGED, operation_id="snapshots_list", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        """Managers. The latest first."""
        rows = Snapshot.objects.filter(project=self.project(_ROLE))
        return page(
            request, rows, lambda found: [snapshot_json(row, request) for row in found], descending=True
        )

    @extend_schema(operation_id="snapshots_create", request=dict, responses={201: dict, 202: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """201 with the frozen snapshot, or 202 with its job where freezing takes longer than ten seconds."""
        project = self.project(_ROLE)
        sent = body_of(request)
        stored, is_new = requests.once(
            project_id=project.pk,
            user=request.user,
            client_id=sent.pop("client_id", None),
            body={"snapshot": sent},  # the same words to another address are another request
            act=lambda: {"snapshot": _start(project, request, sent).pk},
        )
        snapshot = _finished(project, stored["snapshot"], until=time.monotonic() + WAIT_S)
        location = request.build_absolute_uri(f"{request.path}{snapshot.pk}/")
        status = (201 if snapshot.file_key else 202) if is_new else 200
        return Response(snapshot_json(snapshot, request), status=status, headers={"Location": location})


class SnapshotDetail(ProjectView):
    @extend_schema(operation_id="snapshots_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, snapshot_id: int) -> Response:
        """One snapshot; its sha256 covers its contents alone."""
        return Response(snapshot_json(jobs.job_of(Snapshot, self.project(_ROLE), snapshot_id), request))

    @extend_schema(operation_id="snapshots_destroy", responses={204: None})
    def delete(self, request: Request, project_id: int, snapshot_id: int) -> Response:
        """Removes the snapshot. Exports that were made of it stay."""
        snapshots.remove(jobs.job_of(Snapshot, self.project(_ROLE), snapshot_id), actor=request.user)
        return Response(status=204)


class SnapshotCompare(ProjectView):
    """What happened from one snapshot to another, with the first examples of each kind."""

    @extend_schema(operation_id="snapshots_compare", responses={200: dict})
    def get(self, request: Request, project_id: int, snapshot_id: int, other_id: int) -> Response:
        project = self.project(_ROLE)
        before, after = (jobs.job_of(Snapshot, project, one) for one in (snapshot_id, other_id))
        found = snapshots.compare(before, after)
        return Response(
            {
                "same": found.same,
                **{kind: found.counts[kind] for kind in ("added", "removed", "changed")},
                "by_field": found.by_field,
                "tags": [asdict(change) for change in found.tags],
                "examples": {
                    kind: [asdict(one) for one in getattr(found, kind)]
                    for kind in ("added", "removed", "changed")
                },
            }
        )


def _start(project: Project, request: Request, sent: dict[str, Any]) -> Snapshot:
    name = sent.get("name", "")
    if not isinstance(name, str):
        raise BadInput(f"name: expected a text, got {name!r}.", code="bad_name")
    snapshot = snapshots.start(project, actor=request.user, name=name)
    tasks.nudge(tasks.run_snapshot, snapshot.pk)
    return snapshot


def _finished(project: Project, snapshot_id: int, *, until: float) -> Snapshot:
    """The snapshot once it is done, or as it is when the time is up."""
    while (snapshot := jobs.job_of(Snapshot, project, snapshot_id)).state not in FINISHED_STATES:
        if time.monotonic() >= until:
            break
        time.sleep(_LOOK_EVERY_S)
    return snapshot
