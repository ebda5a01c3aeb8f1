"""Merging tags and taking that back: what changes, what stays, what is refused, what later answers mean."""

import pytest

from annotations.errors import BadInput, Conflict, Refused
from annotations.models import Decision, Image, Role, TagChange
from annotations.selectors import (
    images,
    vocabulary,
)
from annotations.services import leases, tags
from annotations.types import TagSpec
from tests.annotations.surgery import all_truths, merge, tag, truth_of, undo, words_of
from tests.annotations.test_verify import answer, suggest
from tests.factories import answer_lease, make_images, make_tags, review_next


def test_a_merge_joins_the_verdicts_and_leaves_the_rows(cast, rocks):
    by_image, ids = rocks
    before = list(Decision.objects.order_by("pk").values())
    merge(cast, "cliff", "rock")
    for said, image in by_image.items():
        found = truth_of(cast, image)
        assert found.yes == ({ids["rock"]} if said else set())
        assert found.no == (set() if said else {ids["rock"]})
        assert found.implied_no == {ids["sea"]}
    assert list(Decision.objects.order_by("pk").values()) == before


def test_an_undone_merge_leaves_every_verdict_as_it_was(cast, rocks):
    before = all_truths(cast)
    merge(cast, "cliff", "rock")
    assert all_truths(cast) != before
    undo(cast, "cliff")
    assert all_truths(cast) == before


def test_the_merged_tag_is_retired_and_its_words_name_the_survivor(cast):
    tags.create_many(cast.project, [TagSpec("cliff", ["crag"]), TagSpec("rock", ["stone"])], actor=None)
    merge(cast, "cliff", "rock")
    assert tag(cast, "cliff").retired_at is not None
    assert words_of(cast, "rock") == ["cliff", "crag", "stone"]
    cliff, rock = tag(cast, "cliff").pk, tag(cast, "rock").pk
    found, unknown = vocabulary.resolve(cast.project, ["cliff", "crag", cliff, rock])
    assert (found, unknown) == ([rock] * 4, [])
    assert vocabulary.named(cast.project, "Cliff").pk == rock
    undo(cast, "rock")
    assert (words_of(cast, "rock"), words_of(cast, "cliff")) == (["stone"], ["crag"])
    assert vocabulary.resolve(cast.project, ["cliff", "crag", cliff])[0] == [cliff] * 3


def test_a_merge_may_leave_the_words_behind(cast):
    tags.create_many(cast.project, [TagSpec("cliff", ["crag"]), TagSpec("rock")], actor=None)
    merge(cast, "cliff", "rock", keep_words=False)
    assert words_of(cast, "rock") == []
    assert vocabulary.resolve(cast.project, ["cliff", "crag"])[1] == ["cliff", "crag"]
    with pytest.raises(Conflict, match="was merged into “rock”"):
        make_tags(cast.project, "cliff")
    undo(cast, "cliff")
    assert words_of(cast, "cliff") == ["crag"]


def test_children_and_hotkey_go_over_and_come_back(cast):
    make_tags(cast.project, "cliff", "rock")
    tags.update(tag(cast, "cliff"), {"hotkey": "c"}, actor=cast.manager)
    make_tags(cast.project, "chalk")
    tags.update(tag(cast, "chalk"), {"parent": "cliff"}, actor=cast.manager)
    merge(cast, "cliff", "rock")
    assert (tag(cast, "chalk").parent.name, tag(cast, "rock").hotkey, tag(cast, "cliff").hotkey) == (
        "rock",
        "c",
        None,
    )
    undo(cast, "cliff")
    assert (tag(cast, "chalk").parent.name, tag(cast, "rock").hotkey, tag(cast, "cliff").hotkey) == (
        "cliff",
        None,
        "c",
    )


def test_a_tag_is_merged_into_one_that_stood_below_it(cast):
    make_tags(cast.project, "nature", "land", "rock", "gem")
    for child, parent in (("land", "nature"), ("rock", "land"), ("gem", "land")):
        tags.update(tag(cast, child), {"parent": parent}, actor=cast.manager)
    merge(cast, "nature", "rock")
    placed = {one.name: one.parent and one.parent.name for one in cast.project.tags.all()}
    assert placed == {"nature": None, "rock": None, "land": "rock", "gem": "land"}
    undo(cast, "nature")
    placed = {one.name: one.parent and one.parent.name for one in cast.project.tags.all()}
    assert placed == {"nature": None, "land": "nature", "rock": "land", "gem": "land"}


def test_a_merge_of_what_cannot_be_merged_is_refused_and_changes_nothing(cast):
    make_tags(cast.project, "cliff", "rock", "sea")
    with pytest.raises(BadInput) as itself:
        merge(cast, "rock", "rock")
    tags.retire(tag(cast, "sea"), actor=cast.manager)
    with pytest.raises(Conflict) as retired:
        merge(cast, "rock", "sea")
    merge(cast, "cliff", "rock")
    with pytest.raises(Conflict) as again:
        merge(cast, "cliff", "rock")
    codes = [caught.value.code for caught in (itself, retired, again)]
    assert codes == ["merge_into_itself", "already_retired", "is_merged"]
    assert tag(cast, "rock").retired_at is None


@pytest.mark.parametrize("change", ["edit", "retire", "revive"])
def test_a_merged_tag_is_left_alone_until_the_merge_is_taken_back(cast, change):
    make_tags(cast.project, "cliff", "rock")
    merge(cast, "cliff", "rock")
    act = {
        "edit": lambda one: tags.update(one, {"name": "crag"}, actor=cast.manager),
        "retire": lambda one: tags.retire(one, actor=cast.manager),
        "revive": lambda one: tags.revive(one, actor=cast.manager),
    }[change]
    with pytest.raises(Conflict) as refused:
        act(tag(cast, "cliff"))
    assert refused.value.code in ("is_merged", "already_retired")
    assert tag(cast, "cliff").name == "cliff"


def test_answers_after_a_merge_speak_to_the_surviving_tag(cast, rocks):
    by_image, ids = rocks
    merge(cast, "cliff", "rock")
    image = by_image[("cliff",)]
    answer(cast, "rock", no=[image])
    assert ids["rock"] in truth_of(cast, image).no
    (fresh,) = make_images(cast.project, 1, first=50)
    review_next(cast, cast.annotator, yes=())
    assert truth_of(cast, fresh).implied_no == {ids["rock"], ids["sea"]}


def test_what_was_handed_out_before_the_merge_is_answered_for_both(cast):
    ids = make_tags(cast.project, "cliff", "rock")
    make_images(cast.project, 2)
    held = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR, count=2)
    merge(cast, "cliff", "rock")
    for lease, said in zip(held, ((ids["cliff"],), ()), strict=True):
        answer_lease(cast, cast.annotator, lease, yes=said)
    first, second = (truth_of(cast, lease.image) for lease in held)
    assert (first.yes, second.implied_no) == ({ids["rock"]}, {ids["rock"]})
    undo(cast, "cliff")
    first, second = (truth_of(cast, lease.image) for lease in held)
    assert (first.yes, first.implied_no) == ({ids["cliff"]}, {ids["rock"]})
    assert second.implied_no == {ids["cliff"], ids["rock"]}


def test_the_name_of_a_merged_tag_sent_with_an_earlier_lease_is_kept_as_it_was_said(cast):
    ids = make_tags(cast.project, "cliff", "rock")
    make_images(cast.project, 1)
    lease = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR, count=1)[0]
    merge(cast, "cliff", "rock")
    answer_lease(cast, cast.annotator, lease, yes=("cliff",))
    assert Decision.objects.get().tag_id == ids["cliff"]
    assert truth_of(cast, lease.image).yes == {ids["rock"]}


def test_the_id_of_a_merged_tag_sent_with_a_later_lease_names_the_survivor(cast):
    ids = make_tags(cast.project, "cliff", "rock")
    make_images(cast.project, 1)
    merge(cast, "cliff", "rock")
    image = review_next(cast, cast.annotator, yes=(ids["cliff"],)).review.image
    assert Decision.objects.get().tag_id == ids["rock"]
    assert truth_of(cast, image).yes == {ids["rock"]}


def test_suggestions_from_before_a_merge_are_shown_of_the_survivor_once(cast):
    ids = make_tags(cast.project, "cliff", "rock", "sea")
    (image,) = make_images(cast.project, 1)
    suggest(cast.project, {image: {ids["cliff"]: 0.9, ids["rock"]: 0.4, ids["sea"]: 0.3}})
    merge(cast, "cliff", "rock")
    shown = images.suggestions(cast.project, Image.objects.get(pk=image.pk))
    assert [(one["tag"]["name"], one["score"], one["offered"]) for one in shown] == [
        ("rock", 0.9, True),
        ("sea", 0.3, False),
    ]


def test_a_chain_of_merges_and_its_undoing_step_by_step(cast, rocks):
    by_image, ids = rocks
    states = [all_truths(cast)]
    merge(cast, "cliff", "rock")
    states.append(all_truths(cast))
    merge(cast, "rock", "sea")
    for said, image in by_image.items():
        assert truth_of(cast, image).yes == ({ids["sea"]} if said else set())
    assert vocabulary.resolve(cast.project, ["cliff", ids["cliff"]])[0] == [ids["sea"]] * 2
    with pytest.raises(Conflict) as refused:
        undo(cast, "cliff")
    assert refused.value.code == "changed_since" and "merge of “rock”" in refused.value.message
    undo(cast, "sea")
    assert all_truths(cast) == states[1]
    undo(cast, "rock")
    assert all_truths(cast) == states[0]
    with pytest.raises(Refused) as nothing:
        undo(cast, "rock")
    assert nothing.value.code == "nothing_to_undo"


def test_only_the_latest_change_of_a_tag_is_taken_back(cast):
    make_tags(cast.project, "cliff", "rock")
    merge(cast, "cliff", "rock")
    tags.update(tag(cast, "rock"), {"name": "boulder"}, actor=cast.manager)
    with pytest.raises(Conflict) as refused:
        undo(cast, "cliff")
    assert refused.value.fields["tag"] == tag(cast, "boulder").pk
    assert undo(cast, "boulder").name == "rock"
    undo(cast, "cliff")
    assert tag(cast, "cliff").retired_at is None


def test_a_second_merge_after_an_undo_starts_from_what_was_asked_until_then(cast, rocks):
    _, ids = rocks
    merge(cast, "cliff", "rock")
    undo(cast, "cliff")
    merge(cast, "cliff", "rock")
    joined_again = all_truths(cast)
    assert {pk: ids["rock"] in one.yes for pk, one in joined_again.items()} == {
        image.pk: bool(said) for said, image in rocks[0].items()
    }
    undo(cast, "cliff")
    assert TagChange.objects.filter(undone_at=None).count() == 0


def test_on_images_reviewed_between_a_merge_and_its_undo_the_tag_is_not_asked(cast, rocks):
    _, ids = rocks
    merge(cast, "cliff", "rock")
    (fresh,) = make_images(cast.project, 1, first=50)
    review_next(cast, cast.annotator, yes=("rock",))
    undo(cast, "cliff")
    found = truth_of(cast, fresh)
    assert (found.yes, found.implied_no) == ({ids["rock"]}, {ids["sea"]})
