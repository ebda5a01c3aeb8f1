"""Which stratum each slot of the queue is drawn from, and with what probability."""

import random
from collections import Counter

from annotations.models import Project, QueueEntry
from annotations.models.queue import Stratum
from annotations.selectors import counters

HOLDOUT_SHARE = 0.15
RANDOM_SHARE = 0.10
BLIND_SHARE = 0.05
HOLDOUT_CAP = 500


def strata(project: Project, *, mode: str, count: int, rng: random.Random) -> dict[str, int]:
    """How many of `count` slots each stratum gets. Only the mixed mode draws; the others say what they want."""
    if mode == "random":
        return {Stratum.RANDOM: count}
    if mode in ("uncertain", "score"):
        return {Stratum.ACTIVE: count}
    weights = _weights(project)
    return dict(Counter(rng.choices(list(weights), weights=list(weights.values()), k=count)))


def fallbacks(mode: str) -> list[str]:
    """Strata to try in order when the drawn ones are empty."""
    return [Stratum.ACTIVE] if mode in ("uncertain", "score") else [Stratum.ACTIVE, Stratum.HOLDOUT]


def probability(entry: QueueEntry, stratum: str) -> float | None:
    """The chance that the draw took this image; None where it was certain (no weighting needed)."""
    return entry.probability if stratum == Stratum.ACTIVE else None


def _weights(project: Project) -> dict[str, float]:
    done = counters.read(project.pk).get("holdout_reviewed", 0)
    holdout = HOLDOUT_SHARE if project.holdout_percent and done < HOLDOUT_CAP else 0.0
    return {
        Stratum.HOLDOUT: holdout,
        Stratum.RANDOM: RANDOM_SHARE,
        Stratum.BLIND: BLIND_SHARE,
        Stratum.ACTIVE: 1.0 - holdout - RANDOM_SHARE - BLIND_SHARE,
    }
