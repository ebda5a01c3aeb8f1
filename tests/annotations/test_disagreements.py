"""What a reviewer is shown of disagreements, and the last word: who said what, in which order, and what is refused."""

import pytest

from annotations.errors import BadInput, Conflict, NotFound
from annotations.models import Image, Tag
from annotations.selectors import disagreements
from annotations.services import adjudication, tag_answers, tag_merges, tags
from tests.factories import make_images, make_tags, review_by_two


@pytest.fixture
def tag_ids(cast):
    return make_tags(cast.project, "dog", "lake", "tree")


@pytest.fixture
def images(cast, tag_ids):
    """Two disputed ones, on lake and dog and on tree; the third beyond dispute."""
    first, second, third = make_images(cast.project, 3)
    review_by_two(cast, first, ["dog", "tree"], ["lake", "tree"])
    review_by_two(cast, second, ["tree"], [])
    review_by_two(cast, third, ["dog"], ["dog"])
    return first, second, third


def listed(cast, **asked):
    shown, more = disagreements.page(cast.project, **({"limit": 10} | asked))
    return [(one.image.pk, [other.tag.name for other in one.disagreements]) for one in shown], more


def sides(one):
    return ([said.person for said in one.yes], [(said.person, said.value) for said in one.no])


def test_each_tag_in_dispute_is_told_with_who_said_yes_and_who_no(cast, images):
    shown, more = disagreements.page(cast.project, limit=10)

    assert more is None
    (first, second) = shown
    assert (first.image.pk, [tag.name for tag in first.agreed]) == (images[0].pk, ["tree"])
    dog, lake = first.disagreements
    assert (dog.tag.name, lake.tag.name) == ("dog", "lake")
    assert sides(dog) == (["annotator"], [("second", "implied")])
    assert sides(lake) == (["second"], [("annotator", "implied")])
    assert sides(second.disagreements[0]) == (["annotator"], [("second", "implied")])
    assert disagreements.count(cast.project) == 2
    assert [tag.name for tag in disagreements.tags(cast.project)] == ["dog", "lake", "tree"]


def test_the_list_can_be_of_one_tag_and_tells_all_of_its_images(cast, images, tag_ids):
    tag = Tag.objects.get(pk=tag_ids["dog"])

    assert listed(cast, tag=tag) == ([(images[0].pk, ["dog", "lake"])], None)


def test_a_tag_beyond_dispute_on_disputed_images_lists_none_of_them(cast, images, tag_ids):
    adjudication.settle(cast.project, images[1].pk, tag_ids["tree"], "yes", actor=cast.reviewer)

    assert listed(cast, tag=Tag.objects.get(pk=tag_ids["tree"])) == ([], None)


def test_pages_follow_each_other_however_little_is_read_at_once(cast, images, tag_ids, monkeypatch):
    for image in make_images(cast.project, 3, first=10):
        review_by_two(cast, image, ["lake"], [])
    monkeypatch.setattr(disagreements, "READ_AT_ONCE", 2)
    tag = Tag.objects.get(pk=tag_ids["lake"])
    found, after = [], 0
    while after is not None:
        page, after = listed(cast, tag=tag, after=after, limit=1)
        assert len(page) == 1
        found += [image_id for image_id, _ in page]

    assert len(found) == 4
    assert found == sorted(found)


def test_a_later_answer_of_a_person_stands_for_the_one_before(cast, images, tag_ids):
    """Both have a second look: they changed sides, and still disagree."""
    for who, value in ((cast.annotator, "no"), (cast.second, "yes")):
        tag_answers.answer(cast.project, images[1], "tree", value, actor=who)

    shown, _ = disagreements.page(cast.project, tag=Tag.objects.get(pk=tag_ids["tree"]), limit=5)

    (one,) = shown[0].disagreements
    assert sides(one) == (["second"], [("annotator", "no")])
    assert all(said.alone for said in one.said)


def test_who_was_not_asked_is_on_no_side(cast, tag_ids):
    """A tag made after the first review: two people disagree on it later, the first reviewer has no part in it."""
    image = make_images(cast.project, 1)[0]
    review_by_two(cast, image, [], [])
    tags.create_many(cast.project, [tags.TagSpec(name="boat")], actor=None)
    cast.project.refresh_from_db()
    for who, value in ((cast.reviewer, "yes"), (cast.manager, "no")):
        tag_answers.answer(cast.project, image, "boat", value, actor=who)

    shown, _ = disagreements.page(cast.project, limit=5)

    assert sides(shown[0].disagreements[0]) == (["reviewer"], [("manager", "no")])


def test_what_was_said_of_a_merged_tag_counts_for_the_one_that_is_left(cast, tag_ids):
    image = make_images(cast.project, 1)[0]
    hound = tags.create_many(cast.project, [tags.TagSpec(name="hound")], actor=None)[0]
    cast.project.refresh_from_db()
    review_by_two(cast, image, ["hound"], [])
    tag_merges.merge(hound, Tag.objects.get(pk=tag_ids["dog"]), actor=cast.manager)
    cast.project.refresh_from_db()

    shown, _ = disagreements.page(cast.project, tag=Tag.objects.get(pk=tag_ids["dog"]), limit=5)

    (one,) = shown[0].disagreements
    assert one.tag.name == "dog"
    assert sides(one) == (["annotator"], [("second", "implied")])
    adjudication.settle(cast.project, image.pk, tag_ids["dog"], "no", actor=cast.reviewer)
    assert listed(cast) == ([], None)


def test_images_in_the_trash_are_left_out(cast, images):
    Image.objects.filter(pk=images[0].pk).update(deleted_at=images[0].created_at)

    assert [image_id for image_id, _ in listed(cast)[0]] == [images[1].pk]
    assert disagreements.count(cast.project) == 1


def test_queries_do_not_grow_with_the_images_on_a_page(cast, images, django_assert_max_num_queries):
    for image in make_images(cast.project, 8, first=10):
        review_by_two(cast, image, ["lake"], [])

    with django_assert_max_num_queries(12):
        shown, _ = disagreements.page(cast.project, limit=10)
    assert len(shown) == 10


def test_the_last_word_settles_one_tag_and_the_image_with_the_last_of_them(cast, images, tag_ids):
    first = images[0]
    adjudication.settle(cast.project, first.pk, tag_ids["dog"], "yes", actor=cast.reviewer)
    assert listed(cast)[0][0] == (first.pk, ["lake"])

    word = adjudication.settle(cast.project, first.pk, tag_ids["lake"], "no", actor=cast.reviewer)
    assert word.image.state == Image.State.REVIEWED
    assert [image_id for image_id, _ in listed(cast)[0]] == [images[1].pk]

    adjudication.undo(cast.project, word.pk, actor=cast.manager)
    assert listed(cast)[0][0] == (first.pk, ["lake"])
    with pytest.raises(Conflict):
        adjudication.undo(cast.project, word.pk, actor=cast.manager)


def test_a_retired_tag_is_settled_too(cast, images, tag_ids):
    tags.retire(Tag.objects.get(pk=tag_ids["tree"]), actor=cast.manager)
    cast.project.refresh_from_db()

    word = adjudication.settle(cast.project, images[1].pk, tag_ids["tree"], "yes", actor=cast.reviewer)

    assert word.image.state == Image.State.REVIEWED


def test_the_second_of_two_reviewers_is_told(cast, images, tag_ids):
    adjudication.settle(cast.project, images[1].pk, tag_ids["tree"], "yes", actor=cast.reviewer)

    with pytest.raises(Conflict, match=r"Nobody disagrees on “tree” here any more"):
        adjudication.settle(cast.project, images[1].pk, tag_ids["tree"], "no", actor=cast.manager)


def test_what_makes_no_sense_is_refused(cast, images, tag_ids):
    tag_id = tag_ids["tree"]
    with pytest.raises(BadInput):
        adjudication.settle(cast.project, images[1].pk, tag_id, "maybe", actor=cast.reviewer)
    for image_id, other in ((0, tag_id), (images[1].pk, 0)):
        with pytest.raises(NotFound):
            adjudication.settle(cast.project, image_id, other, "yes", actor=cast.reviewer)
    alone = tag_answers.answer(cast.project, images[2], "dog", "yes", actor=cast.reviewer)
    with pytest.raises(NotFound):
        adjudication.undo(cast.project, alone.pk, actor=cast.reviewer)
