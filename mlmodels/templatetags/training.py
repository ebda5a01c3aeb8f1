"""What pages of annotations show of retraining: its policy and the run that is open. Reads only."""

from django import template

from mlmodels import selectors
from mlmodels.models import TrainingPolicy, TrainingRun

register = template.Library()


@register.simple_tag
def retrain_policy(project_id: int) -> TrainingPolicy:
    return selectors.policy(project_id)


@register.simple_tag
def open_run(project_id: int) -> TrainingRun | None:
    return selectors.open_run(project_id)


@register.filter
def ticks(policy: TrainingPolicy, waiting: int) -> list[bool]:
    """One tick a review that a retrain waits for, filled where it is there; at most twenty."""
    wanted = min(policy.every_reviews, 20)
    filled = min(wanted, waiting * wanted // policy.every_reviews)
    return [True] * filled + [False] * (wanted - filled)
