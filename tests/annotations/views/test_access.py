"""Every page, opened by every role, by a stranger and by nobody; and no page holds anything inline."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotations import tasks
from annotations.models import Role, Snapshot
from annotations.services import projects, snapshots, tag_trash
from tests.factories import make_images, make_tags, review_next

RANKS = [role.value for role in Role]
# address below the project, the least role that opens it
PAGES = [
    ("", "annotator"),
    ("review/", "annotator"),
    ("review/?plain=1", "annotator"),
    ("review/?one=1", "reviewer"),
    ("review/?one=1&q=do", "reviewer"),
    ("review/?tag={tag}", "reviewer"),
    ("flags/", "annotator"),
    ("flags/?state=resolved", "annotator"),
    ("guide/", "annotator"),
    ("tags/", "annotator"),
    ("tags/?retired=1", "annotator"),
    ("tags/?tree=1", "annotator"),
    ("verify/", "reviewer"),
    ("gallery/", "reviewer"),
    ("gallery/?tag=dog&q=runs", "reviewer"),
    ("gallery/{image}/", "reviewer"),
    ("quality/", "reviewer"),
    ("quality/?kind=missing&tag={tag}", "reviewer"),
    ("quality/annotators/", "manager"),
    ("quality/annotators/?days=all&order=agreement", "manager"),
    ("quality/agreement/", "manager"),
    ("tags/{tag}/", "manager"),
    ("tags/{tag}/retire/", "manager"),
    ("tags/{tag}/merge/", "manager"),
    ("tags/{tag}/merge/?into=cat", "manager"),
    ("tags/{tag}/split/", "manager"),
    ("tags/{tag}/delete/", "manager"),
    ("tags/trash/", "manager"),
    ("tags/{deleted}/remove/", "admin"),
    ("tags/changes/", "manager"),
    ("people/", "manager"),
    ("people/second/", "manager"),
    ("people/audit/", "manager"),
    ("people/audit/?person=admin&kind=tags", "manager"),
    ("import/table/", "manager"),
    ("settings/", "manager"),
    ("trash/", "manager"),
    ("export/snapshots/", "manager"),
    ("export/snapshots/compare/?before={snapshot}&after={snapshot}", "manager"),
    ("export/snapshots/{snapshot}/remove/", "manager"),
    ("gallery/duplicates/", "manager"),
    ("gallery/duplicates/?state=kept", "manager"),
    ("settings/delete/", "admin"),
    ("trash/empty/", "admin"),
]
OUTSIDE = ["/projects/", "/projects/trash/", "/keys/", "/tokens/", "/status/", "/patterns/"]


@pytest.fixture
def furnished(cast):
    """A project with tags, images and a review, so that every branch of a page has something to show."""
    ids = make_tags(cast.project, "dog", "cat", "wolf")
    make_images(cast.project, 3, caption="A dog runs.")
    review_next(cast, cast.second, yes=("dog",), rejected=("cat",))
    tasks.run_snapshot(snapshots.start(cast.project, actor=cast.manager, name="first").pk)
    tag_trash.delete(cast.project.tags.get(name="wolf"), actor=cast.manager)
    return cast, ids


def address(furnished, page):
    cast, ids = furnished
    image = cast.project.images.order_by("pk").first()
    return f"/projects/{cast.project.pk}/" + page.format(
        tag=ids["dog"], deleted=ids["wolf"], image=image.pk, snapshot=Snapshot.objects.get().pk
    )


@pytest.mark.parametrize("who", [*RANKS, "outsider"])
@pytest.mark.parametrize(("page", "least"), PAGES)
def test_each_page_opens_for_its_roles_only(furnished, browser_of, page, least, who):
    cast, _ = furnished
    answer = browser_of(getattr(cast, who)).get(address(furnished, page))
    if who == "outsider":
        assert answer.status_code == 404
    elif RANKS.index(who) < RANKS.index(least):
        assert answer.status_code == 403
        assert f"needs the role {least}" in answer.content.decode()
    else:
        assert answer.status_code == 200


def test_who_may_not_open_a_page_is_led_back_to_the_project(furnished, browser_of):
    cast, _ = furnished
    project = f"/projects/{cast.project.pk}/"
    refused = browser_of(cast.annotator).get(project + "people/").content.decode()
    assert f'href="{project}">Back to the project</a>' in refused and f'href="{project}review/"' in refused
    missing = browser_of(cast.annotator).get(project + "tags/999999/").content.decode()
    assert "Back to the project" in missing
    foreign = browser_of(cast.outsider).get(project).content.decode()
    assert "Not found" in foreign and "Back to the project" not in foreign


@pytest.mark.parametrize("page", [page for page, _ in PAGES])
def test_nobody_is_sent_to_the_sign_in_and_back(furnished, page):
    wanted = address(furnished, page)
    answer = Client().get(wanted)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/projects/")


@pytest.mark.parametrize("page", OUTSIDE)
def test_pages_outside_projects_are_for_signed_in_people(cast, browser_of, page):
    assert Client().get(page)["Location"].startswith("/accounts/login/")
    assert browser_of(cast.outsider).get(page).status_code == 200


def test_a_poll_of_somebody_signed_out_just_stops(cast, here):
    assert Client().get(here, headers={"HX-Request": "true"}).status_code == 286


@pytest.mark.parametrize("page", [page for page, _ in PAGES])
def test_a_page_has_one_heading_and_nothing_inline(furnished, browser_of, page):
    cast, _ = furnished
    html = browser_of(cast.admin).get(address(furnished, page)).content.decode()
    assert len(re.findall(r"<h1[ >]", html)) == 1
    assert_nothing_inline(html)


@pytest.mark.parametrize("page", [page for page in OUTSIDE if page != "/patterns/"])
def test_a_page_outside_projects_has_one_heading_and_nothing_inline(cast, browser_of, page):
    html = browser_of(cast.admin).get(page).content.decode()
    assert len(re.findall(r"<h1[ >]", html)) == 1
    assert_nothing_inline(html)


def assert_nothing_inline(html):
    scripts = re.findall(r"<script([^>]*)>", html)
    assert scripts
    for attributes in scripts:
        assert "src=" in attributes or "importmap" in attributes or "application/json" in attributes
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html)


@pytest.mark.parametrize("page", ["", "tags/", "gallery/", "people/"])
def test_queries_do_not_grow_with_rows(cast, browser_of, here, page):
    def grow(first, count):
        make_tags(cast.project, *(f"tag {number}" for number in range(first, first + count)))
        make_images(cast.project, count, first=first)
        for number in range(first, first + count):
            get_user_model().objects.create_user(f"person{number}")
            projects.set_member(cast.membership(cast.admin), f"person{number}", "annotator")
            review_next(cast, cast.second, yes=(f"tag {number}",))

    client = browser_of(cast.admin)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(here + page).status_code == 200
        return len(captured)

    grow(0, 2)
    few = queries()
    grow(2, 18)
    assert queries() == few


def test_the_list_of_projects_costs_the_same_for_two_and_for_twenty(cast, browser_of):
    client = browser_of(cast.admin)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/projects/").status_code == 200
        return len(captured)

    few = queries()
    for number in range(18):
        make_images(projects.create(cast.admin, name=f"Project {number}"), 1)
    assert queries() == few


@pytest.mark.parametrize(
    ("page", "status"), [("review/?tag={}", 422), ("export/?before={}", 200), ("import/?before={}", 200)]
)
def test_more_digits_than_any_id_has_are_a_word_or_nothing(cast, browser_of, here, page, status):
    assert browser_of(cast.admin).get(here + page.format("9" * 5_000)).status_code == status
