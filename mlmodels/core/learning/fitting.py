"""Fitting a head: from what people said to coefficients, in seconds and with the same bits every time.

Shared prior, then per-tag deviations from it under several ridges and by discriminants, in and out of fold; then one
small regression, shared by all tags, that says out of fold how far each deviation may be trusted. A large training set
learns this from a reference, and each tag's own coefficients from everything. No earlier head enters: a start from
one saved no time, and the same data must give the same bits whatever was live before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.errors import TrainingDataError
from mlmodels.core.learning import fusion, parallel, splits
from mlmodels.core.learning.dataset import HeadInputs, TrainingSet
from mlmodels.core.learning.heads import Head
from mlmodels.core.learning.reference import Reference, blend, fit_reference
from mlmodels.core.learning.widening import widen

Floats = NDArray[np.float32]

MOST_IN_REFERENCE = 2500


@dataclass(frozen=True)
class FitResult:
    """A head, and what it would have said of its training images had it not seen them.

    Attributes:
        head: fitted on all images.
        out_of_fold: float32 [N, K], calibrated probabilities in the order of the training set.
    """

    head: Head
    out_of_fold: Floats


def fit(training: TrainingSet, *, seed: int, unreviewed: HeadInputs | None = None) -> FitResult:
    """Fit a head of all tags.

    Args:
        training: N images, K tags.
        seed: of reference, folds and basis; the same data and seed give the same bits on any number of cores.
        unreviewed: other images of the same tags, none of them of the holdout; their captions teach the pixels.

    Raises:
        TrainingDataError: if there is no image or no tag.
    """
    if not training.truth.size:
        shape = training.truth.shape
        raise TrainingDataError("truth", f"expected images and tags, got shape {shape}; wait for reviews")
    with parallel.one_thread_a_product():
        chosen = splits.choose(training.image_ids, MOST_IN_REFERENCE, seed=seed)
        if len(chosen) == len(training.image_ids):
            reference = fit_reference(training, unreviewed, seed=seed)
        else:
            reference = fit_reference(training.rows(chosen), unreviewed, seed=seed, whole=False)
            reference = widen(training, chosen, reference)
        return FitResult(_assemble(training, reference), reference.out_of_fold)


def _assemble(training: TrainingSet, reference: Reference) -> Head:
    """One linear model: prior, what captions taught, and deviations, each as far as the mixture trusts it."""
    encoded, mixture = reference.encoded, reference.mixture
    prior = mixture[1] * fusion.sloped(reference.shared, reference.slopes)
    everything, seen = _discriminant_columns(reference)
    coefficients = reference.turn @ blend(mixture, reference.fits) + mixture[-1] * everything
    tags = len(training.tag_ids)
    widths = [
        len(encoded.mean),
        len(encoded.terms.words),
        len(encoded.text.mean),
        encoded.meanings(tags),
        tags,
    ]
    vision, words, text, meaning, caption, pixels = np.split(
        coefficients.astype(np.float32), np.cumsum(widths)
    )
    taught_vision, taught_pixels = reference.taught.coefficients()
    seen_vision, seen_pixels = np.split(mixture[-1] * seen, widths[:1])
    trusted = prior[fusion.TAUGHT_COLUMN]
    return Head(
        tag_ids=training.tag_ids,
        thresholds=reference.thresholds,
        encoding=encoded,
        prior=prior[: fusion.TAUGHT_COLUMN].astype(np.float32),
        bias=(mixture[0] + mixture[1] * reference.slopes[0] + reference.offsets).astype(np.float32),
        vision=vision + trusted * taught_vision + seen_vision,
        words=words,
        text=text,
        meaning=meaning,
        caption=caption,
        pixels=pixels + trusted * taught_pixels + seen_pixels,
    )


def _discriminant_columns(reference: Reference) -> tuple[Floats, Floats]:
    """Coefficients of all columns, float32 [D', K], and once more of vision and pixel columns, [D + K, K]."""
    both = reference.discriminants
    if reference.whole:
        return both.everything, both.pixels
    return reference.turn @ both.everything, reference.taught.turn @ both.pixels
