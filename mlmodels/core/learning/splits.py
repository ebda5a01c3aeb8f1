"""Which fold an image belongs to, and whether to the reference: decided by id and seed, never by the order of rows."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def assign_folds(image_ids: Sequence[int], folds: int, *, seed: int) -> NDArray[np.intp]:
    """Fold of every image, [N] in 0..folds-1, as even in size as can be.

    Args:
        image_ids: different ids.
        folds: at least 1; with fewer images than folds some stay empty.

    >>> one, other = assign_folds([5, 9, 7], 2, seed=0), assign_folds([7, 5, 9], 2, seed=0)
    >>> one.tolist() == other[[1, 2, 0]].tolist(), sorted(one.tolist())
    (True, [0, 0, 1])
    """
    keys = _keys(image_ids, f"{seed}")
    result = np.empty(len(keys), dtype=np.intp)
    result[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys)) % folds
    return result


def choose(image_ids: Sequence[int], most: int, *, seed: int) -> NDArray[np.intp]:
    """Rows of at most `most` images, ascending: those of the smallest hashes, so that a set that grew keeps most.

    >>> choose([5, 9, 7], 3, seed=0).tolist()
    [0, 1, 2]
    """
    if len(image_ids) <= most:
        return np.arange(len(image_ids))
    keys = _keys(image_ids, f"choose:{seed}")
    return np.sort(np.array(sorted(range(len(keys)), key=keys.__getitem__)[:most], dtype=np.intp))


def _keys(image_ids: Sequence[int], salt: str) -> list[bytes]:
    return [hashlib.blake2b(f"{salt}:{image}".encode(), digest_size=8).digest() for image in image_ids]
