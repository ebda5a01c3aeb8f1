"""Reads of jobs: every one through its project, lists by keyset, newest first."""

from typing import TypeVar

from django.db.models import QuerySet

from annotations.errors import NotFound
from annotations.models import Project
from annotations.models.job import Job

AnyJob = TypeVar("AnyJob", bound=Job)


def job_of(model: type[AnyJob], project: Project, job_id: int) -> AnyJob:
    job = model._default_manager.filter(project=project, pk=job_id).first()
    if job is None:
        raise NotFound(f"Job {job_id} does not exist in this project.")
    return job


def newest(model: type[AnyJob], project: Project, *, before: int | None = None) -> "QuerySet[AnyJob]":
    """The project's jobs, newest first; `before` is the last id of the page before."""
    jobs = model._default_manager.filter(project=project).order_by("-id")
    return jobs if before is None else jobs.filter(pk__lt=before)
