"""The state of finished images follows what people say of single tags: disputed, settled, and disputed again."""

import pytest

from annotations.models import Decision, Image
from annotations.selectors import counters, truth
from annotations.services import tag_answers, verify
from tests.factories import answer_lease, lease_of, make_images, make_tags, review_by_two

REVIEWED, DISPUTED = Image.State.REVIEWED, Image.State.DISPUTED


@pytest.fixture
def image(cast):
    make_tags(cast.project, "dog", "lake")
    return make_images(cast.project, 1)[0]


@pytest.fixture
def disputed(cast, image):
    review_by_two(cast, image, ["dog"], [])
    assert image.state == DISPUTED
    return image


def say(cast, image, value, *, who, scope=tag_answers.ALONE):
    return tag_answers.answer(cast.project, image, "dog", value, actor=who, scope=scope)


def state(cast, image):
    """As the row has it, after a look at whether verdicts and counts say the same."""
    image.refresh_from_db()
    is_disputed = bool(truth.verdicts(cast.project, [image.pk])[image.pk].disputed)
    kept = counters.read(cast.project.pk)
    if image.state in (REVIEWED, DISPUTED):
        assert (image.state == DISPUTED) is is_disputed
        assert (kept.get("reviewed", 0), kept.get("disputed", 0)) == (int(not is_disputed), int(is_disputed))
    return image.state


@pytest.mark.parametrize("scope", [tag_answers.ALONE, tag_answers.LAST_WORD])
def test_an_answer_to_the_tag_settles_the_image_and_taking_it_back_disputes_it_again(cast, disputed, scope):
    word = say(cast, disputed, "no", who=cast.reviewer, scope=scope)
    assert state(cast, disputed) == REVIEWED

    tag_answers.take_back(cast.project, word.pk, actor=cast.reviewer)
    assert state(cast, disputed) == DISPUTED


def test_so_does_a_page_of_verify(cast, disputed):
    page = verify.answer_tag(cast.project, cast.reviewer, word="dog", yes=[disputed.pk], no=[])
    assert state(cast, disputed) == REVIEWED

    verify.undo(cast.membership(cast.reviewer), page["page"])
    assert state(cast, disputed) == DISPUTED


def test_an_answer_to_another_tag_settles_nothing(cast, disputed):
    tag_answers.answer(cast.project, disputed, "lake", "yes", actor=cast.reviewer)

    assert state(cast, disputed) == DISPUTED


def test_two_later_answers_that_differ_dispute_an_image_of_one_review(cast, image):
    answer_lease(cast, cast.annotator, lease_of(cast, cast.annotator, image), yes=["dog"])
    say(cast, image, "yes", who=cast.reviewer)
    assert state(cast, image) == REVIEWED

    other = say(cast, image, "no", who=cast.manager)
    assert state(cast, image) == DISPUTED

    tag_answers.take_back(cast.project, other.pk, actor=cast.manager)
    assert state(cast, image) == REVIEWED


def test_a_review_that_contradicts_an_earlier_answer_leaves_the_image_disputed(cast, image):
    say(cast, image, "yes", who=cast.reviewer)
    assert state(cast, image) == Image.State.PENDING

    answer_lease(cast, cast.annotator, lease_of(cast, cast.annotator, image), yes=["lake"])

    assert state(cast, image) == DISPUTED


def test_one_answer_reads_no_verdicts(cast, image, django_assert_max_num_queries):
    answer_lease(cast, cast.annotator, lease_of(cast, cast.annotator, image), yes=["dog"])

    with django_assert_max_num_queries(12):
        say(cast, image, "yes", who=cast.reviewer)

    assert state(cast, image) == REVIEWED
    assert Decision.objects.filter(review=None).count() == 1
