"""Who gave which answer to a tag: reviews that were asked, answers to the tag alone, and what was merged into it."""

import pytest

from annotations.models import Project, Tag
from annotations.selectors import said
from annotations.services import tag_answers, tag_merges, tags
from tests.factories import make_images, make_tags, review_by_two


@pytest.fixture
def image(cast):
    make_tags(cast.project, "dog", "lake")
    image = make_images(cast.project, 1)[0]
    review_by_two(cast, image, ["dog"], [])
    return image


def told(cast, image, name):
    tag_id = Tag.objects.get(project=cast.project, name=name).pk
    found = said.of_pairs(cast.project.pk, [(image.pk, tag_id)])[image.pk, tag_id]
    return [(one.person, one.value, one.alone) for one in found]


def make_later(cast, name):
    tag = tags.create_many(cast.project, [tags.TagSpec(name=name)], actor=None)[0]
    cast.project.refresh_from_db()
    return tag


def test_the_newest_comes_first_and_a_review_without_the_tag_implies_no(cast, image):
    tag_answers.answer(cast.project, image, "dog", "no", actor=cast.reviewer)

    assert told(cast, image, "dog") == [
        ("reviewer", "no", True),
        ("second", "implied", False),
        ("annotator", "yes", False),
    ]


def test_who_reviewed_before_there_was_the_tag_said_nothing_of_it(cast, image):
    make_later(cast, "boat")
    tag_answers.answer(cast.project, image, "boat", "yes", actor=cast.reviewer)

    assert told(cast, image, "boat") == [("reviewer", "yes", True)]


def test_where_the_unmarked_is_unknown_nothing_is_implied(cast, image):
    Project.objects.filter(pk=cast.project.pk).update(unmarked=Project.Unmarked.UNKNOWN)

    assert told(cast, image, "dog") == [("annotator", "yes", False)]


def test_what_was_said_of_a_merged_tag_is_said_of_the_one_that_is_left(cast):
    make_tags(cast.project, "dog", "hound")
    image = make_images(cast.project, 1)[0]
    review_by_two(cast, image, ["hound"], ["dog"])
    hound, dog = (Tag.objects.get(project=cast.project, name=name) for name in ("hound", "dog"))
    tag_merges.merge(hound, dog, actor=cast.manager)

    assert told(cast, image, "dog") == [("second", "yes", False), ("annotator", "yes", False)]
