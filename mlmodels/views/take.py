"""The section of a version's page that gives it away: as a file, and as a command for a folder of pictures."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.errors import NotFound
from annotations.models import Project
from annotations.models.job import JobState
from annotations.views.base import ProjectPage
from mlmodels import selectors, tasks
from mlmodels.models import ModelExport, ModelVersion
from mlmodels.services import model_exports

# What a worker does in each stage, by how many are done.
_STAGES = ("loading the backbone", "writing the file", "comparing its scores with the app’s", "storing it")


@dataclass(frozen=True)
class TakenFile:
    """The newest file of a version, or the work on it."""

    job: ModelExport
    name: str
    stage: str
    size_bytes: int
    sha256: str
    is_older_vocabulary: bool

    @property
    def is_open(self) -> bool:
        return self.job.state in (JobState.QUEUED, JobState.RUNNING)


def of_version(project: Project, version: ModelVersion) -> dict[str, Any]:
    """What the section shows: the file that can be had, and the job that is newer than it, if any."""
    newest = selectors.exports(project.pk, version.pk).first()
    ready = selectors.exports(project.pk, version.pk).exclude(file_key="").first()
    return {
        "file": None if ready is None else _file(ready, project),
        "making": None if newest is None or newest == ready else _file(newest, project),
    }


class MakeFile(ProjectPage):
    section = "models"
    needs = "export_model"

    def post(self, request: HttpRequest, project_id: int, version_id: int) -> HttpResponse:
        job = model_exports.start(project_id, version_id, actor_id=request.user.pk)
        tasks.nudge(tasks.export_model, job.pk)
        return redirect(self.back())

    def back(self) -> str:
        return f"{self.address('model', self.kwargs['version_id'])}#take-title"


class CancelFile(ProjectPage):
    section = "models"
    needs = "export_model"

    def post(self, request: HttpRequest, project_id: int, version_id: int, job_id: int) -> HttpResponse:
        job = selectors.export(project_id, version_id, job_id)
        if job is None:
            raise NotFound(f"File {job_id} of model version {version_id} does not exist in this project.")
        model_exports.cancel(job, actor_id=request.user.pk)
        return redirect(self.back())

    def back(self) -> str:
        return f"{self.address('model', self.kwargs['version_id'])}#take-title"


def _file(job: ModelExport, project: Project) -> TakenFile:
    return TakenFile(
        job=job,
        name=model_exports.file_name(job),
        stage=_STAGES[min(job.done, len(_STAGES) - 1)] if job.state == JobState.RUNNING else "",
        size_bytes=job.result.get("bytes", 0),
        sha256=job.result.get("sha256", ""),
        is_older_vocabulary=job.result.get("vocabulary_version") != project.vocabulary_version,
    )
