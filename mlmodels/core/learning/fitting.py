"""Fitting a head: from what people said to coefficients, in seconds and with the same bits every time.

Shared prior, then per-tag deviations from it under several ridges, in and out of fold at once; then one small
regression, shared by all tags, that says out of fold how far each deviation may be trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.errors import TrainingDataError
from mlmodels.core.learning import basis, calibration, encoding, fusion, splits, teaching
from mlmodels.core.learning.dataset import HeadInputs, TrainingSet
from mlmodels.core.learning.encoding import Encoding
from mlmodels.core.learning.heads import Head
from mlmodels.core.learning.solver import Problem, sigmoid, solve
from mlmodels.core.learning.teaching import Taught

Floats = NDArray[np.float32]

RIDGES = (0.5, 4.0)
"""A flexible and a stiff fit; the mixture decides between them, instead of a search for one ridge."""

MIXTURE_PULL = 20.0
CALIBRATION_PULL = 5.0
FOLDS, FOLDS_OF_MANY, MANY_IMAGES = 5, 3, 2500
TOLERANCE = 1e-3


@dataclass(frozen=True)
class FitResult:
    """A head, and what it would have said of its training images had it not seen them.

    Attributes:
        head: fitted on all images.
        out_of_fold: float32 [N, K], calibrated probabilities in the order of the training set.
    """

    head: Head
    out_of_fold: Floats


@dataclass(frozen=True)
class _Layout:
    """All regressions side by side: C = (F + 1) K columns, first all images, then each fold left out."""

    folds: NDArray[np.intp]  # [N]
    yes: Floats  # [N, C]
    masks: Floats  # [N, C]
    shared: Floats  # [P]
    slopes: Floats  # [3, C]
    logits: Floats  # [N, C] of the prior, slopes included

    def out_of_fold(self, values: Floats) -> Floats:
        """From [N, C] the column of each image's own fold, [N, K]."""
        stacked = values.reshape(len(values), int(self.folds.max()) + 2, -1)
        return np.asarray(stacked[np.arange(len(values)), self.folds + 1], dtype=np.float32)


def fit(
    training: TrainingSet,
    *,
    seed: int,
    warm_start: Head | None = None,
    unreviewed: HeadInputs | None = None,
) -> FitResult:
    """Fit a head of all tags.

    Args:
        training: N images, K tags.
        seed: of folds and basis; the same data and seed give the same bits.
        warm_start: an earlier head of the same extractor; it saves time and does not change the optimum.
        unreviewed: other images of the same tags, none of them of the holdout; their captions teach the pixels.

    Raises:
        TrainingDataError: if there is no image or no tag.
    """
    if not training.truth.size:
        shape = training.truth.shape
        raise TrainingDataError("truth", f"expected images and tags, got shape {shape}; wait for reviews")
    images, tags = training.truth.shape
    if unreviewed is not None:
        training = training.with_unreviewed(unreviewed)
    weights = (training.weights / training.weights.mean()).astype(np.float32)
    folds = _assign_folds(training, seed)
    encoded = encoding.fit_encoding(training.inputs)
    taught = teaching.teach(training.inputs, encoded, folds, seed=seed)
    layout = _lay_out(training, weights, folds, taught)
    columns = encoded.columns(training.inputs)
    answered = np.asarray((training.truth >= 0).any(axis=1))
    turn = basis.directions(columns[answered], seed=seed)
    rotated = np.asarray(columns @ turn, dtype=np.float32)
    start = None if warm_start is None else _rotate(warm_start, training, encoded, turn, layout)
    fits = _solve(rotated, layout, answered, start)
    deviations = [layout.out_of_fold(np.asarray(rotated @ fitted)) for fitted in fits]
    prior = layout.out_of_fold(layout.logits)
    mixture = fusion.fit_mixture(prior, deviations, training.truth, weights, MIXTURE_PULL)
    sloped = mixture[1] * fusion.sloped(layout.shared, layout.slopes[:, :tags])
    logits = mixture[0] + mixture[1] * prior + _blend(mixture[2:], deviations)
    known = (training.truth >= 0) * weights[:, None]
    offsets = fusion.fit_biases(logits, training.truth == 1, known, pull=CALIBRATION_PULL)
    out_of_fold = sigmoid(logits + offsets)
    head = _assemble(
        training,
        encoded,
        thresholds=calibration.choose_thresholds(out_of_fold, training.truth, weights),
        taught=taught,
        prior=sloped,
        bias=mixture[0] + mixture[1] * layout.slopes[0, :tags] + offsets,
        coefficients=turn @ _blend(mixture[2:], [fitted[:, :tags] for fitted in fits]),
    )
    return FitResult(head, out_of_fold[:images])


def _assign_folds(training: TrainingSet, seed: int) -> NDArray[np.intp]:
    count = FOLDS if len(training.image_ids) < MANY_IMAGES else FOLDS_OF_MANY
    return splits.assign_folds(training.image_ids, count, seed=seed)


def _lay_out(training: TrainingSet, weights: Floats, folds: NDArray[np.intp], taught: Taught) -> _Layout:
    truth = training.truth
    known = (truth >= 0).astype(np.float32)
    left_out = [known * (folds != fold)[:, None] for fold in range(int(folds.max()) + 1)]
    masks = np.concatenate([known, *left_out], axis=1).astype(np.float32)
    copies = len(left_out) + 1
    yes = np.tile((truth == 1).astype(np.float32), (1, copies))
    features = np.concatenate([fusion.prior_features(training.inputs), taught.deviations[..., None]], axis=-1)
    shared = fusion.fit_prior(features, truth, weights)
    slopes = fusion.fit_slopes(features, shared, yes, masks * weights[:, None])
    parts = np.tile(fusion.tag_parts(features, shared), (1, 1, copies))
    logits = np.tile(features @ shared, (1, copies)) + (parts * slopes[:, None, :]).sum(axis=0)
    return _Layout(folds, yes, masks, shared, slopes, logits.astype(np.float32))


def _solve(rotated: Floats, layout: _Layout, rows: NDArray[np.bool_], start: Floats | None) -> list[Floats]:
    """One fit a ridge on the answered rows, [R, C] each, every one started where the one before ended."""
    fits = []
    for ridge in RIDGES:
        problem = Problem(rotated[rows], layout.yes[rows], layout.masks[rows], layout.logits[rows], ridge)
        start = solve(problem, start, tolerance=TOLERANCE)
        fits.append(start)
    return fits


def _blend(shares: Floats, parts: Sequence[Floats]) -> Floats:
    return np.asarray(np.tensordot(shares, np.stack(parts), axes=1), dtype=np.float32)


def _rotate(
    head: Head, training: TrainingSet, encoded: Encoding, turn: Floats, layout: _Layout
) -> Floats | None:
    """An earlier head's coefficients in the new basis for every column, or None if it saw other features."""
    if len(head.encoding.mean) != len(encoded.mean) or head.encoding.text.encoder != encoded.text.encoder:
        return None
    head = head.align(training.tag_ids)
    place = {word: row for row, word in enumerate(head.encoding.terms.words)}
    words = np.zeros((len(encoded.terms.words), len(training.tag_ids)), dtype=np.float32)
    for row, word in enumerate(encoded.terms.words):
        if word in place:
            words[row] = head.words[place[word]]
    coefficients = np.concatenate([head.vision, words, head.text, head.caption, head.pixels])
    copies = layout.yes.shape[1] // len(training.tag_ids)
    return np.tile(np.asarray(turn.T @ coefficients, dtype=np.float32), (1, copies))


def _assemble(
    training: TrainingSet,
    encoded: Encoding,
    *,
    taught: Taught,
    thresholds: Floats,
    prior: Floats,
    bias: Floats,
    coefficients: Floats,
) -> Head:
    tags = len(training.tag_ids)
    widths = [len(encoded.mean), len(encoded.terms.words), len(encoded.text.mean), tags]
    vision, words, text, caption, pixels = np.split(coefficients.astype(np.float32), np.cumsum(widths))
    return Head(
        tag_ids=training.tag_ids,
        thresholds=thresholds,
        encoding=encoded,
        prior=prior[: fusion.TAUGHT_COLUMN].astype(np.float32),
        bias=bias.astype(np.float32),
        vision=vision + prior[fusion.TAUGHT_COLUMN] * taught.vision,
        words=words,
        text=text,
        caption=caption,
        pixels=pixels + prior[fusion.TAUGHT_COLUMN] * taught.pixels,
    )
