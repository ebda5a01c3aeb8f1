"""Quality's page of people: each one's figures with what is behind them, over a period, and as a table to save."""

import csv
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Review, User
from annotations.selectors import kept
from annotations.services import counters, projects
from tests.annotations.spoken import answered, days_ago, last_word, reviewed
from tests.factories import make_images, make_tags

PAGE = "quality/annotators/"
FEWEST = 5


@pytest.fixture
def furnished(cast):
    """Two people reviewed five images, one of them two more; a reviewer looked at all."""
    words = make_tags(cast.project, "dog", "boat")
    images = make_images(cast.project, 9)
    for number, image in enumerate(images[:FEWEST]):
        reviewed(cast.annotator, image, yes=[words["dog"]], seconds=6.0, keystrokes=2, at=days_ago(1))
        reviewed(cast.second, image, yes=[words["dog"]] if number else [], at=days_ago(1))
        last_word(cast.reviewer, image, words["dog"], "yes")
    for image in images[5:7]:
        review = reviewed(cast.annotator, image, at=days_ago(1))
    Review.objects.filter(pk=review.pk).update(undone_at=timezone.now(), undone_by=cast.reviewer)
    reviewed(cast.annotator, images[7], outcome="skipped")
    reviewed(cast.manager, images[8], yes=[words["dog"]], at=days_ago(20))
    return cast


@pytest.fixture
def ask(furnished, browser_of, here):
    client = browser_of(furnished.manager)

    def get(query: str = "") -> str:
        answer = client.get(here + PAGE + query)
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())

    return get


def row_of(html: str, name: str) -> str:
    """The words of a person's row."""
    found = next(row for row in html.split("<tr>") if f'class="who">{name}' in row)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def names(html: str) -> list[str]:
    return re.findall(r'class="who">([^ <]+)', html)


def test_each_row_has_the_figures_with_their_counts(ask):
    row = row_of(ask(), "annotator")
    assert row.startswith("AN annotator annotator 6 1 skipped – 6.0 600 an hour 2 14 % 1 by others")
    assert re.search(r"89 % (\d+) to (\d+) % 5 tags on 5 images 100 % 57 to 100 % 5 answers on 5 images", row)


def test_who_has_too_few_images_has_a_dash_and_the_reason(ask):
    assert row_of(ask(), "manager").endswith("– no shared image – no last word 2 weeks ago")


def test_how_many_more_images_it_takes_is_said(furnished, ask):
    for image in furnished.project.images.order_by("pk")[:3]:
        reviewed(furnished.admin, image)
    assert "– 3 of 5 images needed" in row_of(ask(), "admin")


def test_images_without_any_tag_are_said_to_be_such(furnished, ask):
    for user in (furnished.admin, furnished.reviewer):
        for image in make_images(furnished.project, FEWEST, first=100 if user == furnished.admin else 200):
            reviewed(user, image)
            reviewed(furnished.manager, image)
    assert "– no tags on 5 images" in row_of(ask(), "admin")


def test_the_period_is_chosen_by_links(ask):
    assert names(ask()) == ["annotator", "manager", "reviewer", "second"]
    week = ask("?days=7&order=reviews")
    assert names(week) == ["annotator", "second", "reviewer"]
    assert '<a href="?days=7&amp;order=reviews" aria-current="true">7 days</a>' in week
    assert '<a href="?order=reviews">30 days</a>' in week
    assert '<a href="?days=all&amp;order=reviews">All time</a>' in week


def test_columns_order_the_table(ask):
    html = ask("?order=agreement&days=all")
    assert names(html)[:2] == ["annotator", "second"]
    assert (
        html.count("aria-sort") == 1
        and 'aria-sort="descending"><a href="?days=all&amp;order=agreement"' in html
    )
    assert 'aria-sort="ascending"><a href="?"' in ask("?order=rubbish&days=rubbish")


def test_nobody_in_the_period_is_said_with_a_way_to_all_time(ask):
    Review.objects.update(created_at=days_ago(60))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM annotations_decision WHERE review_id IS NULL")
    html = ask()
    assert "Nobody reviewed in this period" in html and 'href="?days=all"' in html and "<table" not in html
    assert names(ask("?days=all")) == ["annotator", "manager", "second"]


def test_before_any_review_the_page_says_what_will_stand_there(cast, browser_of, here):
    html = browser_of(cast.manager).get(f"{here}{PAGE}?days=all").content.decode()
    assert "Nobody has reviewed yet" in html and f'href="{here}review/"' in html


def test_where_nobody_shared_an_image_settings_are_shown(furnished, ask, here):
    link = f'{here}settings/#id_reviews_per_image"'
    assert link not in ask()
    Review.objects.filter(user=furnished.second).update(undone_at=timezone.now())
    assert "No image was reviewed by two people in this period" in ask() and link in ask()
    assert "No image was reviewed by two people yet" in ask("?days=all")


def test_who_left_and_who_is_gone_are_named_as_such(furnished, ask):
    projects.remove_member(furnished.membership(furnished.admin), "second")
    furnished.annotator.delete()
    html = ask()
    assert row_of(html, "second").startswith("SE second left 5")
    assert row_of(html, "Somebody").startswith("SO Somebody deleted accounts 6")


def test_a_name_is_never_markup(furnished, ask):
    User.objects.filter(pk=furnished.second.pk).update(first_name="<b>Ada</b>")
    assert "<b>Ada" not in ask() and "&lt;b&gt;Ada" in ask()


def test_kept_figures_say_so_and_names_in_them_are_new(furnished, ask):
    counters.add(furnished.project.pk, {"decisions": kept.FROM_DECISIONS})
    assert "those of the last minute" in ask()
    reviewed(furnished.annotator, furnished.project.images.first())
    User.objects.filter(pk=furnished.annotator.pk).update(first_name="Ada")
    assert row_of(ask(), "Ada").startswith("AD Ada annotator 6")


def test_the_table_is_saved_as_csv(furnished, browser_of, here):
    User.objects.filter(pk=furnished.second.pk).update(first_name="=1+1")
    answer = browser_of(furnished.manager).get(f"{here}{PAGE}annotators.csv?days=all")
    assert f'filename="annotators-{furnished.project.pk}-all.csv"' in answer["Content-Disposition"]
    rows = {row["user"]: row for row in csv.DictReader(answer.content.decode().splitlines())}
    assert rows["second"]["name"] == "'=1+1"
    one = rows["annotator"]
    assert (one["reviews"], one["skipped"], one["images_an_hour"], one["role"]) == (
        "6",
        "1",
        "600.0",
        "annotator",
    )
    assert (one["agreement_images"], one["agreement_tags"], one["upheld"]) == ("5", "5", "1.0")
    assert float(one["agreement"]) == pytest.approx(8 / 9)
    assert rows["manager"]["agreement"] == "" and rows["manager"]["undone_by_self"] == "0"


def test_costs_the_same_for_two_people_and_for_twenty(furnished, browser_of, here):
    client = browser_of(furnished.manager)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(here + PAGE).status_code == 200
        return len(captured)

    few = queries()
    images = list(furnished.project.images.all())
    dog = furnished.project.tags.get(name="dog").pk
    for number in range(18):
        user = User.objects.create_user(f"person{number}")
        projects.set_member(furnished.membership(furnished.admin), user.username, "annotator")
        for image in images:
            reviewed(user, image, yes=[dog])
            answered(user, image, dog, "yes")
    assert queries() == few


def test_stands_among_the_tabs_of_quality(furnished, browser_of, here):
    tab = f'href="{here}{PAGE}"'
    assert tab in browser_of(furnished.manager).get(here + "quality/").content.decode()
    assert tab not in browser_of(furnished.reviewer).get(here + "quality/").content.decode()
