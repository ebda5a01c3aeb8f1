"""What a review or its undoing adds to the kept counters. Arithmetic only; `services.counters` stores it."""

from collections.abc import Sequence

from annotations.models import Decision, Image, Lease, Review
from annotations.models.queue import FRONT, Stratum

# Typing a tag that is not among the chips, in keys, until the page has measured better.
KEYS_PER_TYPED_TAG = 4


def of_review(
    review: Review, lease: Lease, image: Image, state_before: str, yes: Sequence[int], no: Sequence[int]
) -> dict[str, int]:
    """Increments for a counted review. `trainable_*` leave the holdout out: nothing there is trained on."""
    deltas = _moved(state_before, image.state)
    if review.outcome != Review.Outcome.REVIEWED:
        return deltas
    decisions = len(yes) + len(no)
    deltas |= {"reviews": 1, "decisions": decisions}
    if image.is_holdout:
        deltas["holdout_reviewed"] = int(image.reviews_done == 1)  # images, however many reviews each wants
    else:
        # “Nothing applies” stores no row and still teaches: it counts as one decision.
        deltas |= {"trainable_decisions": max(decisions, 1), "trainable_reviews": 1}
    return deltas | _shown(lease, yes)


def of_undo(review: Review, image: Image, state_before: str) -> dict[str, int]:
    """Increments for an undo. The trainable counts grow, since there is something new to learn."""
    deltas = _moved(state_before, image.state)
    if review.outcome != Review.Outcome.REVIEWED:
        return deltas
    deltas["reviews"] = -1
    deltas["decisions"] = -review.decisions.count()
    if image.is_holdout:
        deltas["holdout_reviewed"] = -int(image.reviews_done == 0)
    else:
        deltas |= {"trainable_decisions": 1, "trainable_reviews": 1}
    if review.lease is None:
        return deltas
    said = list(review.decisions.filter(value=Decision.Value.YES).values_list("tag_id", flat=True))
    return deltas | {name: -delta for name, delta in _shown(review.lease, said).items()}


def _moved(before: str, after: str) -> dict[str, int]:
    return {} if before == after else {before: -1, after: 1}


def _shown(lease: Lease, yes: Sequence[int]) -> dict[str, int]:
    """What depends on what was shown; an undo takes the same away."""
    return _by_stratum(lease, yes) | ({} if lease.blind else _effort(lease, yes))


def _effort(lease: Lease, yes: Sequence[int]) -> dict[str, int]:
    """Acceptance and keystrokes against an empty form, on items that showed suggestions."""
    offered, chosen = set(lease.offered_ids), set(yes)
    return {
        "shown_reviews": 1,
        "offered": len(offered),
        "accepted": len(offered & chosen),
        "keystrokes": _keystrokes(lease, chosen),
        "keystrokes_empty_form": 1 + KEYS_PER_TYPED_TAG * len(chosen),
    }


def _keystrokes(lease: Lease, chosen: set[int]) -> int:
    """What the answer takes from what was shown; of a blind item, from an empty form."""
    chips = {entry["tag"]["id"] for entry in lease.shown}
    toggled = len((set(lease.offered_ids) ^ chosen) & chips)
    return 1 + toggled + KEYS_PER_TYPED_TAG * len(chosen - chips)


def _by_stratum(lease: Lease, yes: Sequence[int]) -> dict[str, int]:
    """The same for the stratum of the item, and what anchoring is measured by; names as in `selectors.strata`."""
    offered, chosen = set(lease.offered_ids), set(yes)
    figures = {
        "reviews": 1,
        "offered": len(offered),
        "accepted": len(offered & chosen),
        "keystrokes": _keystrokes(lease, chosen),
        "empty_form": 1 + KEYS_PER_TYPED_TAG * len(chosen),
        # From an empty form every yes is a correction.
        "corrections": len(offered ^ chosen),
    }
    deltas = {f"{lease.stratum}.{name}": figure for name, figure in figures.items()}
    if (
        lease.mode == "mixed"
        and lease.stratum in (Stratum.ACTIVE, Stratum.BLIND)
        and lease.component != FRONT
    ):
        deltas |= _anchoring(lease, chosen)
    return deltas


def _anchoring(lease: Lease, chosen: set[int]) -> dict[str, int]:
    """Yes among the tags that were offered, or would have been: sums and sums of products, for an interval."""
    asked = {*lease.offered_ids, *lease.withheld_ids}
    if not asked:
        return {}
    tags, yes = len(asked), len(asked & chosen)
    sums = {"images": 1, "tags": tags, "yes": yes, "tags2": tags**2, "tags_yes": tags * yes, "yes2": yes**2}
    return {f"anchor.{lease.stratum}.{name}": figure for name, figure in sums.items()}
