"""What a fit learns from its reference: images few enough to fit several times, with each fold left out in turn.

The reference of a small training set is the set itself. What all tags share comes from here, and so do
calibration and thresholds: they rest on scores of images that the fit behind them has not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.learning import (
    basis,
    calibration,
    discriminants,
    encoding,
    fusion,
    parallel,
    splits,
    teaching,
)
from mlmodels.core.learning.dataset import HeadInputs, TrainingSet
from mlmodels.core.learning.discriminants import Discriminants
from mlmodels.core.learning.encoding import Encoding
from mlmodels.core.learning.solver import Problem, sigmoid, solve
from mlmodels.core.learning.teaching import Taught

Floats = NDArray[np.float32]

RIDGES = (0.5, 4.0)
"""A flexible and a stiff fit; the mixture decides between them, instead of a search for one ridge."""

MIXTURE_PULL = 20.0
CALIBRATION_PULL = 5.0
FOLDS, FOLDS_OF_MANY, MANY_IMAGES = 5, 3, 2500
TOLERANCE = 1e-3
TAGS_AT_ONCE = 128
"""Memory and cache: a block of so many tags is fitted at a time."""


@dataclass(frozen=True)
class Reference:
    """What n images say of K tags.

    Attributes:
        encoded: how inputs become columns.
        taught: what captions taught the pixels.
        turn: float32 [D', R], from columns to the basis of the fits.
        shared: float32 [P + 1], the prior of all tags.
        slopes: float32 [3, K], how each tag departs from it.
        fits: deviations from the prior, float32 [R, K] each, one for each of RIDGES.
        discriminants: of the columns themselves if `whole`, else in the basis of the fits and in that of `taught`.
        whole: whether the discriminants read all columns.
        mixture: float32 [2 + len(RIDGES) + 1], how far prior, fits and discriminants are trusted.
        offsets: float32 [K], what calibration adds to the logits.
        thresholds: float32 [K].
        out_of_fold: float32 [n, K], calibrated probabilities of images that the fit had not seen.
    """

    encoded: Encoding
    taught: Taught
    turn: Floats
    shared: Floats
    slopes: Floats
    fits: tuple[Floats, ...]
    discriminants: Discriminants
    whole: bool
    mixture: Floats
    offsets: Floats
    thresholds: Floats
    out_of_fold: Floats


@dataclass(frozen=True)
class _Material:
    """Everything that the fits read: n answered images, then others that only have captions; N together."""

    truth: NDArray[np.int8]  # [N, K]
    answered: NDArray[np.bool_]  # [N]
    weights: Floats  # [N], with mean 1
    folds: NDArray[np.intp]  # [N]
    encoded: Encoding
    taught: Taught
    shared: Floats  # [P + 1]
    parts: Floats  # [3, N, K]
    base: Floats  # [N, K]
    columns: Floats  # [N, D']
    teachable: Floats  # [N, D + K]
    turn: Floats  # [D', R]
    rotated: Floats  # [N, R]


@dataclass(frozen=True)
class _LeftOut:
    """Fits without one fold, and what they say of it: prior logits and deviations, [m, K] each."""

    slopes: Floats  # [3, K]
    fits: list[Floats]  # [R, K]
    prior: Floats
    deviations: list[Floats]


def fit_reference(
    training: TrainingSet, unreviewed: HeadInputs | None, *, seed: int, whole: bool = True
) -> Reference:
    """Fit everything, in and out of fold.

    Args:
        training: n images, K tags; few enough for several fits.
        unreviewed: other images of the same tags; their captions teach the pixels.
        seed: of folds and basis.
        whole: whether discriminants read all columns, for which there must not be more images than these.
    """
    images = len(training.image_ids)
    everybody = training if unreviewed is None else training.with_unreviewed(unreviewed)
    material = _prepare(everybody, seed)
    folds = material.folds[:images]
    everything, *others = _leave_out_in_turn(material, images)
    prior = _merged([other.prior for other in others], folds)
    deviations = [_merged([other.deviations[fit] for other in others], folds) for fit in range(len(RIDGES))]
    truth, weights = training.truth, material.weights[:images]
    # A few hundred directions of the pixels say too little by themselves: planted data rank worse with them.
    part = discriminants.PIXEL_PART if whole else 0.0
    both, unseen = discriminants.fit_both(
        *_discriminated(material, images, whole), truth, folds, pixel_part=part
    )
    deviations.append(unseen)
    mixture = fusion.fit_mixture(prior, deviations, truth, weights, MIXTURE_PULL)
    logits = mixture[0] + mixture[1] * prior + blend(mixture, deviations)
    known = (truth >= 0) * weights[:, None]
    offsets = fusion.fit_biases(logits, (truth == 1).astype(np.float32), known, pull=CALIBRATION_PULL)
    out_of_fold = sigmoid(logits + offsets)
    return Reference(
        encoded=material.encoded,
        taught=material.taught,
        turn=material.turn,
        shared=material.shared,
        slopes=everything.slopes,
        fits=tuple(everything.fits),
        discriminants=both,
        whole=whole,
        mixture=mixture,
        offsets=offsets,
        thresholds=calibration.choose_thresholds(out_of_fold, truth, weights),
        out_of_fold=out_of_fold,
    )


def _prepare(training: TrainingSet, seed: int) -> _Material:
    inputs, truth = training.inputs, training.truth
    weights = (training.weights / training.weights.mean()).astype(np.float32)
    many = len(training.image_ids) >= MANY_IMAGES
    folds = splits.assign_folds(training.image_ids, FOLDS_OF_MANY if many else FOLDS, seed=seed)
    encoded = encoding.fit_encoding(inputs)
    columns = encoded.columns(inputs)
    teachable = teaching.taught_columns(columns, dimensions=len(encoded.mean), tags=truth.shape[1])
    taught = teaching.teach(inputs, teachable, folds, seed=seed)
    features = np.concatenate([fusion.prior_features(inputs), taught.deviations[..., None]], axis=-1)
    shared = fusion.fit_prior(features, truth, weights)
    answered = np.asarray((truth >= 0).any(axis=1))
    turn = basis.directions(columns[answered], seed=seed)
    return _Material(
        truth=truth,
        answered=answered,
        weights=weights,
        folds=folds,
        encoded=encoded,
        taught=taught,
        shared=shared,
        parts=fusion.tag_parts(features, shared),
        base=np.asarray(features @ shared, dtype=np.float32),
        columns=columns,
        teachable=teachable,
        turn=turn,
        rotated=np.asarray(columns @ turn, dtype=np.float32),
    )


def _discriminated(material: _Material, images: int, whole: bool) -> tuple[Floats, Floats]:
    """What the discriminants read of the first images: everything, and the pixels alone."""
    columns, teachable = material.columns[:images], material.teachable[:images]
    if whole:
        return columns, teachable
    return material.rotated[:images], np.asarray(teachable @ material.taught.turn, dtype=np.float32)


def blend(mixture: Floats, parts: Sequence[Floats]) -> Floats:
    """What the first fits say together, of their values or coefficients, float32 [..., K]."""
    return np.asarray(np.tensordot(mixture[2 : 2 + len(parts)], np.stack(parts), axes=1), dtype=np.float32)


def blocks(tags: int) -> list[slice]:
    """All tags in blocks of one size: at least two, so that two cores have work, and none too wide for memory.

    >>> blocks(5), len(blocks(1000))
    ([slice(0, 3, None), slice(3, 6, None)], 8)
    """
    size = -(-tags // max(2, -(-tags // TAGS_AT_ONCE)))
    return [slice(start, start + size) for start in range(0, tags, size)]


def fit_deviations(
    rotated: Floats,
    truth: NDArray[np.int8],
    logits: Floats,
    starts: Sequence[Floats | None],
    *,
    tolerance: float = TOLERANCE,
) -> list[Floats]:
    """Deviations from the prior `logits` [N, C], [R, C] each; -1 in `truth` [N, C] masks.

    They are as many as RIDGES, and so are `starts`.
    """
    yes, known = (truth == 1).astype(np.float32), (truth >= 0).astype(np.float32)
    fits: list[Floats] = []
    for ridge, given in zip(RIDGES, starts, strict=True):
        start = fits[-1] if given is None and fits else given
        fits.append(solve(Problem(rotated, yes, known, logits, ridge), start, tolerance=tolerance))
    return fits


def _leave_out_in_turn(material: _Material, images: int) -> list[_LeftOut]:
    """First nothing left out, then each fold; of the own fold the first `images` rows."""
    cuts = blocks(material.base.shape[1])

    def fit_one(job: tuple[int, slice]) -> _LeftOut:
        return _leave_out(material, *job, images)

    folds = range(-1, int(material.folds.max()) + 1)
    done = parallel.each(fit_one, [(fold, cut) for fold in folds for cut in cuts])
    return [_side_by_side(done[at : at + len(cuts)]) for at in range(0, len(done), len(cuts))]


def _leave_out(material: _Material, fold: int, tags: slice, images: int) -> _LeftOut:
    rows = np.flatnonzero(material.answered & (material.folds != fold))
    own = np.flatnonzero(material.folds[:images] == fold)
    truth = material.truth[rows, tags]
    parts, base = material.parts[:, :, tags], material.base[:, tags]
    known = (truth >= 0) * material.weights[rows, None]
    slopes = fusion.fit_slopes(parts[:, rows], base[rows], (truth == 1).astype(np.float32), known)
    logits = fusion.with_slopes(parts[:, rows], base[rows], slopes)
    fits = fit_deviations(material.rotated[rows], truth, logits, [None] * len(RIDGES))
    seen = material.rotated[own]
    return _LeftOut(
        slopes=slopes,
        fits=fits,
        prior=fusion.with_slopes(parts[:, own], base[own], slopes),
        deviations=[np.asarray(seen @ fitted, dtype=np.float32) for fitted in fits],
    )


def _side_by_side(cuts: Sequence[_LeftOut]) -> _LeftOut:
    return _LeftOut(
        slopes=np.concatenate([cut.slopes for cut in cuts], axis=1),
        fits=[np.concatenate([cut.fits[fit] for cut in cuts], axis=1) for fit in range(len(RIDGES))],
        prior=np.concatenate([cut.prior for cut in cuts], axis=1),
        deviations=[
            np.concatenate([cut.deviations[fit] for cut in cuts], axis=1) for fit in range(len(RIDGES))
        ],
    )


def _merged(values: Sequence[Floats], folds: NDArray[np.intp]) -> Floats:
    """Of every image what the fit without its fold says, [n, K]."""
    result = np.empty((len(folds), values[0].shape[1]), dtype=np.float32)
    for fold, value in enumerate(values):
        result[folds == fold] = value
    return result
