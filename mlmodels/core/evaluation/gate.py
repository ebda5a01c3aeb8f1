"""The gate: whether a candidate may go live, judged from stored scores. Nothing is stored or switched here.

Every comparison is paired: candidate and incumbent answer the same images and the same bootstrap resamples.
Differences count what the candidate gains, so a negative one is a loss in both figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.evaluation import effort
from mlmodels.core.evaluation.chance import deviations_from_chance
from mlmodels.core.evaluation.intervals import Interval, resample_counts, summarise
from mlmodels.core.evaluation.ranking import AveragePrecision, Floats, evaluated_tags, mean_over_tags

AP_MARGIN = 0.02
KEYSTROKE_MARGIN = 0.10
SMALL_LOSS = 0.005
CHANCE_DEVIATIONS = 4.0
ROUNDING = 1e-9
FROZEN = "the backbone as it was"
NOT_BETTER = "a head over the backbone as it was, taught the same answers, ranks no worse: it goes on serving"
MOST_IMAGES = 2000
"""More images than this decide nothing that these do not; they are drawn by the seed."""


@dataclass(frozen=True)
class Verdict:
    """What the gate says: `outcome` is "promoted", "provisional" or "refused"; `details` has the figures."""

    outcome: str
    reasons: tuple[str, ...]
    details: dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """What a candidate gains over one incumbent: macro average precision, and keystrokes saved an image."""

    average_precision: Interval
    keystrokes: Interval

    @property
    def is_no_loss(self) -> bool:
        """Whether both one-sided 97.5 % lower bounds lie above the allowed loss."""
        return self.average_precision.lower > -AP_MARGIN and self.keystrokes.lower > -KEYSTROKE_MARGIN

    @property
    def is_undecided(self) -> bool:
        """Whether there are too few images for `is_no_loss` to mean anything."""
        wide = _reaches(self.average_precision, AP_MARGIN) or _reaches(self.keystrokes, KEYSTROKE_MARGIN)
        return wide and not self.is_no_loss

    @property
    def may_teach(self) -> bool:
        """Whether an undecided candidate may go live: no visible loss, and a gain is possible."""
        gain = self.average_precision
        return gain.point >= -SMALL_LOSS and gain.upper >= 0 and self.keystrokes.upper >= 0

    @property
    def is_better(self) -> bool:
        """Whether average precision surely gains more than a small loss would be, and keystrokes are not lost.

        Resampled images do not tell how a fit varies with the answers that it happened to get. With a large
        holdout any two fits differ “beyond chance”; the margin keeps equally good ones from being called better.
        """
        return self.average_precision.lower > SMALL_LOSS and self.keystrokes.point >= 0


def _reaches(gain: Interval, margin: float) -> bool:
    """Whether the interval is so wide that even an equal candidate could not show that it loses less than that.

    Keystrokes come in steps, so that bounds fall on the margin itself; a hair of rounding must not decide then.
    """
    return gain.half_width > margin - ROUNDING


def judge(
    *,
    truth: NDArray[np.int8],
    candidate: Floats,
    candidate_thresholds: Floats,
    incumbents: Sequence[tuple[Floats, Floats]],
    holdout: bool,
    seed: int,
    weights: Floats | None = None,
    taught: tuple[NDArray[np.int8], Floats] | None = None,
    frozen: tuple[Floats, Floats] | None = None,
) -> Verdict:
    """Judge a candidate against every incumbent, and against chance.

    A head that learnt nothing still knows the prior, and may look no worse than it on a small holdout. So chance
    is told twice: on the images judged, and on what the candidate was taught.

    Args:
        truth: int8 [N, K], 1 yes, 0 no, -1 unknown: of the holdout, or of the training images.
        candidate: [N, K] probabilities; out-of-fold ones where `holdout` is False.
        candidate_thresholds: [K].
        incumbents: (probabilities [N, K], thresholds [K]) of the live version and of the best lately; with no
            live version, of the prior.
        holdout: whether the images were never trained on; without it "provisional" is the best outcome.
        seed: of the resamples; the same input and seed give the same verdict.
        weights: [N] inverse draw probabilities, 1 by default; both figures are weighted by them.
        taught: truth [M, K] of the training images with the candidate's out-of-fold probabilities [M, K], where
            the images judged are others.
        frozen: (probabilities [N, K], thresholds [K]) of a head that learnt the same answers over the backbone as it
            was before it was tuned; a candidate that ranks no better than that is refused.

    Raises:
        ValueError: if an array's shape does not fit `truth`, or a score is not a number.

    >>> truth = np.tile(np.array([[1, 0], [0, 1]], dtype=np.int8), (30, 1))
    >>> perfect, thresholds = truth.astype(float), np.full(2, 0.5)
    >>> judge(truth=truth, candidate=perfect, candidate_thresholds=thresholds,
    ...       incumbents=[(perfect, thresholds)], holdout=True, seed=0).outcome
    'promoted'
    """
    for scores, thresholds in [(candidate, candidate_thresholds), *incumbents, *([frozen] if frozen else [])]:
        _check(truth, scores, thresholds)
    rows = drawn_rows(len(truth), seed)
    truth, candidate = truth[rows], candidate[rows]
    weighed = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)[rows]
    tags = _tags(truth)
    details = {"images": float(len(rows)), "macro_tags": float(tags.sum()), "holdout": float(holdout)}
    if not tags.any():
        return Verdict("refused", ("no tag has a yes in the evidence, so nothing can be compared",), details)
    by_chance = _chance(truth, candidate, taught, seed, details)
    if by_chance:
        return Verdict("refused", (by_chance,), details)
    counts = resample_counts(len(rows), seed=seed) * weighed[:, None].astype(np.float32)
    drawn = _Drawn(truth, tags, np.concatenate([weighed[:, None].astype(np.float32), counts], axis=1))
    own = drawn.figures(candidate, candidate_thresholds)
    details["macro_average_precision"] = float(own.average_precision[0])
    comparisons = [
        own.compared_with(drawn.figures(scores[rows], thresholds)) for scores, thresholds in incumbents
    ]
    for number, comparison in enumerate(comparisons):
        details |= _details(f"incumbent_{number}", comparison)
    verdict = _verdict(comparisons, holdout, details)
    if frozen is None:
        return verdict
    return _against_frozen(verdict, own.compared_with(drawn.figures(frozen[0][rows], frozen[1])))


@dataclass(frozen=True)
class _Figures:
    """Macro average precision and keystrokes an image, [1 + B] each: of all images, then of every resample."""

    average_precision: NDArray[np.float64]
    keystrokes: NDArray[np.float64]

    def compared_with(self, other: "_Figures") -> Comparison:
        gain, saved = self.average_precision - other.average_precision, other.keystrokes - self.keystrokes
        return Comparison(
            average_precision=summarise(float(gain[0]), gain[1:]),
            keystrokes=summarise(float(saved[0]), saved[1:]),
        )


@dataclass(frozen=True)
class _Drawn:
    """The images judged, the tags that macro figures are over, and how much every image weighs, [N, 1 + B]."""

    truth: NDArray[np.int8]
    tags: NDArray[np.bool_]
    weights: Floats

    def figures(self, scores: Floats, thresholds: Floats) -> _Figures:
        ranks = AveragePrecision(self.truth[:, self.tags], scores[:, self.tags])
        keys = effort.keystrokes(self.truth, scores, thresholds)
        return _Figures(
            average_precision=mean_over_tags(ranks.per_tag(self.weights)),
            keystrokes=keys @ self.weights / self.weights.sum(axis=0, dtype=np.float64),
        )


def _chance(
    truth: NDArray[np.int8],
    scores: Floats,
    taught: tuple[NDArray[np.int8], Floats] | None,
    seed: int,
    details: dict[str, float],
) -> str:
    """Why a candidate knows no more than chance, or nothing; what was found goes into `details`."""
    evidence = [("deviations_from_chance", "scores", truth, scores)]
    if taught is not None:
        answers, out_of_fold = taught
        _check(answers, out_of_fold, np.zeros(answers.shape[1]))
        rows = drawn_rows(len(answers), seed)
        name = "deviations_from_chance_taught"
        evidence.append((name, "training answers", answers[rows], out_of_fold[rows]))
    for name, what, said, found in evidence:
        tags = _tags(said)
        details[name] = deviations_from_chance(said[:, tags], found[:, tags])
        if details[name] <= CHANCE_DEVIATIONS:
            return (
                f"{what} dealt to the wrong images would fit nearly as well: {details[name]:.1f} deviations "
                f"from chance, more than {CHANCE_DEVIATIONS:g} are needed; more reviews will tell"
            )
    return ""


def _tags(truth: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Tags with enough yes for a macro figure; where none has, those with any."""
    tags = evaluated_tags(truth)
    return tags if tags.any() else evaluated_tags(truth, 1)


def _verdict(comparisons: Sequence[Comparison], holdout: bool, details: dict[str, float]) -> Verdict:
    reasons = tuple(
        _reason(f"incumbent {number}", comparison) for number, comparison in enumerate(comparisons)
    )
    details["better"] = float(all(comparison.is_better for comparison in comparisons))
    if all(comparison.is_no_loss for comparison in comparisons):
        if holdout:
            return Verdict("promoted", reasons, details)
        return Verdict("provisional", (*reasons, "judged on training images, out of fold"), details)
    if all(c.is_no_loss or (c.is_undecided and c.may_teach) for c in comparisons):
        return Verdict("provisional", (*reasons, "too few images to decide; no loss is visible"), details)
    return Verdict("refused", reasons, details)


def _against_frozen(verdict: Verdict, comparison: Comparison) -> Verdict:
    """Equal is not enough here: another backbone has to look at every image again."""
    reasons = (*verdict.reasons, _reason(FROZEN, comparison))
    details = verdict.details | _details("frozen", comparison)
    if comparison.average_precision.point > 0:
        return Verdict(verdict.outcome, reasons, details)
    return Verdict("refused", (*reasons, NOT_BETTER), details)


def _reason(name: str, comparison: Comparison) -> str:
    gain, saved = comparison.average_precision, comparison.keystrokes
    return (
        f"against {name}: macro average precision {gain.point:+.4f} "
        f"[{gain.lower:+.4f}, {gain.upper:+.4f}], keystrokes saved {saved.point:+.3f} "
        f"[{saved.lower:+.3f}, {saved.upper:+.3f}]"
    )


def _details(prefix: str, comparison: Comparison) -> dict[str, float]:
    named = {"average_precision": comparison.average_precision, "keystrokes": comparison.keystrokes}
    return {
        f"{prefix}_{name}_{part}": float(getattr(interval, part))
        for name, interval in named.items()
        for part in ("point", "lower", "upper")
    }


def drawn_rows(images: int, seed: int) -> NDArray[np.intp]:
    """Rows of the images that decide, all or MOST_IMAGES of them.

    >>> drawn_rows(3, 0).tolist()
    [0, 1, 2]
    """
    if images <= MOST_IMAGES:
        return np.arange(images)
    return np.sort(np.random.default_rng([seed, 2]).choice(images, MOST_IMAGES, replace=False))


def _check(truth: NDArray[np.int8], scores: Floats, thresholds: Floats) -> None:
    if scores.shape != truth.shape or thresholds.shape != truth.shape[1:]:
        raise ValueError(
            f"expected scores {truth.shape} and thresholds {truth.shape[1:]} like the truth, "
            f"got {scores.shape} and {thresholds.shape}; align the head to the tags first"
        )
    if not (np.isfinite(scores).all() and np.isfinite(thresholds).all()):
        raise ValueError("expected numbers, got NaN or infinity among scores or thresholds; refit the model")
