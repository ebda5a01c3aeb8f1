"""Orthogonal directions of a feature matrix: fewer columns for the solver, each on its own.

No truth enters, so that folds may share one basis.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MOST_DIRECTIONS = 640
OVERSAMPLED = 32
POWER_ROUNDS = 2
SMALLEST = 1e-6
"""Directions with less than this share of the largest variance are rounding errors."""


def directions(features: Floats, *, seed: int, most: int = MOST_DIRECTIONS) -> Floats:
    """Orthonormal columns [D, R] that span the rows of `features` [N, D], strongest first.

    Exact while min(N, D) is at most `most`; beyond, the strongest `most` by a randomised range finder (Halko,
    Martinsson and Tropp 2011, arXiv 0909.4061, algorithm 4.4).

    >>> directions(np.array([[3.0, 0.0], [0.0, 2.0]], dtype=np.float32), seed=0).shape
    (2, 2)
    """
    if not features.size:
        return np.zeros((features.shape[1], 0), dtype=np.float32)
    if len(features) <= most:
        return _from_rows(features)
    if features.shape[1] <= most:
        return _from_columns(features)
    rng = np.random.default_rng(seed)
    probe = rng.standard_normal((features.shape[1], most + OVERSAMPLED), dtype=np.float32)
    for _ in range(POWER_ROUNDS):
        left, _ = np.linalg.qr(features @ probe)
        probe, _ = np.linalg.qr(features.T @ left)
    turned = _from_columns(np.asarray(features @ probe, dtype=np.float32))
    return np.asarray(probe @ turned[:, :most], dtype=np.float32)


def _from_rows(features: Floats) -> Floats:
    values, vectors = np.linalg.eigh((features @ features.T).astype(np.float64))
    kept = values[::-1] > SMALLEST * max(values[-1], SMALLEST)
    left = vectors[:, ::-1][:, kept]
    return np.asarray(features.T @ (left / np.sqrt(values[::-1][kept])), dtype=np.float32)


def _from_columns(features: Floats) -> Floats:
    values, vectors = np.linalg.eigh((features.T @ features).astype(np.float64))
    kept = values[::-1] > SMALLEST * max(values[-1], SMALLEST)
    return np.asarray(vectors[:, ::-1][:, kept], dtype=np.float32)
