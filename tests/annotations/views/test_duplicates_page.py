"""The page of near-duplicates, with and without script: question, decision, undo."""

import pytest

from annotations import tasks
from annotations.models import DuplicateGroup, Image
from annotations.services import near_pairs, tag_answers
from tests.annotations.files import FORM, form, picture
from tests.factories import make_copies, make_tags


@pytest.fixture
def copies(cast):
    make_tags(cast.project, "dog")
    images = make_copies(cast.project, 3)
    tag_answers.answer(cast.project, images[1], "dog", "yes", actor=cast.manager)
    near_pairs.find(cast.project.pk)
    return images


@pytest.fixture
def here(cast):
    return f"/projects/{cast.project.pk}/gallery/duplicates/"


@pytest.fixture
def group(copies):
    return DuplicateGroup.objects.get()


def ids(images):
    return ",".join(str(image.pk) for image in images)


def test_each_image_stands_there_with_what_it_has(cast, browser_of, here, copies):
    html = browser_of(cast.manager).get(here).content.decode()
    assert all(image.name in html for image in copies)
    assert "3 images" in html and '<bdi class="badge">dog</bdi>' in html and "640 × 480" in html


def test_the_question_changes_nothing_and_names_what_is_taken_over(cast, browser_of, here, group, copies):
    html = browser_of(cast.manager).get(f"{here}{group.pk}/?ask=true&keep={copies[0].pk}").content.decode()
    assert f"Keep “<bdi>{copies[0].name}</bdi>”, move 2 images to the trash?" in html
    assert '<bdi class="badge">dog</bdi>' in html
    assert not Image.objects.filter(deleted_at__isnull=False).exists()


def test_without_script_a_join_goes_back_to_the_list_with_a_message(cast, browser_of, here, group, copies):
    sent = {"join": "true", "keep": copies[0].pk, "of": ids(copies), "tags": "true"}
    answer = browser_of(cast.manager).post(f"{here}{group.pk}/", sent, follow=True)
    assert answer.redirect_chain[-1][0] == here
    assert f"2 images moved to the trash, “{copies[0].name}” stays." in answer.content.decode()
    assert Image.objects.filter(deleted_at=None).count() == 1


def test_with_script_the_list_comes_anew_with_a_way_back(cast, browser_of, here, group, copies):
    client, htmx = browser_of(cast.manager), {"HX-Request": "true"}
    html = client.post(
        f"{here}{group.pk}/", {"keep_all": "true", "of": ids(copies)}, headers=htmx
    ).content.decode()
    assert "All 3 stay" in html and 'name="undo"' in html and "<html" not in html
    html = client.post(f"{here}{group.pk}/", {"undo": "true"}, headers=htmx).content.decode()
    assert "Taken back" in html and 'name="undo"' not in html
    assert DuplicateGroup.objects.get().state == "open"


def test_a_group_that_changed_is_said_so_in_place(cast, browser_of, here, group, copies):
    sent = {"join": "true", "keep": copies[0].pk, "of": ids(copies[:2])}
    html = (
        browser_of(cast.manager)
        .post(f"{here}{group.pk}/", sent, headers={"HX-Request": "true"})
        .content.decode()
    )
    assert "The group has changed" in html
    assert not Image.objects.filter(deleted_at__isnull=False).exists()


def test_leaking_groups_are_explained(cast, browser_of, here, copies):
    Image.objects.filter(pk=copies[0].pk).update(is_holdout=True)
    html = browser_of(cast.manager).get(here).content.decode()
    assert "Copies stand on both sides of the holdout." in html and "Tags are not told yet" in html


def test_an_import_leads_to_its_own_near_duplicates(cast, browser_of, client_of, here, copies):
    api = f"/api/v1/projects/{cast.project.pk}/imports/"
    files = [("one.jpg", picture(1)), ("two.png", picture(1, format="PNG"))]
    answer = client_of(cast.manager).generic("POST", api, form({"files": files}), FORM)
    job = answer.json()["id"]
    tasks.run_import(job)
    near_pairs.find(cast.project.pk)
    client = browser_of(cast.manager)
    report = client.get(f"/projects/{cast.project.pk}/import/{job}/").content.decode()
    assert f"{here}?import={job}" in report
    html = client.get(f"{here}?import={job}").content.decode()
    assert html.count("data-group>") == 1 and copies[0].name not in html
    assert client.get(f"{here}?import={job + 99}").status_code == 404


def test_pages_of_groups(cast, browser_of, here, monkeypatch):
    monkeypatch.setattr("annotations.views.duplicates.PAGE_SIZE", 2)
    for _ in range(3):
        make_copies(cast.project, 2)
    near_pairs.find(cast.project.pk)
    client = browser_of(cast.manager)
    html = client.get(here).content.decode()
    assert html.count("data-group>") == 2 and "?from=2" in html
    html = client.get(f"{here}?from=2").content.decode()
    assert html.count("data-group>") == 1 and "First page" in html
    assert client.get(f"{here}?from=99999999999999999999").status_code == 200


def test_before_the_first_search_the_page_says_so(cast, browser_of, here):
    assert "Not searched yet" in browser_of(cast.manager).get(here).content.decode()
