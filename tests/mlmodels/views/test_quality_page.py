"""The page of quality: what it lists, what its forms do without script, and what it says while there is nothing."""

import pytest
from django.utils import timezone

from annotations.models import Decision
from mlmodels.models import Extractor, Suspect, SuspectCheck, SuspectList
from mlmodels.services import versions
from tests.annotations.views.test_access import assert_nothing_inline
from tests.mlmodels.views.conftest import text_of, version_of


@pytest.fixture
def here(cast):
    return f"/projects/{cast.project.pk}/quality/"


@pytest.fixture
def listed(planted):
    """A list of one wrong yes and one missing tag, as a version would have ranked it."""
    planted.images(12)
    reviewed = planted.review(10)
    version = version_of(planted, 3, trained_images=60)
    versions.go_live(version)
    SuspectList.objects.create(project=planted.project, version=version, read_at=timezone.now())
    for kind, has in (("wrong", True), ("missing", False)):
        image, name = next(
            (image, name)
            for image in reviewed
            for name in planted.tags
            if (name in planted.yes_of(image)) is has and not Suspect.objects.filter(image=image).exists()
        )
        Suspect.objects.create(
            project=planted.project,
            image=image,
            tag_id=planted.tags[name],
            kind=kind,
            rank=1,
            score=0.02 if has else 0.97,
        )
    return planted


@pytest.fixture
def tuned(listed):
    """As if a run of the project had made the backbone."""
    Extractor.objects.update(name="tf_efficientnet_lite0@run-3")


def suspect(kind="wrong"):
    return Suspect.objects.select_related("image", "tag").get(kind=kind)


def said(row, answer):
    return {"image": row.image_id, "tag": row.tag_id, "answer": answer}


def test_a_wrong_yes_is_shown_with_its_score_and_who_said_it(browser_of, listed, here):
    answer = browser_of(listed.cast.reviewer).get(here)

    text, row = text_of(answer), suspect()
    assert_nothing_inline(answer.content.decode())
    assert f"/gallery/{row.image_id}/" in text
    assert "2 %" in text
    assert f"<bdi>{listed.cast.annotator.username}</bdi>: yes" in text
    assert 'name="answer" value="no" data-act="fix"' in text


def test_missing_tags_stand_in_a_list_of_their_own(browser_of, listed, here):
    text = text_of(browser_of(listed.cast.reviewer).get(f"{here}?kind=missing"))

    assert f"/gallery/{suspect('missing').image_id}/" in text
    assert f"/gallery/{suspect('wrong').image_id}/" not in text
    assert "not given" in text
    assert 'name="answer" value="yes" data-act="fix"' in text


def test_the_form_alone_fixes_an_answer_and_takes_it_back(browser_of, listed, here):
    browser, row = browser_of(listed.cast.reviewer), suspect()

    text = text_of(browser.post(here, said(row, "no"), follow=True))
    decision = Decision.objects.get(scope="adjudicate")
    assert (decision.image_id, decision.tag_id, decision.value) == (row.image_id, row.tag_id, "no")
    assert f"<strong>{row.tag.name}</strong> is removed" in text
    assert f'value="{decision.pk}"' in text
    assert "No answer looks wrong" in text

    text = text_of(browser.post(here, {"undo": decision.pk}, follow=True))
    decision.refresh_from_db()
    assert decision.undone_at is not None
    assert 'name="answer" value="no"' in text


def test_htmx_gets_the_one_picture_back_with_its_way_back(browser_of, listed, here):
    browser, row = browser_of(listed.cast.reviewer), suspect("missing")

    answered = browser.post(f"{here}?kind=missing", said(row, "no"), headers={"HX-Request": "true"})
    text = text_of(answered)

    assert text.count("<li") == 1
    assert "data-done" in text
    assert f"<strong>{row.tag.name}</strong> is not there" in text
    decision = SuspectCheck.objects.get().decision_id
    again = browser.post(f"{here}?kind=missing", {"undo": decision}, headers={"HX-Request": "true"})
    assert 'data-act="fix"' in text_of(again)


def test_an_answer_that_came_too_late_is_told_in_the_place_of_the_picture(browser_of, listed, here):
    browser, row = browser_of(listed.cast.reviewer), suspect()
    browser.post(here, said(row, "no"))

    late = browser.post(here, said(row, "no"), headers={"HX-Request": "true"})
    plain = text_of(browser.post(here, said(row, "no"), follow=True))

    assert late.status_code == 200
    assert "Somebody has answered this since" in text_of(late)
    assert "Somebody has answered this since" in plain
    assert Decision.objects.filter(scope="adjudicate").count() == 1


@pytest.mark.parametrize(
    "body", [{}, {"image": "x", "tag": 1, "answer": "yes"}, {"undo": "x"}, {"undo": "9"}]
)
def test_a_form_that_makes_no_sense_is_told_and_stores_nothing(browser_of, listed, here, body):
    answer = browser_of(listed.cast.reviewer).post(here, body, follow=True)

    assert answer.status_code == 200
    assert not Decision.objects.filter(scope="adjudicate").exists()
    assert not SuspectCheck.objects.exists()


def test_the_list_narrows_to_one_tag(browser_of, listed, here):
    row = suspect()
    other = next(pk for pk in listed.tags.values() if pk != row.tag_id)
    browser = browser_of(listed.cast.reviewer)

    assert f"/gallery/{row.image_id}/" in text_of(browser.get(f"{here}?tag={row.tag_id}"))
    assert f"/gallery/{row.image_id}/" not in text_of(browser.get(f"{here}?tag={other}"))


def test_without_a_version_the_page_says_what_it_needs(browser_of, planted, here):
    text = text_of(browser_of(planted.cast.reviewer).get(here))

    assert "Needs a trained version" in text


def test_with_few_reviews_the_page_counts_them(browser_of, planted, here):
    versions.go_live(version_of(planted, 2, trained_images=31))

    assert "31 of 50 reviewed images" in text_of(browser_of(planted.cast.reviewer).get(here))


def test_a_live_version_whose_list_is_still_being_made_says_so(browser_of, planted, here):
    versions.go_live(version_of(planted, 2, trained_images=80))

    assert "being ranked" in text_of(browser_of(planted.cast.reviewer).get(here))


@pytest.mark.parametrize(
    ("who", "status"), [("annotator", 403), ("reviewer", 200), ("manager", 200), ("outsider", 404)]
)
def test_reviewers_and_above_open_it(browser_of, listed, here, who, status):
    assert browser_of(getattr(listed.cast, who)).get(here).status_code == status


@pytest.mark.parametrize("kind", ["wrong", "missing"])
def test_a_backbone_that_has_learnt_from_the_answers_is_named_and_not_called_unseeing(
    browser_of, listed, tuned, here, kind
):
    text = text_of(browser_of(listed.cast.reviewer).get(here, {"kind": kind}))

    assert "fine-tuned on answers of this project and may have learnt their mistakes" in text
    assert "had not seen" not in text


def test_a_backbone_as_it_came_had_not_seen_the_image(browser_of, listed, here):
    text = text_of(browser_of(listed.cast.reviewer).get(here))

    assert "a model that had not seen the image" in text
    assert "fine-tuned" not in text
