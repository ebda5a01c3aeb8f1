"""Splitting tags and taking that back."""

import pytest

from annotations.errors import BadInput, Conflict
from annotations.selectors import (
    vocabulary,
)
from annotations.services import tag_splits, tags
from annotations.types import TagSpec
from tests.annotations.surgery import all_truths, split, tag, truth_of, undo, words_of
from tests.factories import make_images, review_next


def test_the_parts_of_a_split_are_not_asked_and_the_tag_keeps_its_verdicts(cast, rocks):
    _, ids = rocks
    before = all_truths(cast)
    parts = split(cast, "rock", "boulder", "pebble")
    assert all_truths(cast) == before
    assert [part.split_from_id for part in parts] == [ids["rock"]] * 2
    (fresh,) = make_images(cast.project, 1, first=50)
    review_next(cast, cast.annotator, yes=("pebble",))
    found = truth_of(cast, fresh)
    assert (
        found.yes == {parts[1].pk} and parts[0].pk in found.implied_no and ids["rock"] not in found.implied_no
    )
    assert vocabulary.resolve(cast.project, ["rock"])[1] == ["rock"]


def test_an_undone_split_brings_the_tag_back_and_a_second_one_takes_the_parts_up_again(cast, rocks):
    before = all_truths(cast)
    first = split(cast, "rock", "boulder", "pebble")
    undo(cast, "pebble")
    assert tag(cast, "rock").retired_at is None
    assert {one.name for one in vocabulary.active_tags(cast.project)} == {"cliff", "rock", "sea"}
    assert all_truths(cast) == before
    again = split(cast, "rock", "boulder", "gravel")
    assert again[0].pk == first[0].pk and again[1].name == "gravel"


def test_parts_take_aliases_over_and_stand_where_the_tag_stood(cast):
    specs = [TagSpec("land"), TagSpec("rock", ["stone", "crag"], parent="land")]
    tags.create_many(cast.project, specs, actor=None)
    wanted = [TagSpec("boulder", ["crag"]), TagSpec("pebble")]
    parts = tag_splits.split(tag(cast, "rock"), wanted, actor=cast.manager)
    assert [part.parent.name for part in parts] == ["land", "land"]
    assert (words_of(cast, "boulder"), words_of(cast, "rock")) == (["crag"], ["stone"])
    undo(cast, "rock")
    assert (words_of(cast, "boulder"), words_of(cast, "rock")) == ([], ["crag", "stone"])


@pytest.mark.parametrize(
    ("into", "code"),
    [
        (("boulder",), "bad_split"),
        (("boulder", "Boulder"), "bad_split"),
        (("boulder", "sea"), "tag_exists"),
        (("rock", "pebble"), "tag_exists"),
        (("boulder", " "), "empty_name"),
    ],
)
def test_a_bad_split_is_refused_and_changes_nothing(cast, rocks, into, code):
    with pytest.raises((BadInput, Conflict)) as refused:
        split(cast, "rock", *into)
    assert refused.value.code == code
    assert cast.project.tags.count() == 3 and tag(cast, "rock").retired_at is None


def test_a_tag_that_was_split_comes_back_by_undo_alone(cast, rocks):
    split(cast, "rock", "boulder", "pebble")
    with pytest.raises(Conflict) as refused:
        tags.revive(tag(cast, "rock"), actor=cast.manager)
    assert refused.value.code == "is_split"
