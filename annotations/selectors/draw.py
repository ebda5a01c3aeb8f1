"""Which stratum each slot of the queue is drawn from, and with what chance it draws an image."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from annotations import draw_shares
from annotations.draw_shares import HOLDOUT_CAP
from annotations.models import Project, QueueEntry
from annotations.models.queue import FRONT, Stratum
from annotations.selectors import counters

RANDOM, ORDERED = "random", ("uncertain", "score")


@dataclass(frozen=True)
class Draw:
    """The draw of one claim.

    `slots` says how many each stratum gets, `waiting` how many images outside the holdout wait for a review. Of the
    slots that draw among those, `random` draw with equal chances and `ordered` take the active order.
    """

    slots: Mapping[str, int]
    waiting: int
    random: float
    ordered: float

    def chance(self, entry: QueueEntry, stratum: str) -> tuple[float | None, int | None]:
        """The probability of drawing this image, and among how many; None where chance had no part in it."""
        if stratum == Stratum.HOLDOUT:
            return entry.image.holdout_probability, None
        if entry.priority > 0:
            return None, None
        # A claim that came at the same time may not have been counted yet.
        waiting = max(self.waiting, 1)
        chance = draw_shares.chance(entry.appeal, waiting=waiting, random=self.random, ordered=self.ordered)
        return chance, waiting


def of_claim(project: Project, *, mode: str, count: int, rng: random.Random) -> Draw:
    """Only the mixed mode draws strata; the others say what they want."""
    counts, held_out = counters.read(project.pk), _holdout_waiting(project.pk)
    among = _others_waiting(counts, held_out)
    if mode == RANDOM:
        return Draw({Stratum.RANDOM: count}, among, 1.0, 0.0)
    if mode in ORDERED:
        return Draw({Stratum.ACTIVE: count}, among, 0.0, 1.0)
    shares = dict(
        zip(_STRATA, draw_shares.shares(holdout=_asks_holdout(project, counts, held_out)), strict=True)
    )
    slots = Counter[str](rng.choices(list(shares), weights=list(shares.values()), k=count))
    random_share = shares[Stratum.RANDOM]
    return Draw(dict(slots), among, random_share, shares[Stratum.BLIND] + shares[Stratum.ACTIVE])


def of_hundred() -> dict[str, int]:
    """How many of 100 images each stratum gets while the holdout is asked for, until `cap` of that are reviewed."""
    shares = zip(_STRATA, draw_shares.shares(holdout=True), strict=True)
    return {stratum.value: round(100 * share) for stratum, share in shares} | {"cap": HOLDOUT_CAP}


def fallbacks(mode: str) -> list[str]:
    """Strata to try in order when the drawn ones are empty."""
    return [Stratum.ACTIVE] if mode in ORDERED else [Stratum.ACTIVE, Stratum.HOLDOUT]


def component(entry: QueueEntry, stratum: str) -> str:
    """Which part of the mixture brought the image; of strata that draw by themselves, their own name."""
    if stratum in (Stratum.HOLDOUT, Stratum.RANDOM):
        return stratum
    return FRONT if entry.priority > 0 else entry.component


_STRATA = (Stratum.HOLDOUT, Stratum.RANDOM, Stratum.BLIND, Stratum.ACTIVE)


def waiting(project_id: int) -> int:
    """Images outside the holdout that want a review."""
    return _others_waiting(counters.read(project_id), _holdout_waiting(project_id))


def _asks_holdout(project: Project, counts: Mapping[str, int], held_out: int) -> bool:
    """Until there are enough of them, and while one is left: else its slots would go to the active order unsaid."""
    done = counts.get("holdout_reviewed", 0)
    return bool(project.holdout_percent) and done < HOLDOUT_CAP and held_out > 0


def _others_waiting(counts: Mapping[str, int], held_out: int) -> int:
    """From kept counters; of the holdout they know how many were reviewed, and not how many are broken."""
    return max(0, counts.get("pending", 0) + counts.get("unsure", 0) - held_out)


def _holdout_waiting(project_id: int) -> int:
    """At most a few thousand entries of an index, however large the project is."""
    return QueueEntry.objects.filter(project=project_id, is_holdout=True).count()
