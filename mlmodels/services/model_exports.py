"""Files of versions to take away, from request to stored file. What is in one, `portable` knows."""

import logging

from django.db import IntegrityError, transaction

from annotations.errors import Conflict, DomainError, NotFound
from annotations.models.job import JobState
from annotations.services import audit, exports, jobs, storage
from mlmodels import selectors
from mlmodels.errors import ArtifactNotReadable
from mlmodels.models import ModelExport
from mlmodels.services import portable, runs, versions

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/octet-stream"


def start(project_id: int, version_id: int, *, actor_id: int | None) -> ModelExport:
    """A file that waits for a worker; one of the same version that is being made is answered instead.

    Raises:
        ArtifactNotReadable: the version's own file cannot be used.
    """
    version = selectors.version(project_id, version_id)
    if version is None:
        raise NotFound(f"Model version {version_id} does not exist in this project.")
    if problem := versions.file_problem(version):
        raise ArtifactNotReadable(
            f"The file of version {version.number} cannot be used ({problem}). Take another version.",
            version=version.pk,
        )
    found = selectors.open_export(version_id)
    while found is None:
        try:
            with transaction.atomic():
                job = ModelExport.objects.create(
                    project_id=project_id, actor_id=actor_id, version=version, total=len(portable.STAGES)
                )
                audit.record(
                    project_id, "models.export", actor_id=actor_id, job=job.pk, number=version.number
                )
                return job
        except IntegrityError:  # somebody else asked in the same moment; theirs may be finished by now
            found = selectors.open_export(version_id)
    return found


def cancel(job: ModelExport, *, actor_id: int | None) -> ModelExport:
    """Stop between two stages; at once if it waits."""
    return jobs.request_cancel(
        job, actor_id=actor_id, action="models.export_cancel", number=job.version.number
    )


def execute(job_id: int) -> ModelExport | None:
    """Do the job, whatever becomes of it; None if it is taken or finished."""
    job = jobs.claim(ModelExport, job_id)
    if job is None:
        return None
    try:
        with runs.kept_alive(job):
            _work(job)
    except jobs.CancelRequestedError:
        jobs.finish(job, JobState.CANCELLED, reason="Stopped at a person's wish.")
    except jobs.ClaimLost:
        logger.warning("model export %s was taken over by another worker", job_id)
    except DomainError as error:
        jobs.finish(job, JobState.REFUSED, reason=error.message)
    except OSError as error:
        logger.exception("model export %s cannot be stored", job_id)
        jobs.finish(job, JobState.FAILED, reason=_disk_reason(error))
    except Exception as error:  # the outer edge of the work: the row must not stay open
        logger.exception("model export %s failed", job_id)
        jobs.finish(job, JobState.FAILED, reason=_broken_reason(error))
    job.refresh_from_db()
    return job


def file_name(job: ModelExport) -> str:
    """The name under which a browser saves the file."""
    return f"{exports.plain_name(job.project.name)}-v{job.version.number}.onnx"


def done(job: ModelExport) -> ModelExport:
    """The job, if its file is there; raises Conflict if not."""
    if not job.file_key:
        raise Conflict(
            f"The file is {job.state}: it is there once it is done.", code="not_done", state=job.state
        )
    return job


def _work(job: ModelExport) -> None:
    """Make the file and put it under its key whole. Whoever dies on the way leaves nothing under it."""
    made = portable.build(job.version, on_stage=lambda stage: _enter(job, stage))
    _enter(job, "store")
    assert job.claim is not None
    key = storage.export_key(job.project_id, job.pk, job.claim, "onnx")
    try:
        with storage.writer(key) as target:
            target.write(made.data)
        _publish(job, key, made)
    except BaseException:
        storage.delete(key)
        raise


@transaction.atomic
def _publish(job: ModelExport, key: str, made: portable.PortableModel) -> None:
    jobs.held(job)
    ModelExport.objects.filter(pk=job.pk).update(file_key=key, done=len(portable.STAGES))
    result = {
        "bytes": len(made.data),
        "sha256": made.sha256,
        "tags": made.tags,
        "extractor": made.extractor,
        "vocabulary_version": made.vocabulary_version,
        "largest_difference": made.difference,
    }
    jobs.finish(job, JobState.DONE, result=result)


def _enter(job: ModelExport, stage: str) -> None:
    """Say that a stage begins; raises CancelRequestedError, or ClaimLost."""
    jobs.beat(job, done=portable.STAGES.index(stage))
    if jobs.is_to_stop(job):
        raise jobs.CancelRequestedError


def _broken_reason(error: Exception) -> str:
    said = f"{type(error).__name__}: {error}"[:300]
    return f"Something broke ({said}): nothing was kept. Make the file again; if that fails too, see the worker's log."


def _disk_reason(error: OSError) -> str:
    if storage.is_full(error):
        return "The disk is full: nothing was written. Free some space, then make the file again."
    return f"The file cannot be written ({error.strerror or error}): nothing was kept. See the worker's log."
