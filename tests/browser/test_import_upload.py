"""Files sent from the import page in a real Chromium: in batches, again after a failure, and by the plain form."""

import json
from collections import Counter

import pytest
from playwright.sync_api import expect

from annotations import tasks
from annotations.models import ImportItem, ImportJob
from annotations.selectors import import_reports
from tests.browser.conftest import picture_bytes
from tests.factories import make_cast


@pytest.fixture
def cast(transactional_db):
    return make_cast()


@pytest.fixture
def page(cast, sign_in):
    page = sign_in(cast.manager, f"/projects/{cast.project.pk}/import/")
    page.wait_for_function("customElements.get('image-upload') !== undefined")
    return page


def pictures(count):
    data = picture_bytes(1)
    return [{"name": f"{n:03}.jpg", "mimeType": "image/jpeg", "buffer": data} for n in range(count)]


def table(text, name="words.csv"):
    return {
        "name": name,
        "mimeType": "text/csv",
        "buffer": text if isinstance(text, bytes) else text.encode(),
    }


def choose(page, files):
    page.locator("input[data-pick]").first.set_input_files(files)


def test_a_large_choice_goes_in_batches_that_share_captions_and_report(page, cast):
    lines = "".join(f"{n:03}.jpg,Caption {n}.\n" for n in range(205))
    choose(page, [*pictures(205), table(f"name,caption\n{lines}nobody.jpg,x\n")])
    page.get_by_role("button", name="Import 205 images").click()
    page.wait_for_url("**/import/*/")
    jobs = list(ImportJob.objects.order_by("pk"))
    assert [job.total for job in jobs] == [100, 100, 5]
    assert page.url.endswith(f"/import/{jobs[0].pk}/")
    captions = dict(ImportItem.objects.values_list("name", "caption"))
    assert captions == {f"{n:03}.jpg": f"Caption {n}." for n in range(205)}
    refused = import_reports.refusals(cast.project, jobs[0].pk)
    assert [(refusal.item, refusal.code) for refusal in refused] == [("nobody.jpg", "caption_without_file")]
    assert page.locator("text=0 of 205 images").is_visible()


def test_a_table_without_images_is_told_its_way(page):
    choose(page, [table("name,caption\n000.jpg,A dog.\n")])
    hint = "Add the images that words.csv speaks of. Without images it goes by Table."
    expect(page.locator("[data-details]")).to_have_text(hint)
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    choose(page, pictures(1))
    expect(page.locator("[data-details]")).to_contain_text("with what words.csv says")


def test_files_beside_pictures_go_with_them_and_are_no_images(page, cast):
    beside = [
        {"name": f"{n:03}.txt", "mimeType": "text/plain", "buffer": f"Caption {n}.".encode()}
        for n in range(120)
    ]
    one = {"name": "007.jpg.json", "mimeType": "application/json", "buffer": b'{"tags": ["dog"]}'}
    choose(page, [*beside, one, *pictures(120)])
    expect(page.locator("[data-details]")).to_contain_text("121 files beside them")
    page.locator("details.options summary").click()
    page.get_by_label("Read keywords inside the files").check()
    page.get_by_role("button", name="Import 120 images").click()
    page.wait_for_url("**/import/*/")
    jobs = list(ImportJob.objects.order_by("pk"))
    assert sum(job.total for job in jobs) == 120 and len(jobs) == 3
    assert all(job.options["file_keywords"] for job in jobs)
    captions = dict(ImportItem.objects.values_list("name", "caption"))
    assert captions == {f"{n:03}.jpg": f"Caption {n}." for n in range(120)}
    assert ImportItem.objects.get(name="007.jpg").tags == ["dog"]


def test_folders_name_the_tag_in_every_batch_alike(page, tmp_path):
    for folder, count in (("rose/deep", 110), ("tulip", 10)):
        (tmp_path / "flowers" / folder).mkdir(parents=True)
        for number in range(count):
            (tmp_path / "flowers" / folder / f"{number:03}.jpg").write_bytes(picture_bytes(1))
    page.locator("input[data-pick][webkitdirectory]").set_input_files(tmp_path / "flowers")
    page.locator("details.options summary").click()
    page.get_by_label("Folders name the tag").check()
    page.get_by_role("button", name="Import 120 images").click()
    page.wait_for_url("**/import/*/")
    assert ImportJob.objects.count() == 2
    said = Counter(
        (name.split("/")[1], *tags) for name, tags in ImportItem.objects.values_list("name", "tags")
    )
    assert said == {("rose", "rose"): 110, ("tulip", "tulip"): 10}


def test_a_data_file_goes_with_all_of_its_pictures_in_one_request(page):
    document = {
        "images": [{"id": n, "file_name": f"{n:03}.jpg"} for n in range(105)],
        "categories": [{"id": 1, "name": "dog"}],
        "annotations": [{"id": 1, "image_id": 104, "category_id": 1}],
    }
    choose(page, [*pictures(105), table(json.dumps(document), "instances.json")])
    expect(page.locator("[data-details]")).to_contain_text("with what instances.json says")
    page.get_by_role("button", name="Import 105 images").click()
    page.wait_for_url("**/import/*/")
    job = ImportJob.objects.get()
    tasks.run_import(job.pk)
    assert job.source == "upload"
    assert dict(ImportItem.objects.exclude(tags=[]).values_list("name", "tags")) == {"104.jpg": ["dog"]}
    assert ImportItem.objects.count() == 105


def test_a_data_file_of_more_than_one_request_takes_is_refused_with_what_to_do(page):
    many = [{"name": f"{n:04}.jpg", "mimeType": "image/jpeg", "buffer": b"x"} for n in range(1_001)]
    choose(page, [*many, table("path,tags\n0001.jpg,dog\n", "words.csv")])
    page.get_by_role("button", name="Import 1,001 images").click()
    refusal = page.locator("[data-refused] .banner")
    refusal.wait_for()
    assert "Nothing was imported. “words.csv” speaks of many pictures" in refusal.inner_text()
    assert "pack them into one archive" in refusal.inner_text()
    assert not ImportJob.objects.exists()


def test_a_table_alone_is_sent_too(page):
    choose(page, [table("path\ttags\nnowhere.jpg\tdog\n", "words.tsv")])
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url("**/import/*/")
    assert ImportJob.objects.get().options["unread"]


@pytest.mark.parametrize("arrives", [False, True], ids=["the request is lost", "the answer is lost"])
def test_a_lost_batch_is_sent_again_and_lands_once(page, arrives):
    tried = []

    def lose_the_first(route):
        tried.append(route.request)
        if len(tried) > 1:
            route.continue_()
            return
        if arrives:
            route.fetch()
        route.abort()

    page.route("**/api/v1/projects/*/imports/", lose_the_first)
    choose(page, pictures(3))
    page.get_by_role("button", name="Import 3 images").click()
    page.wait_for_url("**/import/*/")
    assert len(tried) == 2
    assert [job.total for job in ImportJob.objects.all()] == [3]


def test_a_refusal_is_said_and_the_choice_stays(page):
    choose(page, [*pictures(2), table(b"name,caption\na.jpg,caf\xe9\n")])
    page.get_by_role("button", name="Import 2 images").click()
    refusal = page.locator("[data-refused] .banner")
    refusal.wait_for()
    assert "Nothing was imported. words.csv: expected UTF-8" in refusal.inner_text()
    choose(page, [table("name,caption\n000.jpg,A lake.\n001.jpg,A hill.\n")])
    page.get_by_role("button", name="Import 2 images").click()
    page.wait_for_url("**/import/*/")
    assert sorted(ImportItem.objects.values_list("caption", flat=True)) == ["A hill.", "A lake."]


def test_without_script_the_form_does_the_same(cast, sign_in):
    page = sign_in(cast.manager, f"/projects/{cast.project.pk}/import/", java_script_enabled=False)
    assert not page.locator("[data-drop]").is_visible()
    page.set_input_files("#import-files", pictures(2))
    page.set_input_files("#import-captions", [table("name,caption\n000.jpg,A lake.\n")])
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/import/*/")
    assert sorted(ImportItem.objects.values_list("name", "caption")) == [
        ("000.jpg", "A lake."),
        ("001.jpg", None),
    ]
