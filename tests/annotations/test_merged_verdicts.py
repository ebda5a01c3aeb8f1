"""Rule 9, as a table over the pure rules: what two tags' verdicts become, and how later answers count beside them."""

from datetime import UTC, datetime, timedelta

import pytest

from annotations.selectors import verdicts as rules
from annotations.selectors.merged_verdicts import Merge, Merges, joined, of_tags
from annotations.selectors.verdicts import DISPUTED, IMPLIED_NO, NO, YES, OneTagAnswer, WholeReview

CLIFF, ROCK, STONE = 1, 2, 3
START = datetime(2026, 1, 1, tzinfo=UTC)
MERGED_AT = 10
NAMES = {"cliff": CLIFF, "rock": ROCK, "stone": STONE}
MERGES = Merges([Merge(CLIFF, ROCK, version=MERGED_AT, at=START + timedelta(hours=MERGED_AT))])
CHAIN = Merges([*MERGES.in_order, Merge(ROCK, STONE, version=20, at=START + timedelta(hours=20))])


def review(person, hour, asked=("cliff", "rock"), imported=False, handed_out=None, **explicit):
    """In these tables the vocabulary version is the hour in which the image was handed out."""
    return WholeReview(
        person=person,
        at=START + timedelta(hours=hour),
        asked=frozenset(NAMES[name] for name in asked),
        explicit={NAMES[name]: value for name, value in explicit.items()},
        imported=imported,
        vocabulary_version=hour if handed_out is None else handed_out,
    )


def one_tag(person, hour, name, value, adjudicates=False, imported=False):
    return OneTagAnswer(
        person=person,
        at=START + timedelta(hours=hour),
        tag_id=NAMES[name],
        value=value,
        adjudicates=adjudicates,
        imported=imported,
    )


def verdicts(reviews=(), answers=(), merges=MERGES, implied_counts=True):
    return of_tags(list(reviews), list(answers), merges, implied_counts=implied_counts)


PAIRS = [
    (YES, YES, YES),
    (YES, NO, YES),
    (YES, IMPLIED_NO, YES),
    (YES, DISPUTED, YES),
    (YES, None, YES),
    (NO, NO, NO),
    (NO, IMPLIED_NO, NO),
    (IMPLIED_NO, IMPLIED_NO, IMPLIED_NO),
    (NO, None, None),
    (IMPLIED_NO, None, None),
    (DISPUTED, DISPUTED, DISPUTED),
    (DISPUTED, NO, DISPUTED),
    (DISPUTED, None, DISPUTED),
    (None, None, None),
]
# How a verdict comes about with two people who both review the image, and what each says explicitly.
SAID = {
    YES: ((True, "yes"), (True, "yes")),
    NO: ((True, "no"), (True, "no")),
    IMPLIED_NO: ((True, None), (True, None)),
    DISPUTED: ((True, "yes"), (True, "no")),
    None: ((False, None), (False, None)),
}


@pytest.mark.parametrize(("one", "other", "expected"), PAIRS)
def test_two_verdicts_become_one_whichever_stands_first(one, other, expected):
    assert joined(one, other) == joined(other, one) == expected


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("one", "other", "expected"), PAIRS)
def test_the_verdicts_of_two_reviews_are_joined(one, other, expected, turned):
    cliff, rock = (other, one) if turned else (one, other)
    reviews = []
    for person in (0, 1):
        said = {"cliff": SAID[cliff][person], "rock": SAID[rock][person]}
        asked = [name for name, (is_asked, _) in said.items() if is_asked]
        explicit = {name: value for name, (_, value) in said.items() if value}
        reviews.append(review(person, person, asked, **explicit))
    before = rules.of_tags(reviews, [], implied_counts=True)
    assert (before.get(CLIFF), before.get(ROCK)) == (cliff, rock)
    after = verdicts(reviews)
    assert after == ({ROCK: expected} if expected else {})


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("one", "other", "expected"), [pair for pair in PAIRS if DISPUTED not in pair])
def test_the_short_way_for_one_review_says_the_same(one, other, expected, turned):
    cliff, rock = (other, one) if turned else (one, other)
    said = {"cliff": SAID[cliff][0], "rock": SAID[rock][0]}
    asked = [name for name, (is_asked, _) in said.items() if is_asked]
    only = [review(1, 0, asked, **{name: value for name, (_, value) in said.items() if value})]
    assert verdicts(only) == ({ROCK: expected} if expected else {})
    beside = one_tag(9, -1, "stone", "yes")  # an answer to another tag: the votes are counted
    assert verdicts(only, [beside]).get(ROCK) == expected


CASES = {
    "before: an outvoted yes is no verdict of yes": (
        [review(1, 0, cliff="yes"), review(2, 0), review(3, 0)],
        [],
        IMPLIED_NO,
    ),
    "before: two majorities of no stay no, though two people said yes somewhere": (
        [review(1, 0, cliff="yes"), review(2, 0, rock="yes"), review(3, 0)],
        [],
        IMPLIED_NO,
    ),
    "before: a yes of one person to the one tag and of another to the other": (
        [review(1, 0, ("cliff",), cliff="yes"), review(2, 1, ("rock",), rock="no")],
        [],
        YES,
    ),
    "before: a no to each from different people is a no": (
        [review(1, 0, ("cliff",), cliff="no"), review(2, 1, ("rock",))],
        [],
        NO,
    ),
    "before: an imported yes counts": ([], [one_tag(None, 0, "cliff", "yes", imported=True)], YES),
    "before: an answer to one tag outranks the reviews of that tag alone": (
        [review(1, 0, cliff="yes")],
        [one_tag(2, 1, "cliff", "no")],
        NO,
    ),
    "before: an adjudication of one tag says nothing final of both": (
        [review(1, 0, rock="yes")],
        [one_tag(2, 1, "cliff", "no", adjudicates=True)],
        YES,
    ),
    "after: a review made after the merge is asked the surviving tag": (
        [review(1, 11, ("rock",))],
        [],
        IMPLIED_NO,
    ),
    "after: the same person's later no replaces the yes from before": (
        [review(1, 0, cliff="yes"), review(1, 11, ("rock",))],
        [],
        IMPLIED_NO,
    ),
    "after: another person's no against a yes from before is a dispute": (
        [review(1, 0, cliff="yes"), review(2, 11, ("rock",))],
        [],
        DISPUTED,
    ),
    "after: a person's no to both tags counts once against two later yes's": (
        [review(1, 0), review(2, 11, ("rock",), rock="yes"), review(3, 12, ("rock",), rock="yes")],
        [],
        YES,
    ),
    "after: who was asked one tag alone and said no has no vote on both": (
        [review(1, 0, ("cliff",)), review(2, 11, ("rock",), rock="yes")],
        [],
        YES,
    ),
    "after: a one-tag answer outranks what was joined": (
        [review(1, 0, cliff="yes"), review(2, 0, cliff="yes")],
        [one_tag(3, 11, "rock", "no")],
        NO,
    ),
    "after: a not-asked image is answered by a later no": (
        [review(1, 0, ("cliff",))],
        [one_tag(2, 11, "rock", "no")],
        NO,
    ),
    "after: an import changes nothing that people said": (
        [review(1, 0)],
        [one_tag(None, 11, "rock", "yes", imported=True)],
        IMPLIED_NO,
    ),
    "after: an import speaks where nobody was asked": (
        [review(1, 0, ("rock",))],
        [one_tag(None, 11, "rock", "yes", imported=True)],
        YES,
    ),
    "after: a reviewer's last word on both outranks later reviews": (
        [review(9, 12, ("rock",))],
        [one_tag(1, 1, "cliff", "yes", adjudicates=True)],
        YES,
    ),
    "after: a later last word outranks the earlier one": (
        [],
        [one_tag(1, 1, "cliff", "yes", adjudicates=True), one_tag(2, 11, "rock", "no", adjudicates=True)],
        NO,
    ),
    "late: handed out before the merge, both tags were asked": (
        [review(1, 11, cliff="yes", handed_out=9)],
        [],
        YES,
    ),
    "late: and a no to both is a no": ([review(1, 11, cliff="no", handed_out=9)], [], NO),
    "late: handed out after it, an answer to the merged tag is one to the survivor": (
        [review(1, 11, ("rock",), cliff="yes")],
        [],
        YES,
    ),
    "late: a one-tag answer to the merged tag made after the merge speaks to the survivor": (
        [review(1, 0, rock="yes")],
        [one_tag(2, 11, "cliff", "no")],
        NO,
    ),
}


@pytest.mark.parametrize(("reviews", "answers", "expected"), CASES.values(), ids=CASES.keys())
def test_what_people_said_of_the_rock(reviews, answers, expected):
    assert verdicts(reviews, answers) == ({ROCK: expected} if expected else {})


CHAINS = {
    "yes to the first": ([review(1, 0, ("cliff", "rock", "stone"), cliff="yes")], YES),
    "no to all three": ([review(1, 0, ("cliff", "rock", "stone"))], IMPLIED_NO),
    "one of the three not asked": ([review(1, 0, ("cliff", "stone"))], None),
    "between the merges two tags are asked": ([review(1, 15, ("rock", "stone"), rock="yes")], YES),
    "and a no to both is one": ([review(1, 15, ("rock", "stone"), rock="no")], NO),
    "after both the last alone": ([review(1, 25, ("stone",))], IMPLIED_NO),
    "two people, one before and one between": (
        [review(1, 0, ("cliff", "rock", "stone"), cliff="yes"), review(2, 15, ("rock", "stone"))],
        DISPUTED,
    ),
    "the same person changes their mind between": (
        [review(1, 0, ("cliff", "rock", "stone"), cliff="yes"), review(1, 15, ("rock", "stone"))],
        IMPLIED_NO,
    ),
}


@pytest.mark.parametrize(("reviews", "expected"), CHAINS.values(), ids=CHAINS.keys())
def test_a_chain_of_merges(reviews, expected):
    assert verdicts(reviews, merges=CHAIN) == ({STONE: expected} if expected else {})


def test_other_tags_keep_their_verdicts():
    both = ("cliff", "rock", "stone")
    reviews = [review(1, 0, both, stone="yes"), review(2, 0, both, stone="yes", cliff="no")]
    assert verdicts(reviews) == {ROCK: NO, STONE: YES}


def test_where_the_unmarked_is_unknown_only_explicit_answers_are_joined():
    reviews = [review(1, 0, cliff="no")]
    assert verdicts(reviews, implied_counts=False) == {}
    assert verdicts([review(1, 0, cliff="no", rock="no")], implied_counts=False) == {ROCK: NO}


def test_without_merges_the_rules_are_what_they_were():
    reviews, answers = [review(1, 0, cliff="yes"), review(2, 0)], [one_tag(3, 5, "rock", "no")]
    found = of_tags(reviews, answers, Merges(), implied_counts=True)
    assert found == rules.of_tags(reviews, answers, implied_counts=True)
