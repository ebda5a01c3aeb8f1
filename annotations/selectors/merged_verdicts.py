"""What was said of a tag that others were merged into: rule 9, as pure functions over the rows of `verdicts.py`.

The two verdicts from before the merge become one: yes if either is yes, no only if both are. Later answers speak to
the surviving tag alone and count as ever, beside what each person had said before.
See docs/decisions/0011-merge-and-split.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from annotations.selectors import verdicts as rules
from annotations.selectors.verdicts import (
    DISPUTED,
    IMPLIED_NO,
    NO,
    YES,
    OneTagAnswer,
    Vote,
    WholeReview,
)


@dataclass(frozen=True)
class Merge:
    """A tag is part of another one from a vocabulary version on; answers to one tag alone from a moment on."""

    tag_id: int
    into_id: int
    version: int
    at: datetime


class Merges:
    """The merges that stand in a project, in the order in which they were made."""

    def __init__(self, merges: Iterable[Merge] = ()) -> None:
        self.in_order = tuple(sorted(merges, key=lambda merge: merge.version))
        self.by_tag = {merge.tag_id: merge for merge in self.in_order}
        self.into: dict[int, list[Merge]] = defaultdict(list)
        for merge in self.in_order:
            self.into[merge.into_id].append(merge)

    def survivor(self, tag_id: int) -> int:
        """The tag that this one is part of by now; itself, if it was not merged."""
        while (merge := self.by_tag.get(tag_id)) is not None:
            tag_id = merge.into_id
        return tag_id

    def survivor_at(self, tag_id: int, version: int) -> int:
        """The tag that this one was part of in a vocabulary version."""
        while (merge := self.by_tag.get(tag_id)) is not None and version >= merge.version:
            tag_id = merge.into_id
        return tag_id

    def members(self, tag_id: int) -> list[int]:
        """The tag and all that were merged into it, one after the other or in chains."""
        found = [tag_id]
        for one in found:  # grows while it is walked
            found += [merge.tag_id for merge in self.into.get(one, ())]
        return found


def joined(one: str | None, other: str | None) -> str | None:
    """The verdict on what two tags become, from their own; None is not asked.

    Neither yes nor no where one is disputed and the other not yes: what people disagree on stays disputed.
    """
    if YES in (one, other):
        return YES
    if DISPUTED in (one, other):
        return DISPUTED
    if one is None or other is None:
        return None
    return NO if NO in (one, other) else IMPLIED_NO


def of_tags(
    reviews: Sequence[WholeReview],
    answers: Sequence[OneTagAnswer],
    merges: Merges,
    *,
    implied_counts: bool,
) -> dict[int, str]:
    """Like `verdicts.of_tags`, after the merges: a tag that was merged away has no verdict of its own."""
    if not merges.in_order:
        return rules.of_tags(reviews, answers, implied_counts=implied_counts)
    reviews = [_as_of_then(review, merges) for review in reviews]
    answers = [replace(answer, tag_id=_meant(answer, merges)) for answer in answers]
    found = rules.of_tags(reviews, answers, implied_counts=implied_counts)
    if len(reviews) == 1 and not answers:
        return _joined_in_order(found, reviews[0].vocabulary_version, merges)
    for root in {
        merges.survivor(tag_id) for tag_id in found if tag_id in merges.by_tag or tag_id in merges.into
    }:
        verdict = _Said(reviews, answers, merges, implied_counts).of(root).verdict
        for tag_id in merges.members(root):
            found.pop(tag_id, None)
        if verdict is not None:
            found[root] = verdict
    return found


def _joined_in_order(found: dict[int, str], version: int, merges: Merges) -> dict[int, str]:
    """The common case, one review of the whole image: it is wholly before or wholly after each merge."""
    for merge in merges.in_order:
        gone = found.pop(merge.tag_id, None)
        if version < merge.version:
            verdict = joined(gone, found.pop(merge.into_id, None))
            if verdict is not None:
                found[merge.into_id] = verdict
    return found


def _as_of_then(review: WholeReview, merges: Merges) -> WholeReview:
    """The review with answers to a tag that had been merged when the image was handed out counted for the survivor."""
    late = {
        tag_id
        for tag_id in review.explicit
        if tag_id in merges.by_tag and review.vocabulary_version >= merges.by_tag[tag_id].version
    }
    if not late:
        return review
    explicit = {tag_id: value for tag_id, value in review.explicit.items() if tag_id not in late}
    for tag_id in late:
        into = merges.survivor_at(tag_id, review.vocabulary_version)
        explicit[into] = YES if YES in (review.explicit[tag_id], explicit.get(into)) else NO
    return replace(review, explicit=explicit)


def _meant(answer: OneTagAnswer, merges: Merges) -> int:
    """The tag that an answer to one tag alone speaks to: made after a merge, the surviving one."""
    tag_id = answer.tag_id
    while (merge := merges.by_tag.get(tag_id)) is not None and answer.at >= merge.at:
        tag_id = merge.into_id
    return tag_id


@dataclass(frozen=True)
class _Opinion:
    """What people said of a tag: the verdict with the votes behind it, those of people and those of imports."""

    verdict: str | None
    votes: list[Vote] = field(default_factory=list)
    imported: list[Vote] = field(default_factory=list)
    adjudication: Vote | None = None


@dataclass(frozen=True)
class _Said:
    """All that was said of one image."""

    reviews: Sequence[WholeReview]
    answers: Sequence[OneTagAnswer]
    merges: Merges
    implied_counts: bool

    def of(self, tag_id: int, until: Merge | None = None) -> _Opinion:
        """Of this tag up to a merge; with what was merged into it before that."""
        merged = [
            merge
            for merge in self.merges.into.get(tag_id, ())
            if until is None or merge.version < until.version
        ]
        if not merged:
            return _opinion(self._own(tag_id, None, until))
        last = merged[-1]
        before = _both(self.of(tag_id, last), self.of(last.tag_id))
        return _with_later(before, self._own(tag_id, last, until))

    def _own(self, tag_id: int, since: Merge | None, until: Merge | None) -> _Opinion:
        """What was said of the tag itself from one merge to the next; the verdict is left to the caller."""
        first, last = since.version if since else 0, until.version if until else None
        reviews = [
            review
            for review in self.reviews
            if first <= review.vocabulary_version and (last is None or review.vocabulary_version < last)
        ]
        answers = [
            answer
            for answer in self.answers
            if answer.tag_id == tag_id
            and (since is None or answer.at >= since.at)
            and (until is None or answer.at < until.at)
        ]
        people, imports = (
            rules.votes_on(
                tag_id,
                [review for review in reviews if review.imported is imported],
                [answer for answer in answers if answer.imported is imported and not answer.adjudicates],
                self.implied_counts,
            )
            for imported in (False, True)
        )
        words = [Vote(one.person, one.at, one.value, one_tag=True) for one in answers if one.adjudicates]
        last_word = max(words, key=lambda vote: vote.at, default=None)
        return _Opinion(None, people, imports, last_word)


def _opinion(said: _Opinion) -> _Opinion:
    """The verdict by the rules of voting."""
    if said.adjudication:
        return replace(said, verdict=said.adjudication.value)
    votes = said.votes or said.imported
    return replace(said, verdict=rules.count(votes) if votes else None)


def _with_later(before: _Opinion, later: _Opinion) -> _Opinion:
    """Votes from before a merge and after it. As long as nobody has spoken since, the joined verdict stands."""
    together = _Opinion(
        None,
        rules.latest_of_each([*before.votes, *later.votes]),
        rules.latest_of_each([*before.imported, *later.imported]),
        later.adjudication or before.adjudication,
    )
    imports_speak = later.imported and (not before.votes or before.verdict is None)
    spoken = later.votes or later.adjudication or imports_speak
    return _opinion(together) if spoken else replace(together, verdict=before.verdict)


def _both(one: _Opinion, other: _Opinion) -> _Opinion:
    """Two tags as one. A person's two answers become one by the rule of the verdicts; so do two last words."""
    return _Opinion(
        joined(one.verdict, other.verdict),
        _joined_votes(_final(one), _final(other)),
        _joined_votes(one.imported, other.imported),
        _joined_vote(one.adjudication, other.adjudication),
    )


def _final(said: _Opinion) -> list[Vote]:
    """The votes as a reviewer's last word left them."""
    if said.adjudication is None:
        return said.votes
    last_word = said.adjudication
    return [
        last_word,
        *(replace(vote, value=last_word.value) for vote in said.votes if vote.person != last_word.person),
    ]


def _joined_votes(ones: Sequence[Vote], others: Sequence[Vote]) -> list[Vote]:
    one_of: Mapping[int | None, Vote] = {vote.person: vote for vote in ones}
    other_of: Mapping[int | None, Vote] = {vote.person: vote for vote in others}
    found = [_joined_vote(one_of.get(who), other_of.get(who)) for who in {**one_of, **other_of}]
    return [vote for vote in found if vote is not None]


def _joined_vote(one: Vote | None, other: Vote | None) -> Vote | None:
    value = joined(one.value if one else None, other.value if other else None)
    if value is None:
        return None
    speaking = [vote for vote in (one, other) if vote and (value != YES or vote.value == YES)]
    return replace(max(speaking, key=lambda vote: vote.at), value=value)
