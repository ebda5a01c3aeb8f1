"""The page of disagreements: both sides of each, what its forms do without script, and what it says of nothing."""

import pytest

from annotations.models import Decision, Image, Project
from tests.annotations.views.test_access import assert_nothing_inline
from tests.factories import make_images, make_tags, review_by_two

PART = {"HX-Request": "true"}


@pytest.fixture
def page(here):
    return f"{here}quality/disagreements/"


@pytest.fixture
def tag_ids(cast):
    return make_tags(cast.project, "dog", "lake", "tree")


@pytest.fixture
def images(cast, tag_ids):
    first, second = make_images(cast.project, 2, caption="Two people saw this.")
    review_by_two(cast, first, ["dog", "tree"], ["lake", "tree"])
    review_by_two(cast, second, ["tree"], [])
    return first, second


@pytest.fixture
def browser(browser_of, cast):
    return browser_of(cast.reviewer)


def word_on(image, tag_id, answer):
    return {"image": image.pk, "tag": tag_id, "answer": answer}


def last_words():
    return list(Decision.objects.filter(scope="adjudicate", undone_at=None).values_list("value", flat=True))


def test_both_sides_are_shown_with_what_is_agreed(browser, page, images):
    text = browser.get(page).content.decode()

    assert_nothing_inline(text)
    assert "2 images to settle" in text
    assert 'aria-label="dog: 1 yes, 1 no"' in text
    assert "left it out" in text
    assert '<bdi class="tag" data-kind="yes">tree</bdi>' in text
    assert f"/gallery/{images[0].pk}/" in text
    assert "Two people saw this." in text


def test_the_forms_alone_settle_a_tag_and_take_it_back(browser, page, images, tag_ids):
    text = browser.post(page, word_on(images[1], tag_ids["tree"], "yes"), follow=True).content.decode()

    (decision,) = Decision.objects.filter(scope="adjudicate")
    assert "<strong>tree</strong> is there" in text
    assert f'name="undo" value="{decision.pk}"' in text
    assert "1 image to settle" in text
    assert Image.objects.get(pk=images[1].pk).state == "reviewed"

    text = browser.post(page, {"undo": decision.pk}, follow=True).content.decode()
    assert "2 images to settle" in text
    assert last_words() == []


def test_htmx_gets_the_one_tag_back_and_how_many_are_left(browser, page, images, tag_ids):
    answered = browser.post(page, word_on(images[1], tag_ids["tree"], "no"), headers=PART).content.decode()

    assert answered.count("data-row") == 1
    assert "data-done" in answered
    assert "<strong>tree</strong> is not there" in answered
    assert (
        '<p class="small muted num" id="disputes-left" hx-swap-oob="true">1 image to settle</p>' in answered
    )
    undone = Decision.objects.get(scope="adjudicate").pk
    again = browser.post(page, {"undo": undone}, headers=PART).content.decode()
    assert 'data-act="yes"' in again
    assert "data-done" not in again


def test_one_that_was_settled_meanwhile_is_told_in_its_place(browser, page, images, tag_ids):
    browser.post(page, word_on(images[1], tag_ids["tree"], "yes"))

    late = browser.post(page, word_on(images[1], tag_ids["tree"], "no"), headers=PART)
    plain = browser.post(page, word_on(images[1], tag_ids["tree"], "no"), follow=True)

    for answer in (late, plain):
        assert answer.status_code == 200
        assert "Nobody disagrees on “tree” here any more" in answer.content.decode()
    assert last_words() == ["yes"]


@pytest.mark.parametrize(
    "body", [{}, {"image": "x", "tag": 1, "answer": "yes"}, {"undo": "x"}, {"undo": "9"}]
)
def test_a_form_that_makes_no_sense_is_told_and_stores_nothing(browser, page, images, body):
    answer = browser.post(page, body, follow=True)

    assert answer.status_code == 200
    assert last_words() == []


def test_the_list_can_be_narrowed_to_a_tag(browser, page, images, tag_ids):
    text = browser.get(f"{page}?tag={tag_ids['lake']}").content.decode()
    assert f"/gallery/{images[0].pk}/" in text
    assert f"/gallery/{images[1].pk}/" not in text

    browser.post(page, word_on(images[0], tag_ids["lake"], "yes"))
    text = browser.get(f"{page}?tag={tag_ids['lake']}").content.decode()
    assert "Nothing more here" in text
    assert "See all disagreements" in text


def test_a_place_or_tag_that_makes_no_sense_is_as_if_it_were_not_there(browser, page, images):
    text = browser.get(f"{page}?tag=x&after=-4&did=nine").content.decode()

    assert f"/gallery/{images[0].pk}/" in text


def test_where_nobody_disagrees_the_page_says_how_people_could(browser_of, cast, page):
    manager, reviewer = browser_of(cast.manager), browser_of(cast.reviewer)
    text = manager.get(page).content.decode()
    assert "Each image is reviewed by one person" in text
    assert f"/projects/{cast.project.pk}/settings/" in text
    assert "/settings/" not in reviewer.get(page).content.decode()

    Project.objects.filter(pk=cast.project.pk).update(reviews_per_image=2)
    assert "People agree" in manager.get(page).content.decode()


def test_annotators_have_no_part_in_it(browser_of, cast, page, images, tag_ids):
    annotator = browser_of(cast.annotator)

    assert annotator.get(page).status_code == 403
    assert annotator.post(page, word_on(images[1], tag_ids["tree"], "yes")).status_code == 403
    assert browser_of(cast.outsider).get(page).status_code == 404
    assert last_words() == []
