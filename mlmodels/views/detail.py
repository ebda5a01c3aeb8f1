"""What a version's page shows of the scores it was judged by: of one tag or of all, and the worst errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.models import Image, Project
from annotations.selectors import images, queue
from mlmodels.models import ModelVersion
from mlmodels.services import evaluation_detail
from mlmodels.services.evaluation_detail import Error, Judged
from mlmodels.views import plots

PAIRS_SHOWN = 15
ERRORS_SHOWN = 8
# Pictures that may not be shown are left out: so more are looked at.
ERRORS_READ = 40


@dataclass(frozen=True)
class Picture:
    """A judged image with the tag that its score is of."""

    image: Image
    thumbnail_url: str
    tag: str
    score: float


def of_version(project: Project, version: ModelVersion, tag_id: int | None) -> dict[str, Any]:
    """Plots and errors over all tags, or of one; where no scores were stored, the curves of the row alone."""
    judged = evaluation_detail.read(version)
    names = {int(key): figures.get("name", "") for key, figures in version.tag_metrics.items()}
    context: dict[str, Any] = {
        "has_scores": judged is not None,
        "choices": sorted(names.items(), key=lambda item: item[1].casefold()),
        "tag_id": tag_id if tag_id in names else None,
        "tag_name": names.get(tag_id or 0, ""),
        "recall_plot": plots.precision_recall(
            version.curves.get("precision_recall", []), _at_thresholds(version.metrics, "micro_")
        ),
        "calibration_plot": plots.calibration(version.curves.get("calibration", [])),
    }
    if judged is None:
        return context
    context["pair_plot"] = plots.pairs(evaluation_detail.pairs(judged, PAIRS_SHOWN), names)
    if tag_id in names and tag_id is not None:
        one = judged.of_tag(tag_id)
        drawn = evaluation_detail.draw_curves(one)
        every = version.curves.get("precision_recall", [])
        context["recall_plot"] = plots.tag_precision_recall(
            names[tag_id], drawn["precision_recall"], every, _at_thresholds(version.tag_metrics[str(tag_id)])
        )
        context["calibration_plot"] = plots.calibration(drawn["calibration"])
        judged = one
    context["histogram_plot"] = plots.histogram(evaluation_detail.histogram(judged))
    return context | _errors(project, judged, names)


def _at_thresholds(figures: Mapping[str, Any], prefix: str = "") -> Mapping[str, float | None]:
    """What the offers reach; None where nothing was offered or judged."""
    return {
        "threshold": figures.get("threshold"),
        "recall": figures.get(f"{prefix}recall"),
        "precision": figures.get(f"{prefix}precision"),
    }


def _errors(project: Project, judged: Judged, names: Mapping[int, str]) -> dict[str, list[Picture]]:
    false, missed = (
        find(judged, ERRORS_READ) for find in (evaluation_detail.highest_no, evaluation_detail.lowest_yes)
    )
    shown = images.with_scores(project, evaluation_detail.image_ids(false, missed))
    return {
        "highest_no": _pictures(false, shown, names),
        "lowest_yes": _pictures(missed, shown, names),
    }


def _pictures(errors: Sequence[Error], shown: Mapping[int, Image], names: Mapping[int, str]) -> list[Picture]:
    found = [
        Picture(
            shown[error.image_id],
            queue.addresses(shown[error.image_id])["thumbnail_url"],
            names.get(error.tag_id, "?"),
            error.score,
        )
        for error in errors
        if error.image_id in shown
    ]
    return found[:ERRORS_SHOWN]
