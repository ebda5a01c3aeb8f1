"""Stable draws from a picture's bytes: which side it is on, and where it stands in random order. Pure."""

import hashlib

HOLDOUT_FULL = 500
PERCENT_WHEN_FULL = 2


def holdout_probability(holdout_so_far: int, holdout_percent: int) -> float:
    """The project's share until there are enough holdout images, little after that; 0 stays 0."""
    percent = holdout_percent if holdout_so_far < HOLDOUT_FULL else min(holdout_percent, PERCENT_WHEN_FULL)
    return percent / 100


def is_holdout(sha256: str, probability: float) -> bool:
    return _uniform("holdout", sha256) < probability


def shuffle(sha256: str) -> float:
    """A position in [0, 1) that is the same tomorrow and independent of the side."""
    return _uniform("shuffle", sha256)


def _uniform(purpose: str, sha256: str) -> float:
    digest = hashlib.sha256(f"{purpose}:{sha256}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
