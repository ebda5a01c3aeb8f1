"""Chance that belongs to an image: from its id and a salt alone, so that neither order nor company of rows matters."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def uniform(image_ids: Sequence[int], salt: str) -> Floats:
    """A number in (0, 1) for each image, float64 [N]; another salt, independent numbers.

    The finaliser is that of SplitMix64 (Steele, Lea and Flood, 2014), over the id and 64 bits of the salt's digest.

    >>> one, other = uniform([5, 9], "a"), uniform([9, 7, 5], "a")
    >>> (one[0], one[1]) == (other[2], other[0]), bool(uniform([5], "b")[0] == one[0])
    (True, False)
    """
    key = int.from_bytes(hashlib.blake2b(salt.encode(), digest_size=8).digest(), "big")
    bits = np.asarray(image_ids, dtype=np.int64).astype(np.uint64) ^ np.uint64(key)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53


def waits(rates: Floats, image_ids: Sequence[int], salt: str) -> Floats:
    """How long each image waits for its turn, float64 [N]: exponential with its rate, infinite where that is 0.

    Whoever waits shortest is image i with probability rate_i / sum of rates, and so on among the rest: a weighted draw
    without replacement (Efraimidis and Spirakis, 2006).

    >>> waits(np.array([0.0, 2.0]), [1, 2], "a").round(3).tolist()[0]
    inf
    """
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log(uniform(image_ids, salt)) / rates, dtype=np.float64)
