"""Linear discriminants of all tags by one system of equations: least squares beside the logistic regressions.

They err elsewhere than logistic regressions do, so that both together rank better than either. A second one reads the
pixels alone: beside words that explain most of an answer, pixels are left with too little of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.learning import parallel

Floats = NDArray[np.float32]

RIDGE, PIXEL_RIDGE = 5.0, 3.0
PIXEL_PART = 0.5
"""Spread of what the pixels alone say, in that of what everything says."""

PRIOR_YES, PRIOR_NO = 1.0, 1.0
"""Answers that every tag is thought to have had: a tag without a yes, or without a no, stays finite."""

TAGS_AT_ONCE = 128


@dataclass(frozen=True)
class Discriminants:
    """Of everything and of the pixels alone, to be added up.

    Attributes:
        everything: float32 [R, K].
        pixels: float32 [r, K], `pixel_part` included.
        pixel_part: what brought the pixels' part to its spread.
    """

    everything: Floats
    pixels: Floats
    pixel_part: float


def fit_both(
    everything: Floats,
    pixels: Floats,
    truth: NDArray[np.int8],
    folds: NDArray[np.intp],
    *,
    pixel_part: float = PIXEL_PART,
) -> tuple[Discriminants, Floats]:
    """Both discriminants, and what they say together of each image when its fold was left out, float32 [N, K].

    Args:
        everything: float32 [N, R]; pixels: float32 [N, r].
        truth: int8 [N, K], -1 unknown.
        folds: [N].
        pixel_part: spread of the second one's part in that of the first.
    """
    fitted, unseen = _in_and_out_of_fold(everything, truth, folds, RIDGE)
    of_pixels, unseen_of_pixels = _in_and_out_of_fold(pixels, truth, folds, PIXEL_RIDGE)
    spread = float(unseen_of_pixels.std())
    part = pixel_part * float(unseen.std()) / spread if spread > 0 else 0.0
    both = Discriminants(fitted, _times(part, of_pixels), part)
    return both, np.asarray(unseen + _times(part, unseen_of_pixels), dtype=np.float32)


def fit_discriminants(features: Floats, truth: NDArray[np.int8], ridge: float = RIDGE) -> Floats:
    """Coefficients [R, C] of Fisher's discriminant by ridge regression, in deviations of each tag's truth.

    An unknown answer counts as the tag's mean, which pulls a tag with few answers to 0: so one system serves all
    tags (Duda, Hart and Stork, Pattern Classification, 5.8.2).

    Args:
        features: float32 [N, R].
        truth: int8 [N, C], 1 yes, 0 no, -1 unknown.
        ridge: strength of the pull to 0.

    >>> features = np.array([[1.0], [-1.0]], dtype=np.float32)
    >>> truth = np.array([[1, -1], [0, -1]], dtype=np.int8)
    >>> [f"{c:.3f}" for c in fit_discriminants(features, truth, ridge=10.0)[0]]
    ['0.167', '0.000']
    """
    gram = (features.T @ features).astype(np.float64)  # of any number of images
    return _solve(gram, _sums(features, truth), ridge)


def _in_and_out_of_fold(
    features: Floats, truth: NDArray[np.int8], folds: NDArray[np.intp], ridge: float
) -> tuple[Floats, Floats]:
    """Coefficients [R, K] by all images, and [N, K] what those without its fold say of each.

    With more features than images the same coefficients come from products of images (the dual of ridge regression).
    Either way products are worked out once for all folds, and solved in single precision.
    """
    by_images = features.shape[1] > len(features)
    answered = np.asarray((truth >= 0).any(axis=1))
    known = features[answered]
    gram = np.asarray(features @ features.T if by_images else known.T @ known, dtype=np.float32)

    def leave_out(fold: int) -> tuple[Floats, Floats]:
        own, kept = np.flatnonzero(folds == fold), np.flatnonzero(answered & (folds != fold))
        if by_images:
            of_images = _solve(gram[np.ix_(kept, kept)], _deviations(truth[kept]), ridge)
            fitted = features[kept].T @ of_images if fold < 0 else of_images
            said = gram[np.ix_(own, kept)] @ of_images
        else:
            left_out = features[own[answered[own]]]
            others = np.asarray(gram - left_out.T @ left_out, dtype=np.float32)
            fitted = _solve(others, _sums(features[kept], truth[kept]), ridge)
            said = features[own] @ fitted
        return np.asarray(fitted, dtype=np.float32), np.asarray(said, dtype=np.float32)

    (everything, _), *without = parallel.each(leave_out, range(-1, int(folds.max()) + 1))
    unseen = np.empty(truth.shape, dtype=np.float32)
    for fold, (_, said) in enumerate(without):
        unseen[folds == fold] = said
    return everything, unseen


def _sums(features: Floats, truth: NDArray[np.int8]) -> Floats:
    """Features times deviations, float32 [R, C]."""
    starts = range(0, truth.shape[1], TAGS_AT_ONCE)
    sums = [features.T @ _deviations(truth[:, start : start + TAGS_AT_ONCE]) for start in starts]
    return np.concatenate(sums, axis=1)


def _deviations(truth: NDArray[np.int8]) -> Floats:
    """Truth in deviations of each tag's, float32 [N, C]; 0 where unknown."""
    known, yes = truth >= 0, truth == 1
    share = (yes.sum(axis=0) + PRIOR_YES) / (known.sum(axis=0) + PRIOR_YES + PRIOR_NO)
    return np.asarray(np.where(known, yes - share, 0) / np.sqrt(share * (1 - share)), dtype=np.float32)


def _solve(gram: NDArray[np.floating], sums: Floats, ridge: float) -> Floats:
    """(gram + ridge)^-1 sums. A few thousand images leave it far enough from singular for single precision."""
    system = gram.copy()
    system[np.diag_indices_from(system)] += ridge
    return np.asarray(np.linalg.solve(system, sums), dtype=np.float32)


def _times(part: float, values: Floats) -> Floats:
    return np.asarray(np.float32(part) * values, dtype=np.float32)
