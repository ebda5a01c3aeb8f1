"""The one JSON shape of all jobs: imports, exports, training runs, scoring."""

from typing import Any

from rest_framework.request import Request

from annotations.models import BulkJob, ExportJob, ImportJob
from annotations.models.job import Job

_KINDS: dict[type[Job], str] = {ImportJob: "import", ExportJob: "export", BulkJob: "bulk"}


def job_json(job: Job, request: Request | None = None, *, kind: str | None = None) -> dict[str, Any]:
    """`kind` is named by those whose table is not one of this app's. `request` makes addresses absolute."""
    answer = {
        "id": job.pk,
        "kind": kind or _KINDS[type(job)],
        "state": job.state,
        "progress": {"done": job.done, "total": job.total, "unit": job.unit},
        "reason": job.reason,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "errors": job.errors,
        "result": job.result,
    }
    if isinstance(job, ImportJob):
        answer["source"] = job.source
    if isinstance(job, BulkJob):
        answer |= {"filter": job.filter, "add": job.add_ids, "remove": job.remove_ids}
        answer |= {"queue": job.queue, "delete": job.delete_images, "undoes": job.undoes_id}
    if isinstance(job, ExportJob):
        answer |= {"format": job.format, "filter": job.filter, "options": job.options}
        answer |= {"snapshot": job.snapshot_id, "images": job.with_pictures}
        answer["download_url"] = _download_url(job, request) if job.file_key else None
    return answer


def _download_url(job: ExportJob, request: Request | None) -> str:
    path = f"/api/v1/projects/{job.project_id}/exports/{job.pk}/download/"
    return request.build_absolute_uri(path) if request else path
