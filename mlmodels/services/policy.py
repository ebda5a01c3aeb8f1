"""The retraining policy: when a run is asked for, and one line of the ledger whenever the answer changes.

Deciding is a pure function of a situation; reading the situation costs a few counts. No model is loaded here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotations.errors import BadInput, Conflict
from annotations.selectors import model_inputs, stats
from annotations.services import audit
from mlmodels import selectors
from mlmodels.models import PolicyCheck, TrainingPolicy, TrainingRun
from mlmodels.services import cron, runs

RAN, WAITED, REFUSED = PolicyCheck.Outcome.RAN, PolicyCheck.Outcome.WAITED, PolicyCheck.Outcome.REFUSED
# The cursor does not move when a run fails: without a pause it would be tried again and again.
AFTER_FAILURE_S = 60.0
FEATURES_SOON_S = 2.0
NEW_EXTRACTOR = "new_extractor"
# A version of a new extractor that was refused is tried again when there is so much more to learn from.
TRY_AGAIN_GROWTH = 1.2
FIELDS = (
    "every_reviews",
    "at_most_every_seconds",
    "after_quiet_seconds",
    "paused",
    "finetune_every_reviews",
    "finetune_cron",
)


@dataclass(frozen=True)
class Situation:
    """What the policy looks at.

    `quiet_s` is the time since the newest answer, `since_run_s` since the last run was asked for, or None.
    `looked_at` says whether there is any feature to train on; `new_extractor` names one that was asked for, has
    looked at every image, and awaits its first version.
    """

    reviews_waiting: int
    decisions_waiting: int
    quiet_s: float | None
    since_run_s: float | None
    run_open: bool
    last_failed: bool = False
    looked_at: bool = True
    new_extractor: str = ""


@dataclass(frozen=True)
class Answer:
    """Run or not, with the reason for the ledger; `again_in_s` says when time alone may change the answer."""

    outcome: str
    code: str
    reason: str
    again_in_s: float | None = None
    run_id: int | None = None


RUN_OPEN = Answer(WAITED, "run_open", "A run is open already.")


def decide(policy: TrainingPolicy, now: Situation) -> Answer:
    """Run when enough reviews wait, or any wait and nobody has answered lately; never too often."""
    if now.reviews_waiting <= 0 and now.decisions_waiting <= 0 and not now.new_extractor:
        return Answer(WAITED, "nothing_new", "No answer waits that may be trained on.")
    if policy.paused:
        return Answer(REFUSED, "paused", "The policy is paused.")
    if now.run_open:
        return RUN_OPEN
    if not now.looked_at:
        return Answer(WAITED, "no_features", "No image has been looked at yet.", FEATURES_SOON_S)
    every_s = max(policy.at_most_every_seconds, AFTER_FAILURE_S if now.last_failed else 0.0)
    if now.since_run_s is not None and now.since_run_s < every_s:
        after = " after a failed one" if now.last_failed else ""
        return Answer(
            WAITED, "too_soon", f"At most one run every {every_s:g} s{after}.", every_s - now.since_run_s
        )
    if now.new_extractor:
        reason = f"{now.new_extractor} has looked at every image: a version that reads it is judged."
        return Answer(RAN, NEW_EXTRACTOR, reason)
    if now.reviews_waiting >= policy.every_reviews:
        return Answer(RAN, "enough_reviews", f"{_counted(now.reviews_waiting, 'review')} waited.")
    quiet_left_s = 0.0 if now.quiet_s is None else policy.after_quiet_seconds - now.quiet_s
    if quiet_left_s > 0:
        reason = f"Fewer than {policy.every_reviews} reviews wait, and people are still answering."
        return Answer(WAITED, "still_answering", reason, again_in_s=quiet_left_s)
    reviews, decisions = now.reviews_waiting, now.decisions_waiting
    waiting = _counted(reviews, "review") if reviews else _counted(decisions, "decision")
    return Answer(RAN, "quiet", f"{waiting} waited and nobody answered for {policy.after_quiet_seconds:g} s.")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def check(project_id: int) -> Answer:
    """Decide, ask for the run, and write the ledger if the answer is another one than last time."""
    answer = decide(selectors.policy(project_id), situation(project_id))
    if answer.outcome == RAN:
        ready = selectors.ready_extractor(project_id) if answer.code == NEW_EXTRACTOR else None
        answer = _asked(project_id, answer, ready.pk if ready else None)
    _note(project_id, answer)
    return answer


def _asked(project_id: int, answer: Answer, extractor_id: int | None) -> Answer:
    """The answer with the run that was asked for; it waits if a run of a snapshot came in this moment."""
    try:
        run = runs.request(project_id, trigger=TrainingRun.Trigger.POLICY, extractor_id=extractor_id)
    except Conflict:
        return RUN_OPEN
    return Answer(answer.outcome, answer.code, answer.reason, run_id=run.pk)


def situation(project_id: int) -> Situation:
    live = model_inputs.live(project_id)
    counts = stats.trainable(project_id)
    newest = selectors.newest_run(project_id)
    return Situation(
        reviews_waiting=counts.reviews - live.read_reviews,
        decisions_waiting=counts.decisions - live.read_decisions,
        quiet_s=_seconds_since(counts.newest_at),
        since_run_s=_seconds_since(newest.created_at if newest else None),
        run_open=selectors.open_run(project_id) is not None,
        last_failed=newest is not None and newest.state == "failed",
        looked_at=selectors.read_extractor(project_id) is not None,
        new_extractor=new_extractor(project_id),
    )


def new_extractor(project_id: int) -> str:
    """The name of an extractor that waits for its first version, or for another try; empty if there is none.

    One whose version was live and is no more was rolled back by a person: it is not tried again by itself.
    """
    ready = selectors.ready_extractor(project_id)
    if ready is None or model_inputs.live(project_id).version_id is None:
        return ""
    tried = selectors.tried_on_asked_extractor(project_id)
    if tried is None:
        return ready.name
    if tried.activated_at is not None:
        return ""
    grown = stats.trainable(project_id).reviews >= TRY_AGAIN_GROWTH * tried.trained_reviews
    return ready.name if grown else ""


@transaction.atomic
def update(project_id: int, changes: Mapping[str, Any], *, actor_id: int | None) -> TrainingPolicy:
    """Change the policy; raises BadInput naming each field that is not acceptable."""
    unknown = sorted(set(changes) - set(FIELDS))
    if unknown:
        raise BadInput(
            f"Unknown: {', '.join(unknown)}. The policy has {', '.join(FIELDS)}.", code="unknown_field"
        )
    TrainingPolicy.objects.get_or_create(project_id=project_id)
    policy = TrainingPolicy.objects.select_for_update().get(project_id=project_id)
    was_paused = policy.paused
    for field, value in changes.items():
        setattr(policy, field, value)
    if "finetune_cron" in changes or (was_paused and not policy.paused):
        _schedule(policy, str(policy.finetune_cron or ""))
    try:
        policy.full_clean(exclude=["project"])
    except ValidationError as error:
        fields = {field: " ".join(messages) for field, messages in error.message_dict.items()}
        raise BadInput("The policy was not changed.", code="bad_policy", **fields) from error
    policy.save()
    audit.record(project_id, "policy.update", actor_id=actor_id, **changes)
    return policy


def _schedule(policy: TrainingPolicy, text: str) -> None:
    """A schedule begins when it is set, and anew after a pause: moments before that are nobody's wish."""
    try:
        if text:
            cron.read(text)
    except BadInput as error:
        raise BadInput(error.message, code=error.code, finetune_cron=error.message) from error
    policy.finetune_cron, policy.finetune_cron_since = text, timezone.now()


def _note(project_id: int, answer: Answer) -> None:
    last = selectors.ledger(project_id).first()
    if last is not None and answer.run_id is None and last.code == answer.code:
        return
    if last is not None and answer.run_id is not None and last.run_id == answer.run_id:
        return
    if last is None and answer.code == "nothing_new":
        return
    PolicyCheck.objects.create(
        project_id=project_id,
        outcome=answer.outcome,
        code=answer.code,
        reason=answer.reason,
        run_id=answer.run_id,
    )


def _seconds_since(at: datetime | None) -> float | None:
    return None if at is None else (timezone.now() - at).total_seconds()
