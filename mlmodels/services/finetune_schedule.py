"""When a project tunes its backbone by itself: by cron, in UTC, or after so many reviews. Off unless an admin sets it.

Nothing is tuned again that has learnt nothing new since: whatever the clock says, there must be new reviews. A moment
of the schedule is looked at once: reviews of the next morning start nothing by day.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from annotations.errors import BadInput, Conflict
from annotations.models.job import JobState
from annotations.selectors import model_inputs, stats
from mlmodels import selectors
from mlmodels.models import PolicyCheck, TrainingPolicy, TrainingRun
from mlmodels.services import cron, runs
from mlmodels.services.finetune_settings import FinetuneSettings

DUE = "finetune_due"
REST = timedelta(hours=1)


def check_all() -> list[int]:
    """Ask for the runs that are due; answers their ids. One query where no project has a schedule."""
    scheduled = TrainingPolicy.objects.filter(
        ~Q(finetune_cron="") | Q(finetune_every_reviews__gt=0), paused=False
    )
    due = []
    for policy in scheduled.order_by("pk"):
        if model_inputs.project(policy.project_id) is None:
            continue
        run_id = check(policy)
        if run_id is not None:
            due.append(run_id)
    return due


def check(policy: TrainingPolicy) -> int | None:
    """Ask for a run if one is due, with a line in the ledger; None if not, or while one is open."""
    project_id = policy.project_id
    last = selectors.newest_run(project_id, TrainingRun.Kind.FINETUNE)
    has_come = bool(policy.finetune_cron) and _has_come(policy, last)
    is_open = selectors.open_run(project_id, TrainingRun.Kind.FINETUNE) is not None
    reason = "" if is_open else _why_due(policy, last, has_come)
    if not reason:
        if has_come:
            _pass_over(policy)
        return None
    try:
        run = runs.request_finetune(
            project_id,
            trigger=TrainingRun.Trigger.POLICY,
            settings=FinetuneSettings(**_last_settings(project_id)),
        )
    except Conflict:
        return None
    PolicyCheck.objects.create(
        project_id=project_id, outcome=PolicyCheck.Outcome.RAN, code=DUE, reason=reason, run=run
    )
    return run.pk


@dataclass(frozen=True)
class Upcoming:
    """When the backbone is tuned next: `at` by the schedule, and after `every_reviews` of which `reviews` are there.

    None where the policy has no schedule, 0 where it has no number of reviews.
    """

    at: datetime | None
    reviews: int
    every_reviews: int


def upcoming(policy: TrainingPolicy) -> Upcoming | None:
    """What comes next; None where nothing comes by itself. Two queries, none without a schedule."""
    if policy.paused or not (policy.finetune_cron or policy.finetune_every_reviews):
        return None
    return Upcoming(_next_moment(policy), max(0, _new_reviews(policy)), policy.finetune_every_reviews)


def _next_moment(policy: TrainingPolicy) -> datetime | None:
    try:
        return cron.read(policy.finetune_cron).next_after(timezone.now()) if policy.finetune_cron else None
    except BadInput:
        return None


def _new_reviews(policy: TrainingPolicy) -> int:
    """Reviews since the last run was asked for that learnt anything."""
    learnt = selectors.newest_tuning(policy.project_id)
    reviews = stats.trainable(policy.project_id).reviews
    return reviews - (learnt.tuning.get("asked_at_reviews", 0) if learnt else 0)


def _why_due(policy: TrainingPolicy, last: TrainingRun | None, has_come: bool) -> str:
    new = _new_reviews(policy)
    if new <= 0 or _rests_after(last):
        return ""
    if policy.finetune_every_reviews and new >= policy.finetune_every_reviews:
        return f"{new} reviews came since the backbone was tuned last."
    if has_come:
        return f"The schedule “{policy.finetune_cron}” says so."
    return ""


def _rests_after(last: TrainingRun | None) -> bool:
    """Whether it is too soon after a run that failed or was cancelled: it would begin again at once."""
    if last is None or last.finished_at is None or last.state not in (JobState.FAILED, JobState.CANCELLED):
        return False
    return timezone.now() - last.finished_at < REST


def _has_come(policy: TrainingPolicy, last: TrainingRun | None) -> bool:
    """Whether a moment of the schedule lies between now and the last run, setting it, or the last that is over."""
    now = timezone.now()
    since = (
        policy.finetune_cron_since
        if last is None
        else max(last.created_at, policy.finetune_cron_since or last.created_at)
    )
    try:
        moment = cron.read(policy.finetune_cron).last_before(now)
    except BadInput:
        return False
    return moment is not None and since is not None and moment > since


def _pass_over(policy: TrainingPolicy) -> None:
    """The moment that has come is over, unless the schedule was changed meanwhile."""
    same = TrainingPolicy.objects.filter(pk=policy.pk, finetune_cron=policy.finetune_cron)
    same.update(finetune_cron_since=timezone.now())


def _last_settings(project_id: int) -> dict[str, Any]:
    """As an admin chose them last; else the defaults."""
    chosen = selectors.runs(project_id).filter(
        kind=TrainingRun.Kind.FINETUNE, trigger=TrainingRun.Trigger.PERSON
    )
    last = chosen.first()
    return dict(last.options.get("finetune", {})) if last else {}
