"""Judges a candidate: its figures, the incumbents that it is compared with, and the gate's verdict.

From 50 reviewed holdout images on by the holdout; before, by paired out-of-fold scores on training images.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlmodels import selectors
from mlmodels.models import ModelVersion
from mlmodels.services import curves, heads
from mlmodels.services.evidence import Answered, Evidence

if TYPE_CHECKING:
    from mlmodels.core.evaluation.gate import Verdict
    from mlmodels.core.evaluation.metrics import Report
    from mlmodels.core.learning.heads import Head

Scores = NDArray[np.floating]

HOLDOUT_FROM_IMAGES = 50
BEST_LATELY_DAYS = 30
BEST_LATELY_TRIED = 5
YES_TO_LEARN_A_TAG = 10
DIGITS = 6


@dataclass(frozen=True, eq=False)
class Judgement:
    """The gate's verdict with everything that a version's row and pages need, as plain JSON values."""

    verdict: "Verdict"
    incumbents: tuple[int, ...]
    metrics: dict[str, Any]
    tag_metrics: dict[str, dict[str, Any]]
    curves: dict[str, Any]


@dataclass(frozen=True, eq=False)
class _Rival:
    """An incumbent's scores [N, K] on the judged images, with its thresholds [K]; number 0 is the prior."""

    number: int
    scores: Scores
    thresholds: NDArray[np.floating]


def judge(project_id: int, evidence: Evidence, head: "Head", out_of_fold: Scores, *, seed: int) -> Judgement:
    """Judge a fitted head. `out_of_fold` [N, K] belongs to the training images."""
    from mlmodels.core.evaluation import gate, metrics

    holdout = len(evidence.holdout) >= HOLDOUT_FROM_IMAGES
    judged = evidence.holdout if holdout else evidence.training
    if set(evidence.training.batch.image_ids) & set(evidence.holdout.batch.image_ids):
        raise ValueError("Expected training and holdout images apart, got some in both; nothing was judged.")
    scores = head.score(judged.batch.inputs).probability if holdout else out_of_fold
    rivals = _rivals(project_id, evidence, judged, holdout=holdout)
    verdict = gate.judge(
        truth=judged.truth,
        candidate=scores,
        candidate_thresholds=head.thresholds,
        incumbents=[(rival.scores, rival.thresholds) for rival in rivals],
        holdout=holdout,
        seed=seed,
        weights=judged.weights,
        taught=(evidence.training.truth, out_of_fold) if holdout else None,
    )
    report = metrics.report(judged.truth, scores, head.thresholds, judged.weights)
    return Judgement(
        verdict=verdict,
        incumbents=tuple(rival.number for rival in rivals),
        metrics=_figures(report, judged, evidence, scores, holdout=holdout, seed=seed),
        tag_metrics=_tag_figures(report, judged, evidence, scores, head.thresholds),
        curves=curves.draw(judged.truth, scores),
    )


def _rivals(project_id: int, evidence: Evidence, judged: Answered, *, holdout: bool) -> list[_Rival]:
    """What is live, and by the holdout also the best of the last 30 days: else small losses would add up."""
    live = selectors.live_version(project_id)
    serving = _rival(live, evidence, judged, holdout=holdout) if live else None
    rivals = [serving or _prior(judged)]
    if not holdout:
        return rivals
    lately = selectors.went_live_lately(project_id, BEST_LATELY_DAYS)
    lately.sort(key=lambda version: version.metrics.get("macro_average_precision") or 0.0, reverse=True)
    tried = [
        rival
        for version in lately[:BEST_LATELY_TRIED]
        if live is None or version.pk != live.pk
        if (rival := _rival(version, evidence, judged, holdout=True)) is not None
    ]
    if tried:
        rivals.append(max(tried, key=lambda rival: _macro(judged.truth, rival.scores)))
    return rivals


def _rival(version: ModelVersion, evidence: Evidence, judged: Answered, *, holdout: bool) -> _Rival | None:
    """A version's scores on the judged images; None if its file cannot be read or it reads other features."""
    from mlmodels.core.errors import ArtifactError

    if version.extractor_id != evidence.extractor.pk:
        return None
    try:
        head = heads.load_head(version)
        stored = heads.load_out_of_fold(version)
    except ArtifactError:
        return None
    head = head.align(evidence.language.tag_ids)
    scores = np.array(head.score(judged.batch.inputs).probability)
    if not holdout:
        _replace_with_out_of_fold(scores, stored, judged, evidence.language.tag_ids)
    return _Rival(version.number, scores, head.thresholds)


def _replace_with_out_of_fold(
    scores: Scores, stored: "heads.OutOfFold", judged: Answered, tag_ids: Sequence[int]
) -> None:
    """Images that the version was trained on count with its out-of-fold scores: else it looks too good."""
    row = {int(image_id): n for n, image_id in enumerate(stored.image_ids)}
    column = {int(tag_id): k for k, tag_id in enumerate(stored.tag_ids)}
    here = [(k, column[tag_id]) for k, tag_id in enumerate(tag_ids) if tag_id in column]
    to, source = [k for k, _ in here], [k for _, k in here]
    for n, image_id in enumerate(judged.batch.image_ids):
        if image_id in row:
            scores[n, to] = stored.scores[row[image_id], source]


def _prior(judged: Answered) -> _Rival:
    from mlmodels.core.learning.fusion import prior_scores

    scores = prior_scores(judged.batch.inputs).probability
    return _Rival(0, scores, np.full(scores.shape[1], heads.PRIOR_THRESHOLD))


def _macro(truth: NDArray[np.int8], scores: Scores) -> float:
    from mlmodels.core.evaluation.ranking import macro_average_precision

    value = macro_average_precision(truth, scores)
    return value if np.isfinite(value) else -1.0


def _figures(
    report: "Report", judged: Answered, evidence: Evidence, scores: Scores, *, holdout: bool, seed: int
) -> dict[str, Any]:
    from mlmodels.core.evaluation import intervals

    figures = {name: number(value) for name, value in asdict(report).items() if not name.startswith("tag_")}
    interval = intervals.of_macro_average_precision(judged.truth, scores, seed=seed)
    return figures | {
        "macro_average_precision_interval": [number(interval.lower), number(interval.upper)],
        "judged_on": "holdout" if holdout else "training images, out of fold",
        "holdout_images": len(evidence.holdout),
        "training_images": len(evidence.training),
        "near_holdout_left_out": evidence.near_holdout,
    }


def _tag_figures(
    report: "Report", judged: Answered, evidence: Evidence, scores: Scores, thresholds: NDArray[np.floating]
) -> dict[str, dict[str, Any]]:
    from mlmodels.core.evaluation import metrics

    counts = metrics.count(judged.truth, scores >= thresholds, judged.weights)
    learned_yes = (evidence.training.truth == 1).sum(axis=0)
    learned_no = (evidence.training.truth == 0).sum(axis=0)
    return {
        str(tag_id): {
            "name": term.name,
            "precision": number(metrics.precision(counts.hits[k], counts.false[k])),
            "recall": number(metrics.recall(counts.hits[k], counts.missed[k])),
            "f1": number(report.tag_f1[k]),
            "average_precision": number(report.tag_average_precision[k]),
            "judged_yes": report.tag_support[k],
            "threshold": number(thresholds[k]),
            "calibration_error": number(metrics.calibration_error(judged.truth[:, [k]], scores[:, [k]])),
            "support": int(learned_yes[k]),
            "support_no": int(learned_no[k]),
            "needed": YES_TO_LEARN_A_TAG,
        }
        for k, (tag_id, term) in enumerate(
            zip(evidence.language.tag_ids, evidence.language.terms, strict=True)
        )
    }


def number(value: Any) -> Any:
    """A figure as JSON can hold it: None where there is nothing to measure."""
    if isinstance(value, int | np.integer):
        return int(value)
    return round(float(value), DIGITS) if np.isfinite(value) else None
