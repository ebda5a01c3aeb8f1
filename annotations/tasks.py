"""Background work of annotations as Celery tasks: imports, exports and the sweep that heals what was left.

A message is only a nudge. What is to be done, and whether it is done already, stands in the job's row.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from celery import Task, shared_task
from django.db import InterfaceError, OperationalError, transaction
from kombu.exceptions import OperationalError as BrokerError

from annotations.models import ExportJob, ImportJob, JobState
from annotations.services import counters, exports, imports, jobs, leases, rankings, sample_project, storage
from annotations.services.jobs import AnyJob

logger = logging.getLogger(__name__)

ABANDONED_AFTER = timedelta(days=2)
MAX_FOLDS = 20


def nudge(task: Task, *args: object) -> None:
    """Send a task once the transaction has committed. Without a broker the sweep will find the row."""

    def send() -> None:
        try:
            task.delay(*args)
        except BrokerError:
            logger.warning("The broker does not answer: %s%s waits for the sweep", task.name, args)

    transaction.on_commit(send)


@shared_task
def run_import(job_id: int) -> None:
    _work(ImportJob, job_id, _run_import)


@shared_task
def run_export(job_id: int) -> None:
    _work(ExportJob, job_id, exports.run)


@shared_task
def refresh_rankings(project_id: int) -> None:
    """Somebody verifies: bring the order of images up to date. A lost message is sent again by the next look."""
    rankings.refresh(project_id)


@shared_task
def sweep() -> None:
    """Heal and tidy: silent jobs go on, counters are folded, expired leases closed, old uploads removed."""
    for model, task in ((ImportJob, run_import), (ExportJob, run_export)):
        jobs.give_up(model)
        for job_id in jobs.waiting_ids(model):
            nudge(task, job_id)
    for _ in range(MAX_FOLDS):
        if not counters.fold():
            break
    leases.close_expired()
    for area in storage.abandoned_staging_areas(older_than=ABANDONED_AFTER):
        if not imports.is_needed(area):
            storage.delete_area(area)


def _run_import(job: ImportJob) -> None:
    """The sample project's import first draws its pictures."""
    run = sample_project.run if job.source == sample_project.SOURCE else imports.run
    run(job)


def _work(model: type[AnyJob], job_id: int, run: Callable[[AnyJob], None]) -> None:
    """Claim and run; an unexpected error ends the job with a reason, a lost database leaves it to the sweep."""
    job = jobs.claim(model, job_id)
    if job is None:
        return
    try:
        run(job)
    except jobs.ClaimLost:
        logger.info("%s %s goes on elsewhere", model.__name__, job_id)
    except (OperationalError, InterfaceError):
        logger.warning("%s %s lost its database and will be resumed", model.__name__, job_id, exc_info=True)
    except Exception as error:
        logger.exception("%s %s failed", model.__name__, job_id)
        reason = f"It stopped with {type(error).__name__}: {error}. What landed stays; see the worker's log."
        jobs.finish(job, JobState.FAILED, reason=reason)
