"""What pages show of training: its policy, the run that is open, figures of versions, what more reviews would bring.

Reads only.
"""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format

from annotations.selectors import model_inputs
from annotations.views.overview_plots import TitledPlot
from annotations.views.plots import Plot
from mlmodels import selectors
from mlmodels.models import ModelVersion, TrainingPolicy, TrainingRun
from mlmodels.services import forecasts, tuned_backbones
from mlmodels.services.forecasts import Progress
from mlmodels.views import forecasts as forecasts_shown
from mlmodels.views import plots
from mlmodels.views.forecasts import Told

register = template.Library()


@register.simple_tag
def retrain_policy(project_id: int) -> TrainingPolicy:
    return selectors.policy(project_id)


@register.simple_tag
def open_run(project_id: int) -> TrainingRun | None:
    return selectors.open_run(project_id)


@register.simple_tag
def version_plots(project_id: int, live_id: int | None) -> list[TitledPlot]:
    """F1 and keystrokes of the versions that went live; one query."""
    return plots.of_versions(selectors.went_live(project_id, plots.VERSIONS_DRAWN), live_id)


@register.simple_tag
def forecast_told(project_id: int) -> Told | None:
    """What more reviews would bring; five queries."""
    newest = forecasts.newest(project_id)
    if newest is None:
        return None
    return forecasts_shown.told(newest, {tag.tag_id for tag in model_inputs.active_tags(project_id)})


@register.simple_tag
def stop_advice(project_id: int) -> str:
    """Whether more reviews would pay, in a few words; empty before there is a forecast; one query."""
    newest = forecasts.newest(project_id)
    return forecasts_shown.advice(newest.overall) if newest and newest.overall else ""


@register.simple_tag
def tag_foretold(project_id: int, tag_id: int) -> str:
    """Whether more examples of a tag would help; empty before that is known; one query."""
    newest = forecasts.newest(project_id)
    return forecasts_shown.of_tag(newest, tag_id) if newest else ""


@register.simple_tag
def forecast_progress(project_id: int) -> Progress:
    return forecasts.progress(project_id)


@register.simple_tag
def tags_foretold(version: ModelVersion) -> Plot | None:
    """What twice the images would bring each tag, where the curve of this version was climbed; one query."""
    row = forecasts.of_version(version.pk)
    names = {int(tag_id): figures.get("name", "?") for tag_id, figures in version.tag_metrics.items()}
    return forecasts_shown.of_tags(row, names) if row else None


@register.filter
def has_seen_answers(version: ModelVersion) -> bool:
    """Whether its backbone was tuned on answers of the project."""
    return tuned_backbones.has_seen_answers(version)


@register.filter
def ticks(policy: TrainingPolicy, waiting: int) -> list[bool]:
    """One tick a review that a retrain waits for, filled where it is there; at most twenty."""
    wanted = min(policy.every_reviews, 20)
    filled = min(wanted, waiting * wanted // policy.every_reviews)
    return [True] * filled + [False] * (wanted - filled)


@register.filter
def signed(change: float) -> str:
    """A difference of two shares: +.03, −.01, 0."""
    text = f"{abs(change):.2f}".removeprefix("0")
    if text == ".00":
        return "0"
    return f"−{text}" if change < 0 else f"+{text}"


@register.filter
def clock(moment: datetime) -> str:
    """The time of today, else the day with it: 14:02:11, or 3 Nov 14:02."""
    local = timezone.localtime(moment)
    is_today = local.date() == timezone.localdate()
    return date_format(local, "H:i:s" if is_today else "j M H:i")
