"""How the slots of the queue are shared out, and the chance that one of them draws an image. Pure arithmetic."""

HOLDOUT_SHARE = 0.15
RANDOM_SHARE = 0.10
BLIND_SHARE = 0.05
HOLDOUT_CAP = 500


def shares(*, holdout: bool) -> tuple[float, float, float, float]:
    """Shares of holdout, random, blind and active; without `holdout` its part is active too.

    >>> [round(share, 2) for share in shares(holdout=True)], [round(share, 2) for share in shares(holdout=False)]
    ([0.15, 0.1, 0.05, 0.7], [0.0, 0.1, 0.05, 0.85])
    """
    kept = HOLDOUT_SHARE if holdout else 0.0
    return kept, RANDOM_SHARE, BLIND_SHARE, 1.0 - kept - RANDOM_SHARE - BLIND_SHARE


def chance(appeal: float, *, waiting: int, random: float, ordered: float) -> float:
    """The probability that a slot draws this image, given that it draws none of the holdout.

    Args:
        appeal: how often the active order draws the image, against a draw of equal chances.
        waiting: images outside the holdout that wait, this one among them.
        random: share of the slots that draw with equal chances; `ordered` of those that take the active order.

    >>> round(chance(3.0, waiting=100, random=0.1, ordered=0.4), 4)
    0.026
    """
    share = random / (random + ordered)
    return min(1.0, (share + (1.0 - share) * appeal) / max(waiting, 1))
