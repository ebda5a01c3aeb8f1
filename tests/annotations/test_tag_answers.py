"""Answers to one tag alone: which of them has the last word."""

import pytest

from annotations.models import Tag
from annotations.selectors import truth
from annotations.services import tag_answers, tag_merges
from tests.factories import make_images, make_tags


@pytest.fixture
def image(cast):
    make_tags(cast.project, "dog", "hound")
    return make_images(cast.project, 1)[0]


def say(cast, image, value, *, who, word="dog", scope=tag_answers.ALONE):
    return tag_answers.answer(cast.project, image, word, value, actor=who, scope=scope)


def said_now(cast, image):
    """Names with a yes, and names that are disputed."""
    cast.project.refresh_from_db()
    found = truth.verdicts(cast.project, [image.pk])[image.pk]
    names = dict(cast.project.tags.values_list("pk", "name"))
    return {names[pk] for pk in found.yes}, {names[pk] for pk in found.disputed}


def test_a_last_word_settles_what_two_people_said(cast, image):
    say(cast, image, "no", who=cast.reviewer)
    say(cast, image, "yes", who=cast.manager)
    assert said_now(cast, image) == (set(), {"dog"})

    word = say(cast, image, "yes", who=cast.reviewer, scope=tag_answers.LAST_WORD)

    assert said_now(cast, image) == ({"dog"}, set())
    tag_answers.take_back(cast.project, word.pk, actor=cast.reviewer)
    assert said_now(cast, image) == (set(), {"dog"})


def test_an_answer_to_what_has_a_last_word_is_one_itself(cast, image):
    say(cast, image, "yes", who=cast.reviewer, scope=tag_answers.LAST_WORD)

    later = say(cast, image, "no", who=cast.manager)
    other = say(cast, image, "yes", who=cast.manager, word="hound")

    assert (later.scope, other.scope) == ("adjudicate", "tag")
    assert said_now(cast, image) == ({"hound"}, set())


def test_so_is_one_to_the_tag_that_is_left_of_a_merge(cast, image):
    say(cast, image, "yes", who=cast.reviewer, word="hound", scope=tag_answers.LAST_WORD)
    dog, hound = (Tag.objects.get(project=cast.project, name=name) for name in ("dog", "hound"))
    tag_merges.merge(hound, dog, actor=cast.manager)
    cast.project.refresh_from_db()
    assert said_now(cast, image) == ({"dog"}, set())

    say(cast, image, "no", who=cast.manager)

    assert said_now(cast, image) == (set(), set())


def test_once_the_last_word_is_taken_back_answers_are_answers_again(cast, image):
    word = say(cast, image, "yes", who=cast.reviewer, scope=tag_answers.LAST_WORD)
    tag_answers.take_back(cast.project, word.pk, actor=cast.reviewer)

    assert say(cast, image, "no", who=cast.manager).scope == "tag"
