"""Background work of annotations as Celery tasks: transfers, bulk actions and the sweep that heals what was left.

A message is only a nudge. What is to be done, and whether it is done already, stands in the job's row.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from celery import shared_task
from django.core.cache import cache
from django.db import InterfaceError, OperationalError

from annotations.errors import DomainError
from annotations.models import BulkJob, ExportJob, ImportJob, JobState, Snapshot
from annotations.selectors import verify
from annotations.services import (
    bulk,
    counters,
    exports,
    imports,
    jobs,
    leases,
    near_pairs,
    rankings,
    sample_project,
    snapshots,
    storage,
    trash,
    worker_deaths,
)
from annotations.services.jobs import AnyJob
from annotations.services.nudges import nudge

logger = logging.getLogger(__name__)

ABANDONED_AFTER = timedelta(days=2)
MAX_FOLDS = 20
# Imports that come close together are searched for near-duplicates once, after the last of them.
DUPLICATES_GATHER_S = 5
DUPLICATES_EXPIRES_S = 60
DUPLICATES_SWEEP_S = 60


@shared_task(Request=worker_deaths.NOTING, job_model=ImportJob)
def run_import(job_id: int) -> None:
    _work(ImportJob, job_id, _run_import)


@shared_task(Request=worker_deaths.NOTING, job_model=ExportJob)
def run_export(job_id: int) -> None:
    _work(ExportJob, job_id, exports.run)


@shared_task(Request=worker_deaths.NOTING, job_model=Snapshot)
def run_snapshot(snapshot_id: int) -> None:
    _work(Snapshot, snapshot_id, snapshots.run)


@shared_task(Request=worker_deaths.NOTING, job_model=BulkJob)
def run_bulk(job_id: int) -> None:
    _work(BulkJob, job_id, bulk.run)


@shared_task
def find_duplicates(project_id: int) -> None:
    """Search what has come since the last time for near-duplicates."""
    cache.delete(f"duplicates:{project_id}")
    if found := near_pairs.find(project_id):
        logger.info("project %s has %s new pairs of near-duplicates", project_id, found)


def nudge_duplicates(project_id: int) -> None:
    """One search of a project waits at a time; it takes all that has come until it starts."""
    if cache.add(f"duplicates:{project_id}", 1, timeout=DUPLICATES_EXPIRES_S):
        nudge(find_duplicates, project_id, countdown_s=DUPLICATES_GATHER_S)


@shared_task
def refresh_rankings(project_id: int) -> None:
    """Somebody verifies: bring the order of images up to date. A lost message is sent again by the next look."""
    rankings.refresh(project_id)


def keep_ranked(project_id: int) -> None:
    """Somebody looks at an order by score: one that is missing or too old is built anew in the background."""
    if verify.is_due(project_id):
        nudge(refresh_rankings, project_id)


@shared_task
def sweep() -> None:
    """Heal and tidy: silent jobs go on, counters are folded, expired leases closed, old uploads removed."""
    for model, task in (
        *((ImportJob, run_import), (ExportJob, run_export)),
        *((BulkJob, run_bulk), (Snapshot, run_snapshot)),
    ):
        jobs.give_up(model)
        for job_id in jobs.waiting_ids(model):
            nudge(task, job_id)
    for _ in range(MAX_FOLDS):
        if not counters.fold():
            break
    leases.close_expired()
    if cache.add("duplicates-sweep", 1, timeout=DUPLICATES_SWEEP_S):
        for project_id in near_pairs.behind():
            nudge_duplicates(project_id)
    for area in storage.abandoned_staging_areas(older_than=ABANDONED_AFTER):
        if not imports.is_needed(area):
            storage.delete_area(area)


@shared_task
def empty_trash() -> None:
    """What has been in the trash for 30 days is removed for good."""
    if removed := trash.remove_expired():
        logger.info("%s images left the trash for good", removed)


@shared_task
def remove_leftovers() -> None:
    """Killed writers leave hidden halves of files behind."""
    if removed := storage.remove_leftovers(older_than=ABANDONED_AFTER):
        logger.info("%s halves of files that killed workers left were removed", removed)


def _run_import(job: ImportJob) -> None:
    """The sample project's import first draws its pictures."""
    run = sample_project.run if job.source == sample_project.SOURCE else imports.run
    run(job)
    nudge_duplicates(job.project_id)


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
    except DomainError as error:
        jobs.finish(job, JobState.FAILED, reason=error.message)
    except Exception as error:
        logger.exception("%s %s failed", model.__name__, job_id)
        jobs.finish(job, JobState.FAILED, reason=_reason(error))


def _reason(error: Exception) -> str:
    if storage.is_full(error):
        return (
            "The disk is full. What landed stays: free some space, then start it again; nothing lands twice."
        )
    return f"It stopped with {type(error).__name__}: {error}. What landed stays; see the worker's log."
