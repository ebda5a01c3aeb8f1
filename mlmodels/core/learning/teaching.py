"""Captions teach the pixels: a vision model whose truth is what captions mention, so that it needs no review.

Most images of a project are imported with a caption long before anybody reviews them. What their captions say
of the tags is noisy but plentiful: distant supervision (Mintz et al. 2009; for pixels Joulin et al. 2016,
arXiv 1511.02251). How far it may be trusted is learnt from reviews, in `fitting`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.learning import basis, encoding, fusion
from mlmodels.core.learning.dataset import HeadInputs
from mlmodels.core.learning.encoding import Encoding
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
        vision: float32 [D, K] and pixels: float32 [K, K], coefficients of the vision and pixel columns.
        deviations: float32 [N, K], logits above or below a tag's mean, of images whose own caption was left out.
    """

    vision: Floats
    pixels: Floats
    deviations: Floats


def teach(inputs: HeadInputs, encoded: Encoding, folds: NDArray[np.intp], *, seed: int) -> Taught:
    """Fit pixels to captions, in and out of fold at once.

    Args:
        inputs: N images, K tags; those without caption or pixels teach nothing.
        encoded: of a head.
        folds: [N], the fold of each image.
        seed: of the basis, and of the choice among very many images.
    """
    columns = np.concatenate([encoded.vision(inputs), encoding.pixel_columns(inputs)], axis=1)
    images, tags = inputs.caption_prior.shape
    width = len(encoded.mean)
    rows = np.flatnonzero(inputs.has_caption & inputs.has_vision)
    if len(rows) > MOST_IMAGES:
        rows = np.sort(np.random.default_rng([seed, 3]).choice(rows, MOST_IMAGES, replace=False))
    if not len(rows):
        nothing = np.zeros((columns.shape[1], tags), dtype=np.float32)
        return Taught(nothing[:width], nothing[width:], np.zeros((images, tags), dtype=np.float32))
    turn = basis.directions(columns[rows], seed=seed, most=MOST_DIRECTIONS)
    figures = fusion.only_caption(fusion.prior_features(inputs.rows(rows)))
    said = sigmoid(figures @ fusion.shipped(figures.shape[-1]))
    count = int(folds.max()) + 1
    mean = np.tile(np.log(said.mean(axis=0) / (1 - said.mean(axis=0))), count + 1).astype(np.float32)
    masks = [np.ones(len(rows)), *[folds[rows] != fold for fold in range(count)]]
    weights = np.repeat(np.stack(masks, axis=1).astype(np.float32), tags, axis=1)  # [n, (F + 1) K]
    problem = Problem(
        features=np.asarray(columns[rows] @ turn, dtype=np.float32),
        truth=np.tile(said, (1, count + 1)),
        weights=weights,
        offsets=np.broadcast_to(mean, weights.shape).astype(np.float32),
        ridge=RIDGE,
    )
    fitted = solve(problem, tolerance=TOLERANCE)
    stacked = np.asarray((columns @ turn) @ fitted).reshape(images, count + 1, tags)
    deviations = stacked[np.arange(images), folds + 1]
    coefficients = np.asarray(turn @ fitted[:, :tags], dtype=np.float32)
    return Taught(coefficients[:width], coefficients[width:], deviations.astype(np.float32))
