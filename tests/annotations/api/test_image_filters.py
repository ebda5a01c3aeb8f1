"""The filters of the list of images, which gallery and bulk actions share."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from annotations.models import Image, Review, SuggestionSet
from annotations.selectors import images as selector
from annotations.services import flags, tag_answers, verify
from tests import plans
from tests.factories import make_images, make_tags, review_next


@pytest.fixture
def found(cast, client_of):
    """The ids that a query finds."""
    client = client_of(cast.reviewer)

    def ask(query):
        answer = client.get(f"/api/v1/projects/{cast.project.pk}/images/?{query}")
        assert answer.status_code == 200, answer.json()
        return {row["id"] for row in answer.json()["results"]}

    return ask


def suggest(cast, image, tag_id, score, *, offered):
    SuggestionSet.objects.create(
        image=image,
        project=cast.project,
        tag_ids=[tag_id],
        scores=[score],
        offered_ids=[tag_id] if offered else [],
        sources=[[]],
    )


def test_the_last_explicit_answer_decides_between_yes_and_no(cast, found):
    make_tags(cast.project, "dog")
    first, second, third = make_images(cast.project, 3)
    verify.answer_tag(cast.project, cast.reviewer, word="dog", yes=[first.pk, second.pk], no=[third.pk])
    verify.answer_tag(cast.project, cast.manager, word="dog", yes=[], no=[second.pk])
    assert found("tag=dog") == {first.pk}
    assert found("tag=dog&answer=no") == {second.pk, third.pk}


def test_a_last_word_outranks_what_was_said_later(cast, found):
    make_tags(cast.project, "dog")
    image = make_images(cast.project, 1)[0]
    tag_answers.answer(cast.project, image, "dog", "no", actor=cast.reviewer, scope=tag_answers.LAST_WORD)
    verify.answer_tag(cast.project, cast.manager, word="dog", yes=[image.pk], no=[])
    assert found("tag=dog") == set()
    assert found("tag=dog&answer=no") == {image.pk}


def test_an_answer_that_was_taken_back_is_not_found(cast, found):
    make_tags(cast.project, "dog")
    image = make_images(cast.project, 1)[0]
    said = tag_answers.answer(cast.project, image, "dog", "yes", actor=cast.reviewer)
    assert found("tag=dog") == {image.pk}
    tag_answers.take_back(cast.project, said.pk, actor=cast.reviewer)
    assert found("tag=dog") == set()


def test_a_least_score_finds_what_is_not_offered_and_holdout_never_shows(cast, found):
    tag_id = make_tags(cast.project, "dog")["dog"]
    strong, weak, offered = make_images(cast.project, 3)
    held = make_images(cast.project, 1, first=3, holdout=True)[0]
    for image, score, is_offered in ((strong, 0.8, False), (weak, 0.3, False), (offered, 0.9, True)):
        suggest(cast, image, tag_id, score, offered=is_offered)
    suggest(cast, held, tag_id, 0.9, offered=True)
    assert found("suggested=dog") == {offered.pk}
    assert found("suggested=dog&min_score=0.5") == {strong.pk, offered.pk}


def test_person_and_days_speak_of_one_review(cast, found):
    make_images(cast.project, 3)
    old = review_next(cast, cast.annotator).review
    new = review_next(cast, cast.annotator).review
    other = review_next(cast, cast.second).review
    Review.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=9))
    day = (timezone.now() - timedelta(days=2)).date()
    assert found("reviewer=annotator") == {old.image_id, new.image_id}
    assert found(f"reviewer=annotator&since={day}") == {new.image_id}
    assert found(f"until={day}") == {old.image_id}
    assert found(f"since={timezone.now().date()}&until={timezone.now().date()}") == {
        new.image_id,
        other.image_id,
    }


def test_disputed_and_holdout(cast, found):
    image = make_images(cast.project, 2)[0]
    held = make_images(cast.project, 1, first=2, holdout=True)[0]
    Image.objects.filter(pk=image.pk).update(state="disputed")
    assert found("disagreement=true") == {image.pk}
    assert found("is_holdout=true") == {held.pk}


def test_flagged_means_an_open_flag_and_annotators_find_their_own(cast, client_of, found):
    mine, other, resolved, plain = make_images(cast.project, 4)
    flags.raise_flag(cast.project, mine.pk, comment="Too dark.", actor=cast.annotator)
    for comment in ("Blurred.", "Really."):
        flags.raise_flag(cast.project, other.pk, comment=comment, actor=cast.second)
    done = flags.raise_flag(cast.project, resolved.pk, comment="Twice here?", actor=cast.annotator)
    flags.resolve(done, actor=cast.reviewer)
    assert found("flagged=true") == {mine.pk, other.pk}
    assert found("flagged=false") == {resolved.pk, plain.pk}
    answer = client_of(cast.annotator).get(f"/api/v1/projects/{cast.project.pk}/images/?flagged=true")
    assert [row["id"] for row in answer.json()["results"]] == [mine.pk]


@pytest.mark.parametrize("ordering", ["created", "newest", "priority", "shuffle"])
def test_the_flagged_ones_are_found_without_reading_all_images(cast, ordering):
    images = make_images(cast.project, 4_000)
    for image in images[::400]:
        flags.raise_flag(cast.project, image.pk, comment="Look.", actor=cast.annotator)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotations_image, annotations_flag")
    rows = selector.ordered(
        selector.matching(cast.project, selector.ImageFilter(flagged=True)), ordering, None
    )[:61]
    assert len(rows) == 10
    plan = json.loads(rows.explain(format="json", analyze=True))[0]["Plan"]
    assert plans.rows_read(plan) <= 50


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("min_score=0.5", "bad_score"),
        ("suggested=dog&min_score=2", "bad_score"),
        ("suggested=dog&min_score=nan", "bad_score"),
        ("tag=dog&answer=perhaps", "bad_answer"),
        ("until=yesterday", "bad_until"),
        ("like=me", "bad_image"),
        ("flagged=perhaps", "bad_flag"),
        ("ordering=nearest", "bad_ordering"),
    ],
)
def test_nonsense_is_refused_by_name(cast, client_of, query, code):
    make_tags(cast.project, "dog")
    answer = client_of(cast.reviewer).get(f"/api/v1/projects/{cast.project.pk}/images/?{query}")
    assert answer.status_code == 400 and answer.json()["error"]["code"] == code
