"""Where the model's side writes what annotations shows of it: numbers, metrics and the training cursor."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotations.models import LiveModel


@transaction.atomic
def publish(
    project_id: int,
    *,
    version_id: int | None,
    number: int,
    provisional: bool,
    metrics: Mapping[str, Any],
    tags: Mapping[str, Any],
    read_decisions: int | None = None,
    read_reviews: int | None = None,
) -> None:
    """This version is live to people from now on. A roll back leaves the cursor where it is (None)."""
    row = _locked(project_id)
    row.version_id, row.number, row.provisional = version_id, number, provisional
    row.metrics, row.tags = dict(metrics), dict(tags)
    row.published_at = timezone.now()
    _advance(row, read_decisions, read_reviews)
    row.save()


def is_live(project_id: int, version_id: int | None) -> bool:
    """Whether this version serves; nobody changes that until the caller's transaction ends."""
    return _locked(project_id).version_id == version_id


@transaction.atomic
def record_candidate(
    project_id: int,
    *,
    version: int | None,
    verdict: str,
    reasons: Sequence[str],
    read_decisions: int,
    read_reviews: int,
) -> None:
    """A version was judged, or a retrain skipped (`version` None): its evidence counts as read either way."""
    row = _locked(project_id)
    if version is not None:
        row.last_candidate = {"version": version, "verdict": verdict, "reasons": list(reasons)}
    _advance(row, read_decisions, read_reviews)
    row.save()


def _locked(project_id: int) -> LiveModel:
    LiveModel.objects.get_or_create(project_id=project_id)
    return LiveModel.objects.select_for_update().get(project_id=project_id)


def _advance(row: LiveModel, decisions: int | None, reviews: int | None) -> None:
    row.read_decisions = max(row.read_decisions, decisions or 0)
    row.read_reviews = max(row.read_reviews, reviews or 0)
