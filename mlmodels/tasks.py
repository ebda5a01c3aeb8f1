"""Celery's door to the model's services. Every task reads rows to see what to do; twice has one effect."""

import logging
import time
from typing import Any

from celery import shared_task
from django.core.cache import cache

from annotations.errors import DomainError
from annotations.models.job import JobState
from annotations.selectors import model_inputs
from annotations.services import jobs, worker_deaths
from annotations.services.nudges import nudge
from mlmodels import selectors
from mlmodels.models import ModelExport, TrainingRun
from mlmodels.services import (
    caption_features,
    caption_scans,
    encoders,
    evidence,
    extractors,
    features,
    finetune_estimates,
    finetune_schedule,
    finetuning,
    forecasts,
    model_exports,
    model_files,
    policy,
    prediction,
    proposals,
    rescoring,
    runs,
    scoring,
    similar,
    suspects,
    training,
    tuned_backbones,
    versions,
)

logger = logging.getLogger(__name__)

# Nudges that come close together become one task, which starts after the last of them was committed.
GATHER_S = 0.5
GATHER_EXPIRES_S = 5
CHECK_SOONEST_S = 0.2
# Proposals are read by people now and then: an import of many files is looked at a few times, not once a file.
PROPOSALS_GATHER_S = 3
PROPOSALS_EXPIRES_S = 30
# A sweep looks at a project for at most a fiftieth of the time.
SWEEP_REST_FACTOR = 50
SWEEP_EXPIRES_S = 600
MODEL_FILES_EVERY_S = 3600
# Quick retrains follow each other within seconds: their suspects are ranked once they pause.
SUSPECTS_GATHER_S = 2
SUSPECTS_EXPIRES_S = 30
FORECAST_GATHER_S = 10
FORECAST_EXPIRES_S = 600
INDEX_EXPIRES_S = 3600


@shared_task
def images_changed(project_id: int, image_ids: list[int]) -> None:
    """New images want features; a changed caption wants to be read again."""
    nudge_features(project_id)
    nudge_captions(project_id)
    rescoring.refresh(project_id, image_ids)
    caption_scans.note_changes(project_id, image_ids)
    nudge_proposals(project_id)


def nudge_features(project_id: int) -> None:
    if cache.add(f"features:{project_id}", 1, timeout=GATHER_EXPIRES_S):
        nudge(compute_features, project_id, countdown_s=GATHER_S)


@shared_task
def compute_features(project_id: int, after_id: int = 0) -> None:
    """One slice, then the suggestions of its images, then a task for the next slice."""
    cache.delete(f"features:{project_id}")
    done = features.compute_slice(project_id, after_id=after_id)
    scoring.refresh(project_id, done.computed)
    if done.resume_after is not None:
        nudge(compute_features, project_id, done.resume_after)
        return
    if done.computed:
        nudge(warm_up, project_id)
    if selectors.asks_for_another(project_id):
        nudge_next_features(project_id)


def nudge_next_features(project_id: int) -> None:
    if cache.add(f"next-features:{project_id}", 1, timeout=GATHER_EXPIRES_S):
        nudge(compute_next_features, project_id, countdown_s=GATHER_S)


@shared_task
def compute_next_features(project_id: int, after_id: int = 0) -> None:
    """One slice by the extractor that was asked for while another one serves, then a task for the next slice."""
    cache.delete(f"next-features:{project_id}")
    done = features.compute_next_slice(project_id, after_id=after_id)
    if done.resume_after is not None:
        nudge(compute_next_features, project_id, done.resume_after)
    elif done.changes_over:
        rescoring.next_of_queue(project_id)
        nudge(walk, project_id, 0, True)
    else:
        nudge_policy(project_id)


@shared_task
def extractor_asked(project_id: int) -> None:
    """The settings name another extractor: what suggestions read is served first, as always."""
    extractors.follow(project_id)
    nudge_features(project_id)


def nudge_captions(project_id: int) -> None:
    if encoders.is_on() and cache.add(f"captions:{project_id}", 1, timeout=GATHER_EXPIRES_S):
        nudge(compute_captions, project_id, countdown_s=GATHER_S)


@shared_task
def index_features(project_id: int) -> None:
    """So that similar images are found among many. A message that comes twice finds the index or its builder."""
    try:
        similar.build_index(project_id)
    finally:
        cache.delete("feature-index")


@shared_task
def compute_captions(project_id: int, after_id: int = 0) -> None:
    """One slice of captions for the text encoder, their suggestions anew, then a task for the next slice."""
    cache.delete(f"captions:{project_id}")
    done = caption_features.compute_slice(project_id, after_id=after_id)
    rescoring.refresh(project_id, list(done.computed))
    if done.resume_after is not None:
        nudge(compute_captions, project_id, done.resume_after)


def nudge_proposals(project_id: int) -> None:
    if cache.add(f"proposals:{project_id}", 1, timeout=PROPOSALS_EXPIRES_S):
        nudge(propose, project_id, countdown_s=PROPOSALS_GATHER_S)


@shared_task
def propose(project_id: int) -> None:
    """One slice of captions, then a task for the next; at the end the proposals."""
    cache.delete(f"proposals:{project_id}")
    if proposals.advance(project_id):
        nudge(propose, project_id)


def nudge_vocabulary(project_id: int) -> None:
    if cache.add(f"vocabulary:{project_id}", 1, timeout=GATHER_EXPIRES_S):
        nudge(vocabulary_changed, project_id, countdown_s=GATHER_S)


@shared_task
def vocabulary_changed(project_id: int) -> None:
    """A new tag or word: first what people are asked about next, then everything."""
    cache.delete(f"vocabulary:{project_id}")
    rescoring.next_of_queue(project_id)
    nudge(walk, project_id, 0, True)
    nudge(warm_up, project_id)
    nudge_proposals(project_id)


@shared_task
def asking_changed(project_id: int) -> None:
    """The queue is to ask something else: its order is made anew, first of what comes next."""
    rescoring.next_of_queue(project_id)
    nudge(walk, project_id, 0, True)


@shared_task
def version_activated(project_id: int) -> None:
    """Somebody put another version live."""
    rescoring.next_of_queue(project_id)
    nudge(walk, project_id)
    nudge_features(project_id)
    nudge_suspects(project_id)


@shared_task
def walk(project_id: int, after_id: int = 0, everything: bool = False) -> None:
    """Bring one chunk of suggestions up to date, and go on until all are."""
    walked = rescoring.walk(project_id, after_id=after_id, everything=everything)
    if walked.resume_after is not None:
        nudge(walk, project_id, walked.resume_after, everything)


@shared_task
def warm_up(project_id: int) -> None:
    """In the worker that trains: prepare for the next run while nobody waits for it."""
    evidence.warm_up(project_id)


@shared_task(Request=worker_deaths.NOTING, job_model=TrainingRun)
def train(run_id: int) -> None:
    """A head, or a backbone: whichever this run is of."""
    if selectors.kind_of_run(run_id) == TrainingRun.Kind.FINETUNE:
        _finetune(run_id)
        return
    run = training.execute(run_id)
    if run is None:
        return
    if run.result.get("version"):
        nudge(walk, run.project_id)
        nudge_features(run.project_id)
        nudge_suspects(run.project_id)
        nudge_forecast(run.project_id)
    waiting = runs.next_waiting(run.project_id)
    if waiting is not None:
        nudge(train, waiting)
    else:
        nudge_policy(run.project_id)


@shared_task(Request=worker_deaths.NOTING, job_model=ModelExport)
def export_model(job_id: int) -> None:
    """Write a version as a file to take away."""
    model_exports.execute(job_id)


def nudge_suspects(project_id: int) -> None:
    if cache.add(f"suspects:{project_id}", 1, timeout=SUSPECTS_EXPIRES_S):
        nudge(rank_suspects, project_id, countdown_s=SUSPECTS_GATHER_S)


@shared_task
def rank_suspects(project_id: int) -> None:
    """What the live version doubts, unless it has been ranked; twice finds nothing due."""
    cache.delete(f"suspects:{project_id}")
    suspects.refresh(project_id)


def nudge_forecast(project_id: int) -> None:
    if forecasts.is_due(project_id) and cache.add(f"forecast:{project_id}", 1, timeout=FORECAST_EXPIRES_S):
        nudge(climb_curve, project_id, countdown_s=FORECAST_GATHER_S)


@shared_task
def climb_curve(project_id: int) -> None:
    """One point of the learning curve, then a task for the next one: training that waits comes in between.

    After an error it rests until the mark expires.
    """
    cache.set(f"forecast:{project_id}", 1, timeout=FORECAST_EXPIRES_S)
    if forecasts.advance(project_id):
        nudge(climb_curve, project_id)
    else:
        cache.delete(f"forecast:{project_id}")


def _finetune(run_id: int) -> None:
    """One that stepped aside goes on behind what it made way for."""
    run = finetuning.execute(run_id, steps_aside=True)
    if run is None:
        return
    for waiting in selectors.heads_waiting():
        nudge(train, waiting)
    for waiting in selectors.exports_waiting():
        nudge(export_model, waiting)
    if run.state == JobState.QUEUED:
        nudge(train, run.pk, countdown_s=GATHER_S)


@shared_task
def estimate_finetuning(project_id: int, options: dict[str, Any]) -> None:
    """How long tuning would take, measured here; pages read it from where it is kept."""
    finetune_estimates.measure(project_id, options)


def nudge_policy(project_id: int, in_s: float = 0.0) -> None:
    """Ask for a check now, or when time alone may have changed its answer."""
    if in_s:
        nudge(check_policy, project_id, countdown_s=in_s)
    elif cache.add(f"policy:{project_id}", 1, timeout=1):
        nudge(check_policy, project_id)


@shared_task
def check_policy(project_id: int) -> None:
    answer = policy.check(project_id)
    if answer.run_id is not None:
        nudge(train, answer.run_id)
    elif answer.again_in_s is not None and cache.add(f"policy-later:{project_id}", 1, timeout=1):
        nudge_policy(project_id, in_s=max(answer.again_in_s, CHECK_SOONEST_S))


@shared_task
def check_policies() -> None:
    """From beat: whatever a lost nudge has left."""
    for project_id in model_inputs.with_unread_answers():
        check_policy(project_id)
    for run_id in finetune_schedule.check_all():
        nudge(train, run_id)


@shared_task
def sweep() -> None:
    """From beat: heals what a killed worker or a lost message has left undone."""
    jobs.give_up(TrainingRun)
    for run_id in jobs.waiting_ids(TrainingRun):
        nudge(train, run_id)
    jobs.give_up(ModelExport)
    for job_id in jobs.waiting_ids(ModelExport):
        nudge(export_model, job_id)
    if cache.add("model-files", 1, timeout=MODEL_FILES_EVERY_S):
        model_files.remove_orphans()
        tuned_backbones.remove_leftovers()
    for project_id in model_inputs.project_ids():
        if cache.add(f"sweep:{project_id}", 1, timeout=SWEEP_EXPIRES_S):
            _sweep_project(project_id)


def _sweep_project(project_id: int) -> None:
    """Looking takes longer in a large project: then the next look comes later."""
    started = time.monotonic()
    if versions.check_file(project_id):
        nudge(version_activated, project_id)
    _sweep_features(project_id)
    nudge_captions(project_id)
    if rescoring.has_stale(project_id):
        nudge(walk, project_id)
    if similar.wants_index(project_id) and cache.add("feature-index", 1, timeout=INDEX_EXPIRES_S):
        nudge(index_features, project_id)
    if proposals.is_due(project_id):
        nudge_proposals(project_id)
    if suspects.is_due(project_id):
        nudge_suspects(project_id)
    nudge_forecast(project_id)
    rest_s = SWEEP_REST_FACTOR * (time.monotonic() - started)
    cache.set(f"sweep:{project_id}", 1, timeout=max(1, min(SWEEP_EXPIRES_S, int(rest_s))))


def _sweep_features(project_id: int) -> None:
    """What suggestions read comes first; an extractor that does not load is tried now and then."""
    state = extractors.follow(project_id)
    read = selectors.read_extractor(project_id)
    may_try = extractors.wants_another_try(state)
    if (read is not None or may_try) and selectors.wants_features(project_id, read):
        nudge_features(project_id)
    elif may_try and selectors.asks_for_another(project_id) and not selectors.has_looked_at_all(project_id):
        nudge_next_features(project_id)
    elif policy.new_extractor(project_id):
        nudge_policy(project_id)


@shared_task(ignore_result=False)
def predict(project_id: int, picture_key: str | None, caption: str, limit: int) -> dict[str, Any]:
    """The answer as JSON; an error of the request travels as its code, message and status."""
    try:
        answer = prediction.predict(project_id, picture_key=picture_key, caption=caption, limit=limit)
    except DomainError as error:
        return {"error": {"code": error.code, "message": error.message, "status": error.status}}
    return {
        "suggestions": answer.suggestions,
        "calibrated": answer.calibrated,
        "model_version": {"id": answer.model_version_id, "number": answer.model_number},
    }
