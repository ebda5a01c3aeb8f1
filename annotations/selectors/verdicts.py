"""The rules of what a review says, as pure functions over rows; `truth.py` reads the rows.

Numbers in comments are the rules of docs/decisions/0003-what-a-review-says.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from annotations.types import ImageTruth

YES, NO, IMPLIED_NO, DISPUTED = "yes", "no", "implied", "disputed"
_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True)
class WholeReview:
    """A counted, not undone review of a whole image, with the tags that its person answered explicitly."""

    person: int | None
    at: datetime
    asked: frozenset[int]
    explicit: Mapping[int, str]
    imported: bool = False
    draw_rate: float | None = None
    vocabulary_version: int = 0


@dataclass(frozen=True)
class OneTagAnswer:
    """A decision that answers one tag alone."""

    person: int | None
    at: datetime
    tag_id: int
    value: str
    imported: bool = False
    adjudicates: bool = False


@dataclass(frozen=True)
class Vote:
    """One person's answer to a tag. `one_tag`: it was to this tag alone."""

    person: int | None
    at: datetime
    value: str
    one_tag: bool


def derive(
    image_id: int, reviews: Sequence[WholeReview], answers: Sequence[OneTagAnswer], *, implied_counts: bool
) -> ImageTruth:
    """The truth of one image. `implied_counts` is False where the project leaves the unmarked unknown (rule 10)."""
    if not answers and len(reviews) < 2:
        return _of_single_review(image_id, reviews[0], implied_counts) if reviews else _of_nobody(image_id)
    return as_truth(image_id, reviews, of_tags(reviews, answers, implied_counts=implied_counts))


def of_tags(
    reviews: Sequence[WholeReview], answers: Sequence[OneTagAnswer], *, implied_counts: bool
) -> dict[int, str]:
    """The verdict of every tag that was asked about on one image, by tag id."""
    if len(reviews) == 1 and not answers:
        implied = dict.fromkeys(reviews[0].asked, IMPLIED_NO) if implied_counts else {}
        return implied | dict(reviews[0].explicit)
    return {
        tag_id: verdict
        for tag_id in _tags_in_question(reviews, answers)
        if (verdict := _of_tag(tag_id, reviews, answers, implied_counts)) is not None
    }


def as_truth(image_id: int, reviews: Sequence[WholeReview], verdicts: Mapping[int, str]) -> ImageTruth:
    by_verdict: dict[str, set[int]] = defaultdict(set)
    for tag_id, verdict in verdicts.items():
        by_verdict[verdict].add(tag_id)
    return ImageTruth(
        image_id=image_id,
        yes=frozenset(by_verdict[YES]),
        no=frozenset(by_verdict[NO]),
        implied_no=frozenset(by_verdict[IMPLIED_NO]),
        disputed=frozenset(by_verdict[DISPUTED]),
        draw_rate=max(reviews, key=lambda review: review.at).draw_rate if reviews else None,
    )


def verdict_on(tag_id: int, found: ImageTruth) -> str | None:
    """The verdict on one tag; None: it was not asked."""
    named = ((YES, found.yes), (NO, found.no), (IMPLIED_NO, found.implied_no), (DISPUTED, found.disputed))
    return next((verdict for verdict, tag_ids in named if tag_id in tag_ids), None)


def _of_nobody(image_id: int) -> ImageTruth:
    return ImageTruth(image_id=image_id, yes=_NONE, no=_NONE, implied_no=_NONE, disputed=_NONE)


def _of_single_review(image_id: int, review: WholeReview, implied_counts: bool) -> ImageTruth:
    """The common case: one review, and nothing else. No votes are counted."""
    explicit = review.explicit
    return ImageTruth(
        image_id=image_id,
        yes=frozenset(tag_id for tag_id, value in explicit.items() if value == YES),
        no=frozenset(tag_id for tag_id, value in explicit.items() if value == NO),
        implied_no=review.asked.difference(explicit) if implied_counts else _NONE,
        disputed=_NONE,
        draw_rate=review.draw_rate,
    )


def _tags_in_question(reviews: Sequence[WholeReview], answers: Sequence[OneTagAnswer]) -> set[int]:
    tag_ids = {answer.tag_id for answer in answers}
    for review in reviews:
        tag_ids |= review.asked
        tag_ids |= review.explicit.keys()
    return tag_ids


def _of_tag(
    tag_id: int, reviews: Sequence[WholeReview], answers: Sequence[OneTagAnswer], implied_counts: bool
) -> str | None:
    about_tag = [answer for answer in answers if answer.tag_id == tag_id]
    adjudications = [answer for answer in about_tag if answer.adjudicates]
    if adjudications:  # rule 8: a reviewer's adjudication outranks all
        return max(adjudications, key=lambda answer: answer.at).value

    # An imported answer is nobody's look at the picture: it stands until a person answers the tag.
    for imported in (False, True):
        votes = votes_on(
            tag_id,
            [review for review in reviews if review.imported is imported],
            [answer for answer in about_tag if answer.imported is imported],
            implied_counts,
        )
        if votes:
            return count(votes)
    return None


def votes_on(
    tag_id: int, reviews: Sequence[WholeReview], answers: Sequence[OneTagAnswer], implied_counts: bool
) -> list[Vote]:
    """Everybody's latest answer to the tag (rule 7: a later answer replaces the earlier one)."""
    votes = [Vote(answer.person, answer.at, answer.value, one_tag=True) for answer in answers]
    for review in reviews:
        value = review.explicit.get(tag_id)
        if value is None and implied_counts and tag_id in review.asked:
            value = IMPLIED_NO
        if value is not None:
            votes.append(Vote(review.person, review.at, value, one_tag=False))
    return latest_of_each(votes)


def latest_of_each(votes: Iterable[Vote]) -> list[Vote]:
    """One vote a person, the latest."""
    latest: dict[int | None, Vote] = {}
    for vote in sorted(votes, key=lambda vote: vote.at):
        latest[vote.person] = vote
    return list(latest.values())


def count(votes: Sequence[Vote]) -> str:
    """Rule 8: one-tag answers made after the reviews outrank them; else the majority; a tie is disputed."""
    last_review_at = max((vote.at for vote in votes if not vote.one_tag), default=None)
    late = [vote for vote in votes if vote.one_tag and (last_review_at is None or vote.at > last_review_at)]
    if late:
        return late[0].value if len({vote.value for vote in late}) == 1 else DISPUTED
    yes = sum(vote.value == YES for vote in votes)
    no = len(votes) - yes
    if yes == no:
        return DISPUTED
    if yes > no:
        return YES
    return NO if any(vote.value == NO for vote in votes) else IMPLIED_NO
