"""Shares of answers with 95 % intervals that know that the answers on one image hang together. Pure functions."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from annotations.selectors.strata import FEWEST_IMAGES, Z


@dataclass(frozen=True)
class Sums:
    """Over `images`: how many answers there are (`among`) and how many of them count (`hits`), and their products."""

    images: int
    hits: int
    among: int
    hits2: int
    hits_among: int
    among2: int


@dataclass(frozen=True)
class Share:
    """A share with its interval, all three None where fewer than `FEWEST_IMAGES` images, or no answers, are behind it.

    `among` is the number of answers, `images` that of the images they are from.
    """

    share: float | None
    lower: float | None
    upper: float | None
    among: int
    images: int

    @property
    def needed(self) -> int:
        """From as many images on there is a figure."""
        return FEWEST_IMAGES


NONE = Share(None, None, None, 0, 0)


def of_sums(sums: Sums) -> Share:
    """The share of hits with Wilson's (1927) interval for the effective number of answers.

    That is how many independent answers would have the same error (Korn and Graubard, 1998, for surveys): answers on
    one image share their picture, and ten of them are not ten looks. Never more than there are.

    >>> found = of_sums(Sums(images=10, hits=8, among=10, hits2=8, hits_among=8, among2=10))
    >>> found.share, round(found.lower, 2), round(found.upper, 2)
    (0.8, 0.47, 0.95)
    """
    if sums.images < FEWEST_IMAGES or not sums.among:
        return Share(None, None, None, sums.among, sums.images)
    share = sums.hits / sums.among
    lower, upper = wilson(share, _effective_number(sums, share))
    return Share(share, lower, upper, sums.among, sums.images)


def wilson(share: float, number: float) -> tuple[float, float]:
    """Bounds of a share of so many independent answers.

    >>> [round(bound, 3) for bound in wilson(1.0, 10)]
    [0.722, 1.0]
    """
    centre = (share + Z**2 / (2 * number)) / (1 + Z**2 / number)
    half = Z / (1 + Z**2 / number) * math.sqrt(share * (1 - share) / number + Z**2 / (4 * number**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def mapped(share: Share, to: Callable[[float], float]) -> Share:
    """The share and its bounds on another scale; `to` rises all along."""
    if share.share is None or share.lower is None or share.upper is None:
        return share
    return Share(to(share.share), to(share.lower), to(share.upper), share.among, share.images)


def _effective_number(sums: Sums, share: float) -> float:
    """By the variance of the share as a ratio of means over images."""
    squares = sums.hits2 - 2 * share * sums.hits_among + share**2 * sums.among2
    variance = sums.images / (sums.images - 1) * squares / sums.among**2
    # Where all answers count, or none does, images differ in nothing that would tell.
    if not 0 < share < 1 or variance <= 0:
        return sums.among
    return min(sums.among, share * (1 - share) / variance)
