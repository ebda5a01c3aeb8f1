"""What a review or its undoing adds to the kept counters. Arithmetic only; `services.counters` stores it."""

from collections.abc import Sequence

from annotations.models import Image, Lease, Review

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
    if not lease.blind:
        deltas |= _effort(lease, yes)
    return deltas


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
    return deltas


def _moved(before: str, after: str) -> dict[str, int]:
    return {} if before == after else {before: -1, after: 1}


def _effort(lease: Lease, yes: Sequence[int]) -> dict[str, int]:
    """Acceptance and keystrokes against an empty form, on items that showed suggestions."""
    chips = {entry["tag"]["id"] for entry in lease.shown}
    offered, chosen = set(lease.offered_ids), set(yes)
    typed = len(chosen - chips)
    toggled = len((offered ^ chosen) & chips)
    return {
        "shown_reviews": 1,
        "offered": len(offered),
        "accepted": len(offered & chosen),
        "keystrokes": 1 + toggled + KEYS_PER_TYPED_TAG * typed,
        "keystrokes_empty_form": 1 + KEYS_PER_TYPED_TAG * len(chosen),
    }
