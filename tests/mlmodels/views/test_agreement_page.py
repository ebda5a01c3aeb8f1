"""The page of agreement: its figures in words, its order, its links, and what it says while there is nothing."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Tag
from annotations.selectors import kept
from annotations.templatetags import pages
from tests.annotations.spoken import reviewed
from tests.annotations.views.test_access import assert_nothing_inline
from tests.factories import make_images, make_tags
from tests.mlmodels.views.conftest import text_of

NAMES = ("clear", "blurred", "seldom", "never")


@pytest.fixture
def here(cast):
    return f"/projects/{cast.project.pk}/quality/agreement/"


@pytest.fixture
def judged(cast):
    """Sixty images by two people: all agree on what is clear, half the time on what is blurred; one sees the seldom."""
    ids = make_tags(cast.project, *NAMES)
    judge(cast, ids, 60)
    return ids


def judge(cast, ids, count, *, first=0):
    for place, image in enumerate(make_images(cast.project, count, first=first)):
        clear = {ids["clear"]} if place % 3 == 0 else set()
        one, other = ({ids["blurred"]} if bit else set() for bit in (place & 1, place & 2))
        seldom = {ids["seldom"]} if place == 0 else set()
        reviewed(cast.annotator, image, yes=clear | one | seldom, blind=True)
        reviewed(cast.second, image, yes=clear | other, blind=place % 2 == 0)


def names_in(answer):
    return re.findall(r"<bdi>(.*?)</bdi>", answer.content.decode().split("<tbody>")[1])


def test_the_least_reliable_comes_first_and_what_has_too_little_evidence_last(cast, judged, browser_of, here):
    answer = browser_of(cast.manager).get(here)
    assert names_in(answer) == ["blurred", "clear", "seldom", "never"]
    text = text_of(answer)
    for words in ("unreliable", "reliable", "too early", "no yes", "reviewed by two people or more"):
        assert words in text
    assert_nothing_inline(answer.content.decode())


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("name", ["blurred", "clear", "never", "seldom"]),
        ("differ", ["blurred", "seldom", "clear", "never"]),
        ("yes", ["blurred", "clear", "seldom", "never"]),
        ("images", ["blurred", "clear", "never", "seldom"]),
        ("nonsense", ["blurred", "clear", "seldom", "never"]),
    ],
)
def test_other_orders(cast, judged, browser_of, here, order, names):
    answer = browser_of(cast.manager).get(here, {"order": order})
    assert names_in(answer) == names
    assert answer.content.decode().count("aria-sort=") == 1


def test_only_blind_images_and_the_order_stays(cast, judged, browser_of, here):
    answer = browser_of(cast.manager).get(here, {"blind": "true", "order": "name"})
    text = text_of(answer)
    assert "Nobody was shown a suggestion here" in text
    assert '<span class="figure-number">30</span>' in text
    assert f'href="{here}?order=name">All images</a>' in text
    assert 'href="?order=differ&amp;blind=true"' in text


def test_a_tag_links_to_its_guide_or_to_where_it_is_described(cast, judged, browser_of, here):
    Tag.objects.filter(pk=judged["clear"]).update(description="Nothing in the way.")
    text = text_of(browser_of(cast.manager).get(here))
    project = f"/projects/{cast.project.pk}"
    assert f'href="{project}/guide/?tags={judged["clear"]}"' in text
    assert 'title="Nothing in the way."' in text
    assert re.search(rf'href="{project}/tags/{judged["blurred"]}/">Describe<', text)


def test_where_people_differ_leads_to_these_images_once_there_is_a_page_of_them(
    cast, judged, browser_of, here, monkeypatch
):
    monkeypatch.setattr(pages, "reverse", lambda name, args: f"/{name}/{args[0]}/")
    text = text_of(browser_of(cast.manager).get(here))
    assert f'href="/disagreements/{cast.project.pk}/?tag={judged["blurred"]}"' in text
    assert f'disagreements/{cast.project.pk}/?tag={judged["clear"]}"' not in text  # nobody differs on it


def test_without_images_by_two_people_it_says_where_to_ask_for_more(cast, browser_of, here):
    ids = make_tags(cast.project, "dog")
    (image,) = make_images(cast.project, 1)
    reviewed(cast.annotator, image, yes=[ids["dog"]])
    text = text_of(browser_of(cast.manager).get(here))
    assert "No image was reviewed by two people yet" in text
    assert f'href="/projects/{cast.project.pk}/settings/">Open Settings</a>' in text
    reviewed(cast.second, image)
    blind = text_of(browser_of(cast.manager).get(here, {"blind": "true"}))
    assert "No image was tagged blind by two people yet" in blind
    assert f'href="{here}">See all images</a>' in blind


def test_the_age_of_kept_figures_is_told(cast, judged, browser_of, here, monkeypatch):
    assert "Figures are those of the last minute" not in text_of(browser_of(cast.manager).get(here))
    monkeypatch.setattr(kept, "FROM_DECISIONS", 0)
    assert "Figures are those of the last minute" in text_of(browser_of(cast.manager).get(here))


def test_the_tab_is_there_for_managers(cast, judged, browser_of, here):
    quality = here.removesuffix("agreement/")
    assert f'href="{here}"' in text_of(browser_of(cast.manager).get(quality))
    assert f'href="{here}"' not in text_of(browser_of(cast.reviewer).get(quality))


def test_queries_do_not_grow(cast, judged, browser_of, here):
    browser = browser_of(cast.manager)

    def count():
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(here).status_code == 200
        return len(queries)

    before = count()
    make_tags(cast.project, *(f"tag {number}" for number in range(20)))
    judge(cast, judged, 20, first=60)
    assert count() == before
