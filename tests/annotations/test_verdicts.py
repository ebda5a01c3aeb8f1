"""What a review says, rule by rule, as a table over the pure rules."""

from datetime import UTC, datetime, timedelta

import pytest

from annotations.selectors.verdicts import OneTagAnswer, WholeReview, derive

DOG, CAT, BOAT = 1, 2, 3
START = datetime(2026, 1, 1, tzinfo=UTC)


def review(person, hour, asked=(DOG, CAT, BOAT), imported=False, **explicit):
    names = {"dog": DOG, "cat": CAT, "boat": BOAT}
    return WholeReview(
        person=person,
        at=START + timedelta(hours=hour),
        asked=frozenset(asked),
        explicit={names[name]: value for name, value in explicit.items()},
        imported=imported,
    )


def one_tag(person, hour, value, tag_id=DOG, adjudicates=False, imported=False):
    return OneTagAnswer(
        person=person,
        at=START + timedelta(hours=hour),
        tag_id=tag_id,
        value=value,
        adjudicates=adjudicates,
        imported=imported,
    )


CASES = {
    "1: tags sent are yes": ([review(1, 0, dog="yes")], [], "yes"),
    "1: offered and not sent is an explicit no": ([review(1, 0, dog="no")], [], "no"),
    "1: every other active tag is an implied no": ([review(1, 0)], [], "implied"),
    "2: a tag created later is not asked": ([review(1, 0, asked=(CAT,))], [], None),
    "2: a tag that was inactive may still be answered explicitly": (
        [review(1, 0, asked=(CAT,), dog="yes")],
        [],
        "yes",
    ),
    "4: a decision on one tag answers that tag": ([], [one_tag(1, 0, "no")], "no"),
    "4: and no other": ([], [one_tag(1, 0, "no", tag_id=CAT)], None),
    "6: an imported tag is yes": ([], [one_tag(1, 0, "yes", imported=True)], "yes"),
    "6: a complete import answers like a review": ([review(1, 0, imported=True)], [], "implied"),
    "6: a person's answer outranks an import": (
        [review(2, 1)],
        [one_tag(1, 0, "yes", imported=True)],
        "implied",
    ),
    "6: even an import made later": ([review(2, 0)], [one_tag(1, 5, "yes", imported=True)], "implied"),
    "7: a later review by the same person replaces the earlier": (
        [review(1, 0, dog="yes"), review(1, 1, dog="no")],
        [],
        "no",
    ),
    "7: only for the tags that it answers": (
        [review(1, 0, dog="yes"), review(1, 1, asked=(CAT,))],
        [],
        "yes",
    ),
    "7: a later review replaces the person's one-tag answer": (
        [review(1, 1, dog="no")],
        [one_tag(1, 0, "yes")],
        "no",
    ),
    "8: majority wins": (
        [review(1, 0, dog="yes"), review(2, 0, dog="yes"), review(3, 0, dog="no")],
        [],
        "yes",
    ),
    "8: a tie is disputed": ([review(1, 0, dog="yes"), review(2, 0, dog="no")], [], "disputed"),
    "8: an implied no is a vote": ([review(1, 0, dog="yes"), review(2, 0)], [], "disputed"),
    "8: no's that are all implied stay implied": ([review(1, 0), review(2, 1)], [], "implied"),
    "8: one explicit no among them makes it explicit": ([review(1, 0), review(2, 1, dog="no")], [], "no"),
    "8: a one-tag answer after the reviews outranks them": (
        [review(1, 0, dog="yes"), review(2, 0, dog="yes")],
        [one_tag(3, 1, "no")],
        "no",
    ),
    "8: one made before them is a vote": (
        [review(1, 1, dog="yes"), review(2, 1, dog="yes")],
        [one_tag(3, 0, "no")],
        "yes",
    ),
    "8: two of those that differ are disputed": (
        [review(1, 0, dog="yes")],
        [one_tag(2, 1, "no"), one_tag(3, 2, "yes")],
        "disputed",
    ),
    "8: the same person's second one-tag answer replaces the first": (
        [],
        [one_tag(2, 1, "no"), one_tag(2, 2, "yes")],
        "yes",
    ),
    "8: an adjudication outranks all": (
        [review(1, 0, dog="yes")],
        [one_tag(2, 1, "yes"), one_tag(3, 0, "no", adjudicates=True)],
        "no",
    ),
}


@pytest.mark.parametrize(("reviews", "answers", "expected"), CASES.values(), ids=CASES.keys())
def test_what_people_said_of_the_dog(reviews, answers, expected):
    truth = derive(7, reviews, answers, implied_counts=True)
    found = {
        "yes": DOG in truth.yes,
        "no": DOG in truth.no,
        "implied": DOG in truth.implied_no,
        "disputed": DOG in truth.disputed,
    }
    assert [verdict for verdict, is_in in found.items() if is_in] == ([expected] if expected else [])


def test_rule_10_implied_noes_are_dropped_where_the_unmarked_is_unknown():
    truth = derive(7, [review(1, 0, dog="yes", cat="no"), review(2, 1, dog="yes")], [], implied_counts=False)
    assert (truth.yes, truth.no, truth.implied_no) == ({DOG}, {CAT}, frozenset())


def test_the_short_way_for_one_review_agrees_with_counting_votes():
    alone = [review(1, 0, dog="yes", cat="no")]
    counted = derive(7, alone, [one_tag(9, -1, "yes", imported=True)], implied_counts=True)
    assert derive(7, alone, [], implied_counts=True) == counted
