"""Judges a candidate: its figures, the incumbents that it is compared with, and the gate's verdict.

From 50 reviewed holdout images on by the holdout; before, by paired out-of-fold scores on training images.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from annotations.selectors import model_inputs
from annotations.selectors.stats import YES_TO_LEARN_A_TAG
from mlmodels.models import ModelVersion
from mlmodels.services import curves, heads, rivals
from mlmodels.services.evidence import Answered, Evidence
from mlmodels.services.rivals import Rival

if TYPE_CHECKING:
    from mlmodels.core.evaluation.gate import Verdict
    from mlmodels.core.evaluation.intervals import Interval
    from mlmodels.core.learning.heads import Head

Scores = NDArray[np.floating]

HOLDOUT_FROM_IMAGES = 50
FRESH_IMAGES = 200
FRESH_FIGURES = ("macro_average_precision", "micro_f1", "corrections", "keystrokes")
DIGITS = 6


@dataclass(frozen=True, eq=False)
class Judgement:
    """The gate's verdict with everything that a version's row and pages need, as plain JSON values.

    `stored` are the arrays that the verdict came from; they go into the version's file.
    """

    verdict: "Verdict"
    incumbents: tuple[int, ...]
    metrics: dict[str, Any]
    tag_metrics: dict[str, dict[str, Any]]
    curves: dict[str, Any]
    stored: dict[str, NDArray[Any]]


def judge(
    project_id: int,
    evidence: Evidence,
    head: "Head",
    out_of_fold: Scores,
    *,
    seed: int,
    frozen: Callable[[Answered], Rival | None] = lambda _: None,
) -> Judgement:
    """Judge a fitted head. `out_of_fold` [N, K] belongs to the training images.

    `frozen` is for a head over a tuned backbone: given the images judged, what a head over the backbone before says.
    """
    holdout = len(evidence.holdout) >= HOLDOUT_FROM_IMAGES
    judged = evidence.holdout if holdout else evidence.training
    _refuse_mixed(project_id, evidence)
    scores = head.score(judged.batch.inputs).probability if holdout else out_of_fold
    against = rivals.of_project(project_id, evidence, judged)
    stored = _stored(evidence, judged, scores, head.thresholds, against, frozen(judged), seed)
    if holdout:
        stored |= _taught(evidence, out_of_fold, seed)
    verdict = _verdict(stored, holdout=holdout, seed=seed)
    figures = measure(judged, scores, head.thresholds, seed=seed)
    return Judgement(
        verdict=verdict,
        incumbents=tuple(rival.number for rival in against),
        metrics=figures.overall
        | {
            "judged_on": "holdout" if holdout else "training images, out of fold",
            "holdout_images": len(evidence.holdout),
            "training_images": len(evidence.training),
            "near_holdout_left_out": evidence.near_holdout,
            "fresh": _fresh(project_id, judged, scores, head.thresholds) if holdout else None,
        },
        tag_metrics=_tag_figures(evidence, figures.of_tags),
        curves=curves.draw(judged.truth, scores, judged.weights),
        stored=stored,
    )


def again(version: ModelVersion) -> "Verdict":
    """The gate's verdict, worked out from the scores that were stored with the version.

    Raises:
        ArtifactError: if they cannot be read.
    """
    from mlmodels.core import artifacts

    stored = artifacts.load_judged(heads.artifact_folder(version), version.artifact_sha256)
    return _verdict(stored, holdout=version.metrics["judged_on"] == "holdout", seed=version.seed)


@dataclass(frozen=True)
class Loss:
    """What a candidate may lose against one rival in one figure; `place` is how a version's details name the rival."""

    place: str
    figure: str
    point: float
    lower: float


def heaviest_loss(details: Mapping[str, Any], places: Iterable[str]) -> Loss | None:
    """Of what the gate compared, the figure that it could allow least; None where nothing was compared."""
    from mlmodels.core.evaluation import gate

    margins = {"average_precision": gate.AP_MARGIN, "keystrokes": gate.KEYSTROKE_MARGIN}
    losses = [
        Loss(place, figure, details[f"{place}_{figure}_point"], details[f"{place}_{figure}_lower"])
        for place in places
        for figure in margins
        if f"{place}_{figure}_lower" in details
    ]
    return min(losses, key=lambda loss: loss.lower / margins[loss.figure], default=None)


def _refuse_mixed(project_id: int, evidence: Evidence) -> None:
    """No image of the holdout, reviewed or not, may be among those that a head was fitted on."""
    holdout = {image.image_id for image in model_inputs.holdout(project_id)}
    taught = {*evidence.training.batch.image_ids, *evidence.unreviewed.image_ids}
    if mixed := taught & holdout:
        raise ValueError(
            f"Expected no holdout image among those trained on, got {len(mixed)} (image {min(mixed)}); nothing "
            "was judged. Train again."
        )


def _stored(
    evidence: Evidence,
    judged: Answered,
    scores: Scores,
    thresholds: Scores,
    against: Sequence[Rival],
    frozen: Rival | None,
    seed: int,
) -> dict[str, NDArray[Any]]:
    """What the gate looks at: at most so many images as decide."""
    from mlmodels.core.evaluation.gate import drawn_rows

    rows = drawn_rows(len(judged), seed)
    arrays: dict[str, NDArray[Any]] = {
        "image_ids": np.asarray(judged.batch.image_ids, dtype=np.int64)[rows],
        "tag_ids": np.asarray(evidence.language.tag_ids, dtype=np.int64),
        "truth": judged.truth[rows],
        "weights": judged.weights[rows],
        "candidate.scores": scores[rows],
        "candidate.thresholds": np.asarray(thresholds),
    }
    named = {f"incumbent_{place}": rival for place, rival in enumerate(against)}
    for name, rival in (named | ({"frozen": frozen} if frozen else {})).items():
        arrays[f"{name}.scores"] = rival.scores[rows]
        arrays[f"{name}.thresholds"] = np.asarray(rival.thresholds)
    return arrays


def _taught(evidence: Evidence, out_of_fold: Scores, seed: int) -> dict[str, NDArray[Any]]:
    from mlmodels.core.evaluation.gate import drawn_rows

    rows = drawn_rows(len(evidence.training), seed)
    return {"taught.truth": evidence.training.truth[rows], "taught.out_of_fold": out_of_fold[rows]}


def _verdict(stored: Mapping[str, NDArray[Any]], *, holdout: bool, seed: int) -> "Verdict":
    from mlmodels.core.evaluation import gate

    places = range(sum(name.startswith("incumbent_") and name.endswith(".scores") for name in stored))
    return gate.judge(
        truth=stored["truth"],
        candidate=stored["candidate.scores"],
        candidate_thresholds=stored["candidate.thresholds"],
        incumbents=[
            (stored[f"incumbent_{place}.scores"], stored[f"incumbent_{place}.thresholds"]) for place in places
        ],
        holdout=holdout,
        seed=seed,
        weights=stored["weights"],
        taught=(stored["taught.truth"], stored["taught.out_of_fold"]) if "taught.truth" in stored else None,
        frozen=(stored["frozen.scores"], stored["frozen.thresholds"]) if "frozen.scores" in stored else None,
    )


@dataclass(frozen=True, eq=False)
class Measured:
    """Figures as JSON: of all tags together, with their intervals, and of each tag."""

    overall: dict[str, Any]
    of_tags: list[dict[str, Any]]


def measure(judged: Answered, scores: Scores, thresholds: Scores, *, seed: int) -> Measured:
    """Every figure of these scores [N, K] with its interval; the seed is that of the resamples."""
    from mlmodels.core.evaluation import intervals, metrics

    report = metrics.report(judged.truth, scores, thresholds, judged.weights)
    moved = intervals.of_report(judged.truth, scores, thresholds, judged.weights, seed=seed)
    counts = metrics.count(judged.truth, scores >= thresholds, judged.weights)
    overall = {name: number(value) for name, value in asdict(report).items() if not name.startswith("tag_")}
    overall |= {f"{name}_interval": _bounds(interval) for name, interval in moved.overall.items()}
    of_tags = [
        {
            "precision": number(metrics.precision(counts.hits[k], counts.false[k])),
            "recall": number(metrics.recall(counts.hits[k], counts.missed[k])),
            "f1": number(report.tag_f1[k]),
            "f1_interval": _bounds(moved.tag_f1[k]),
            "average_precision": number(report.tag_average_precision[k]),
            "average_precision_interval": _bounds(moved.tag_average_precision[k]),
            "judged_yes": report.tag_support[k],
            "threshold": number(thresholds[k]),
            "calibration_error": number(
                metrics.calibration_error(judged.truth[:, [k]], scores[:, [k]], weights=judged.weights)
            ),
        }
        for k in range(scores.shape[1])
    ]
    return Measured(overall, of_tags)


def _fresh(project_id: int, judged: Answered, scores: Scores, thresholds: Scores) -> dict[str, Any]:
    """The same figures on the images that were reviewed last: what the project is like now."""
    from mlmodels.core.evaluation import metrics

    newest = model_inputs.reviewed_last(project_id, judged.batch.image_ids, FRESH_IMAGES)
    rows = np.flatnonzero(np.isin(judged.batch.image_ids, newest))
    report = metrics.report(judged.truth[rows], scores[rows], thresholds, judged.weights[rows])
    return {"images": len(rows)} | {name: number(getattr(report, name)) for name in FRESH_FIGURES}


def _tag_figures(evidence: Evidence, of_tags: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    learned_yes = (evidence.training.truth == 1).sum(axis=0)
    learned_no = (evidence.training.truth == 0).sum(axis=0)
    return {
        str(tag_id): figures
        | {
            "name": term.name,
            "support": int(learned_yes[k]),
            "support_no": int(learned_no[k]),
            "needed": YES_TO_LEARN_A_TAG,
        }
        for k, (tag_id, term, figures) in enumerate(
            zip(evidence.language.tag_ids, evidence.language.terms, of_tags, strict=True)
        )
    }


def _bounds(interval: "Interval") -> list[Any]:
    return [number(interval.lower), number(interval.upper)]


def number(value: Any) -> Any:
    """A figure as JSON can hold it: None where there is nothing to measure."""
    if isinstance(value, int | np.integer):
        return int(value)
    return round(float(value), DIGITS) if np.isfinite(value) else None
