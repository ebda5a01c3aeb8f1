"""Shortens features that the database could not index, without learning anything from data."""

import numpy as np
import numpy.typing as npt

MAX_DIMENSIONS = 2000

Array = npt.NDArray[np.float32]


def shorten(features: Array, *, dimensions: int = MAX_DIMENSIONS) -> Array:
    """Project features [N, D] to [N, min(D, dimensions)] by a fixed random orthogonal map.

    Random signs, a Walsh-Hadamard transform and the first rows of a fixed permutation: cosines are kept in
    expectation, and the same numbers come out on every machine. After N. Ailon and B. Chazelle, "The Fast
    Johnson-Lindenstrauss Transform", 2009, without its sparse last step.

    Example:
        >>> shorten(np.ones((2, 2048), np.float32)).shape
        (2, 2000)
        >>> shorten(np.ones((2, 1280), np.float32)).shape
        (2, 1280)
    """
    count, given = features.shape
    if given <= dimensions:
        return features
    width = 1 << (given - 1).bit_length()
    fixed = np.random.RandomState(20_090_101)  # the one generator whose numbers never change
    signs = fixed.randint(0, 2, given) * 2 - 1
    mixed = np.zeros((count, width), dtype=np.float64)
    mixed[:, :given] = features * signs
    step = 1
    while step < width:
        pairs = mixed.reshape(count, width // (2 * step), 2, step)
        mixed = np.stack((pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]), axis=2)
        mixed = mixed.reshape(count, width)
        step *= 2
    kept = mixed[:, fixed.permutation(width)[:dimensions]]
    return np.asarray(kept / np.sqrt(dimensions), dtype=np.float32)
