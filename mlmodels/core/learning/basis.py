"""Orthogonal directions of a feature matrix: fewer columns for the solver, each on its own.

No truth enters, so that folds may share one basis.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MOST_DIRECTIONS = 640
MOST_IMAGES = 1000
"""A basis of so many images, drawn by the seed, serves the others too; one of all would take most of a fit."""

SMALLEST = 1e-6
"""Directions with less than this share of the largest variance are rounding errors."""


def directions(features: Floats, *, seed: int, most: int = MOST_DIRECTIONS) -> Floats:
    """Orthonormal columns [D, R], strongest first: the principal directions of the rows of `features` [N, D].

    Exact while N is at most MOST_IMAGES and min(N, D) at most `most`. Beyond, the `most` strongest of a sample
    (Nyström, Williams and Seeger 2001).

    >>> directions(np.array([[3.0, 0.0], [0.0, 2.0]], dtype=np.float32), seed=0).shape
    (2, 2)
    """
    if not features.size:
        return np.zeros((features.shape[1], 0), dtype=np.float32)
    if len(features) > MOST_IMAGES:
        drawn = np.random.default_rng([seed, 4]).choice(len(features), MOST_IMAGES, replace=False)
        features = features[np.sort(drawn)]
    narrow = features.shape[1] <= len(features)
    gram = features.T @ features if narrow else features @ features.T
    values, vectors = np.linalg.eigh(gram.astype(np.float64))
    values, vectors = values[::-1][:most], vectors[:, ::-1][:, :most]
    kept = values > SMALLEST * max(values[0], SMALLEST)
    if narrow:
        return np.asarray(vectors[:, kept], dtype=np.float32)
    return np.asarray(
        features.T @ (vectors[:, kept] / np.sqrt(values[kept])).astype(np.float32), dtype=np.float32
    )
