"""Figures of a project, from kept counters: no request costs more as the project grows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotations.models import Decision, LiveModel, Project, Review, User, VerifiedPage
from annotations.models.decision import GIVEN_ALONE
from annotations.selectors import counters, strata
from annotations.types import TrainableCounts

# The model's side learns a tag from so many yes on, and writes it with each version that goes live.
YES_TO_LEARN_A_TAG = 10

STATES = ("pending", "reviewed", "disputed", "unsure", "broken", "removed")


def trainable(project_id: int) -> TrainableCounts:
    """How much may be trained on, in the caller's snapshot. `newest_at`: time of the newest such answer."""
    counts = counters.read(project_id)
    return TrainableCounts(
        decisions=counts.get("trainable_decisions", 0),
        reviews=counts.get("trainable_reviews", 0),
        newest_at=_newest_at(project_id),
    )


def _newest_at(project_id: int) -> datetime | None:
    """When somebody last answered or took an answer back, outside the holdout; from the ends of six indexes."""
    of_training = {"project_id": project_id, "image__is_holdout": False}
    answers: Sequence[QuerySet[Any]] = (
        Review.objects.filter(**of_training),
        Decision.objects.filter(GIVEN_ALONE, **of_training),
        VerifiedPage.objects.filter(project_id=project_id),
    )
    times = [_latest(rows, field) for rows in answers for field in ("created_at", "undone_at")]
    return max((at for at in times if at is not None), default=None)


def _latest(rows: QuerySet[Any], field: str) -> datetime | None:
    newest = rows.filter(**{f"{field}__isnull": False}).order_by(f"-{field}")
    return newest.values_list(field, flat=True).first()


def project_stats(project: Project) -> dict[str, Any]:
    """What GET stats/ answers."""
    counts = counters.read(project.pk)
    live = LiveModel.objects.filter(project=project).first() or LiveModel(project=project)
    trainable_decisions = counts.get("trainable_decisions", 0)
    return {
        "images": counts.get("images", 0),
        "by_state": {state: counts.get(state, 0) for state in STATES},
        "holdout": {"images": counts.get("holdout", 0), "reviewed": counts.get("holdout_reviewed", 0)},
        "reviews": counts.get("reviews", 0),
        "decisions": counts.get("decisions", 0),
        "trainable_decisions": trainable_decisions,
        "trainable_reviews": counts.get("trainable_reviews", 0),
        "unlearned_decisions": max(0, trainable_decisions - live.read_decisions),
        "unlearned_reviews": max(0, counts.get("trainable_reviews", 0) - live.read_reviews),
        "live_model": live_model_json(live),
        "last_candidate": live.last_candidate,
        "f1": live.metrics.get("micro_f1"),
        "images_an_hour": Review.objects.filter(
            project=project,
            created_at__gte=timezone.now() - timedelta(hours=1),
            outcome=Review.Outcome.REVIEWED,
            undone_at=None,
        ).count(),
        **effort(counts),
        **strata.as_json(counts),
    }


def effort(counts: Mapping[str, int]) -> dict[str, Any]:
    """Acceptance of offered tags and keystrokes saved against an empty form; None before there is anything."""
    offered, empty_form = counts.get("offered", 0), counts.get("keystrokes_empty_form", 0)
    return {
        "acceptance": counts.get("accepted", 0) / offered if offered else None,
        "keystrokes_saved": 1 - counts.get("keystrokes", 0) / empty_form if empty_form else None,
    }


def live_model_json(live: LiveModel) -> dict[str, Any]:
    return {
        "id": live.version_id,
        "number": live.number,
        "provisional": live.provisional,
        "published_at": live.published_at,
        "metrics": live.metrics,
    }


@dataclass(frozen=True)
class Learnt:
    """What the live version has of a tag. `support`: the yes it learnt from, or that wait for the first version."""

    is_known: bool
    support: int
    needed: int
    f1: float | None

    @property
    def has_enough(self) -> bool:
        return self.support >= self.needed


def learnt_of(project: Project, tag_id: int, *, yes: int) -> Learnt:
    """`yes` are there now; they count for a tag that no version knows yet."""
    figures = _live_tags(project).get(str(tag_id))
    if figures is None:
        return Learnt(is_known=False, support=yes, needed=YES_TO_LEARN_A_TAG, f1=None)
    return Learnt(
        is_known=True,
        support=figures.get("support") or 0,
        needed=figures.get("needed") or YES_TO_LEARN_A_TAG,
        f1=figures.get("f1"),
    )


def yes_needed(project: Project) -> dict[int, int]:
    """How many yes a tag needs before the live model's kind learns it, by tag id; empty before the first version."""
    return {int(tag_id): figures.get("needed") or 0 for tag_id, figures in _live_tags(project).items()}


def _live_tags(project: Project) -> Mapping[str, Any]:
    return LiveModel.objects.filter(project=project).values_list("tags", flat=True).first() or {}


def person_today(project: Project, user: User, since: datetime) -> dict[str, int]:
    """What a person did today and in the last hour: the strip of the review page.

    `facts_today`: answers about one tag alone, which make no image reviewed.
    """
    pages = VerifiedPage.objects.filter(project=project, user=user, undone_at=None, created_at__gte=since)
    facts = pages.aggregate(facts=Coalesce(Sum(F("yes") + F("no")), 0))["facts"]
    mine = Review.objects.filter(project=project, user=user, undone_at=None, outcome=Review.Outcome.REVIEWED)
    return {
        "today": mine.filter(created_at__gte=since).count(),
        "facts_today": facts,
        "an_hour": mine.filter(created_at__gte=timezone.now() - timedelta(hours=1)).count(),
    }
