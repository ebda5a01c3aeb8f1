"""Captions teach the pixels: a vision model whose truth is what captions mention, so that it needs no review.

Most images of a project are imported with a caption long before anybody reviews them. What their captions say
of the tags is noisy but plentiful: distant supervision (Mintz et al. 2009; for pixels Joulin et al. 2016,
arXiv 1511.02251). How far it may be trusted is learnt from reviews, in `fitting`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.learning import basis, fusion, parallel
from mlmodels.core.learning.dataset import HeadInputs
from mlmodels.core.learning.solver import Problem, sigmoid, solve

Floats = NDArray[np.float32]

RIDGE = 3.0
MOST_IMAGES = 4000
"""More captions than this teach little more, and cost time in every fit."""

MOST_DIRECTIONS = 256
TOLERANCE = 3e-2
"""Coarse: the deviations only rank images within a tag."""


@dataclass(frozen=True)
class Taught:
    """What captions taught.

    Attributes:
        turn: float32 [D + K, r], from vision and pixel columns to the basis of the fit.
        fitted: float32 [r, K], coefficients in that basis.
        deviations: float32 [N, K], logits above or below a tag's mean, of images whose own caption was left out.
    """

    turn: Floats
    fitted: Floats
    deviations: Floats

    def coefficients(self) -> tuple[Floats, Floats]:
        """Of the vision columns, float32 [D, K], and of the pixel columns, float32 [K, K]."""
        both = np.asarray(self.turn @ self.fitted, dtype=np.float32)
        width = len(both) - both.shape[1]
        return both[:width], both[width:]


def taught_columns(columns: Floats, *, dimensions: int, tags: int) -> Floats:
    """Those of an encoding's columns that captions teach: vision and pixels, float32 [N, D + K]."""
    return np.concatenate([columns[:, :dimensions], columns[:, columns.shape[1] - tags :]], axis=1)


def teach(inputs: HeadInputs, columns: Floats, folds: NDArray[np.intp], *, seed: int) -> Taught:
    """Fit pixels to captions, in and out of fold.

    Args:
        inputs: N images, K tags; those without caption or pixels teach nothing.
        columns: float32 [N, D + K], of `taught_columns`.
        folds: [N], the fold of each image.
        seed: of the basis, and of the choice among very many images.
    """
    images, tags = inputs.caption_prior.shape
    rows = np.flatnonzero(inputs.has_caption & inputs.has_vision)
    if len(rows) > MOST_IMAGES:
        rows = np.sort(np.random.default_rng([seed, 3]).choice(rows, MOST_IMAGES, replace=False))
    turn = basis.directions(columns[rows], seed=seed, most=MOST_DIRECTIONS)
    deviations = np.zeros((images, tags), dtype=np.float32)
    if not len(rows):
        return Taught(turn, np.zeros((0, tags), dtype=np.float32), deviations)
    rotated = np.asarray(columns @ turn, dtype=np.float32)
    figures = fusion.only_caption(fusion.prior_features(inputs.rows(rows)))
    said = sigmoid(figures @ fusion.shipped(figures.shape[-1]))
    usual = said.mean(axis=0)
    usual = np.asarray(np.log(usual / (1 - usual)), dtype=np.float32)

    def leave_out(fold: int) -> Floats:
        kept = folds[rows] != fold
        truth = said[kept]
        offsets = np.broadcast_to(usual, truth.shape)
        problem = Problem(rotated[rows[kept]], truth, np.ones_like(truth), offsets, RIDGE)
        return solve(problem, tolerance=TOLERANCE)

    everything, *others = parallel.each(leave_out, range(-1, int(folds.max()) + 1))
    for fold, fitted in enumerate(others):
        own = folds == fold
        deviations[own] = rotated[own] @ fitted
    return Taught(turn, everything, deviations)
