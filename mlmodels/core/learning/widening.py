"""From the reference to all images of a large training set: every tag is fitted once more, on everything.

What all tags share stays as the reference says. The work is cut into blocks of tags, so that memory is bounded.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.learning import fusion, parallel, teaching
from mlmodels.core.learning.dataset import TrainingSet
from mlmodels.core.learning.discriminants import fit_discriminants
from mlmodels.core.learning.reference import Reference, blend, blocks, fit_deviations
from mlmodels.core.learning.solver import sigmoid

Floats = NDArray[np.float32]

TOLERANCE_AN_IMAGE = 1e-6
"""Gradients are sums over images: this keeps the same figures as certain however many there are."""

MANY_PAIRS, DIRECTIONS_OF_MANY = 20_000_000, 384
"""Beyond so many pairs a fit goes along the strongest directions only: all of them would take minutes."""

ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class _Block:
    slopes: Floats  # [3, C]
    fits: list[Floats]  # [R, C]


def widen(training: TrainingSet, chosen: NDArray[np.intp], reference: Reference) -> Reference:
    """The reference with slopes and deviations of all N images, sought from where its own ended.

    Its `out_of_fold` [N, K] is by the fit of the images at `chosen` alone: all others are new to that one.

    Args:
        training: N images, K tags.
        chosen: rows of the images that `reference` was fitted on.
        reference: what they said.
    """
    images, tags = training.truth.shape
    if images * tags > MANY_PAIRS:
        reference = _along_strongest(reference)
    weights = (training.weights / training.weights.mean()).astype(np.float32)
    rotated, seen = _rotate(training, reference)
    out_of_fold = np.empty((images, tags), dtype=np.float32)
    tolerance = TOLERANCE_AN_IMAGE * images

    def fit_block(block: slice) -> _Block:
        parts, base = _prior(training, reference, seen, block)
        out_of_fold[:, block] = _unseen(reference, rotated, parts, base, block)
        truth = training.truth[:, block]
        known = (truth >= 0) * weights[:, None]
        yes = (truth == 1).astype(np.float32)
        slopes = fusion.fit_slopes(parts, base, yes, known, reference.slopes[:, block])
        logits = fusion.with_slopes(parts, base, slopes)
        starts = [fitted[:, block] for fitted in reference.fits]
        return _Block(slopes, fit_deviations(rotated, truth, logits, starts, tolerance=tolerance))

    done = parallel.each(fit_block, blocks(tags))
    out_of_fold[chosen] = reference.out_of_fold
    fits = zip(*[block.fits for block in done], strict=True)
    return replace(
        reference,
        slopes=np.concatenate([block.slopes for block in done], axis=1),
        fits=tuple(np.concatenate(of_ridge, axis=1) for of_ridge in fits),
        discriminants=replace(
            reference.discriminants, everything=fit_discriminants(rotated, training.truth)
        ),  # a reference of many images has nothing of the pixels alone
        out_of_fold=out_of_fold,
    )


def _along_strongest(reference: Reference) -> Reference:
    both = reference.discriminants
    return replace(
        reference,
        turn=reference.turn[:, :DIRECTIONS_OF_MANY],
        fits=tuple(fitted[:DIRECTIONS_OF_MANY] for fitted in reference.fits),
        discriminants=replace(both, everything=both.everything[:DIRECTIONS_OF_MANY]),
    )


def _rotate(training: TrainingSet, reference: Reference) -> tuple[Floats, Floats]:
    """All images in the basis of the deviations, [N, R], and of what captions taught, [N, r]."""
    images, encoded = len(training.image_ids), reference.encoded
    rotated = np.empty((images, reference.turn.shape[1]), dtype=np.float32)
    seen = np.empty((images, reference.taught.turn.shape[1]), dtype=np.float32)

    def rotate(start: int) -> None:
        rows = np.arange(start, min(start + ROWS_AT_ONCE, images))
        inputs = training.inputs.rows(rows)
        columns = encoded.columns(inputs)
        rotated[rows] = columns @ reference.turn
        taught = teaching.taught_columns(columns, dimensions=len(encoded.mean), tags=training.truth.shape[1])
        seen[rows] = taught @ reference.taught.turn

    parallel.each(rotate, range(0, images, ROWS_AT_ONCE))
    return rotated, seen


def _prior(training: TrainingSet, reference: Reference, seen: Floats, block: slice) -> tuple[Floats, Floats]:
    """What a tag may scale of its prior, [3, N, C], and its logits, [N, C]."""
    taught = seen @ reference.taught.fitted[:, block]
    parts, base = np.empty((3, *taught.shape), dtype=np.float32), np.empty_like(taught)
    for start in range(0, len(taught), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        features = fusion.prior_features(training.inputs, rows, block)
        features = np.concatenate([features, taught[rows, :, None]], axis=-1)
        parts[:, rows] = fusion.tag_parts(features, reference.shared)
        base[rows] = features @ reference.shared
    return parts, base


def _unseen(reference: Reference, rotated: Floats, parts: Floats, base: Floats, block: slice) -> Floats:
    """Calibrated probabilities by the reference's own fit, [N, C]."""
    mixture, both = reference.mixture, reference.discriminants
    coefficients = blend(mixture, [fitted[:, block] for fitted in reference.fits])
    coefficients += mixture[-1] * both.everything[:, block]
    logits = mixture[0] + mixture[1] * fusion.with_slopes(parts, base, reference.slopes[:, block])
    logits += rotated @ coefficients
    return sigmoid(logits + reference.offsets[block])
