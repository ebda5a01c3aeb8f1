"""Export by page: what formats lose is said first, files are written once, and who may take them."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations import tasks
from annotations.exporters.registry import FORMATS
from annotations.models import ExportJob, JobState
from annotations.services import exports, snapshots
from tests.annotations.views.test_access import assert_nothing_inline
from tests.factories import make_images, make_tags, review_next


def text_of(answer):
    return " ".join(answer.content.decode().split())


def is_checked(answer, name, value):
    field = re.search(f'<input[^>]* name="{re.escape(name)}" value="{value}"[^>]*>', text_of(answer))
    return " checked" in field[0]


@pytest.fixture
def reviewed(cast):
    """Two images, one of them reviewed."""
    make_tags(cast.project, "dog", "cat")
    make_images(cast.project, 2)
    review_next(cast, cast.annotator, yes=("dog",))
    return cast


def write(cast, **asked):
    job = exports.start(cast.project, actor=cast.manager, **({"format": "jsonl"} | asked))
    tasks.run_export(job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize(
    ("who", "status"), [("outsider", 404), ("annotator", 403), ("reviewer", 403), ("manager", 200)]
)
def test_managers_only(cast, browser_of, here, who, status):
    assert browser_of(getattr(cast, who)).get(here + "export/").status_code == status


@pytest.mark.parametrize("who", ["outsider", "annotator", "reviewer"])
def test_nobody_else_starts_or_cancels_one(cast, browser_of, here, who):
    job = exports.start(cast.project, actor=cast.manager, format="csv")
    client = browser_of(getattr(cast, who))
    assert client.post(here + "export/", {"format": "csv"}).status_code in (403, 404)
    assert client.post(f"{here}export/{job.pk}/cancel/").status_code in (403, 404)
    assert [job.state for job in ExportJob.objects.all()] == ["queued"]


def test_one_heading_and_nothing_inline(reviewed, browser_of, here):
    write(reviewed)
    exports.start(reviewed.project, actor=reviewed.manager, format="csv")
    html = browser_of(reviewed.manager).get(here + "export/").content.decode()
    assert html.count("<h1") == 1
    assert_nothing_inline(html)


def test_every_format_says_what_it_loses_before_anything_is_written(cast, browser_of, here):
    page = browser_of(cast.manager).get(here + "export/").content.decode()
    from django.utils.html import escape

    for exporter in FORMATS.values():
        assert escape(exporter.title) in page
        for loss in exporter.losses:
            assert escape(loss) in page


def test_the_form_ends_in_a_file_that_the_page_offers(reviewed, browser_of, here):
    client = browser_of(reviewed.manager)
    assert (
        client.post(here + "export/", {"format": "jsonl", "state": "reviewed"})["Location"]
        == here + "export/#exports"
    )
    assert 'id="exports"' in text_of(client.get(here + "export/"))
    job = ExportJob.objects.get()
    assert (job.format, job.filter, job.actor) == ("jsonl", {"state": "reviewed"}, reviewed.manager)
    assert "waits for a worker" in text_of(client.get(here + "export/"))
    tasks.run_export(job.pk)
    job.refresh_from_db()
    page = client.get(here + "export/").content.decode()
    address = page.split('download aria-label="Download ')[0].rsplit('href="', 1)[1].split('"')[0]
    rows = [json.loads(line) for line in b"".join(client.get(address).streaming_content).splitlines()]
    assert [row["yes"] for row in rows] == [["dog"]]
    assert job.result["sha256"] in page and "every 15s" in page


def test_only_the_chosen_format_gets_its_options(cast, browser_of, here):
    client = browser_of(cast.manager)
    client.post(here + "export/", {"format": "csv", "csv-long.implied_no": "true"})
    client.post(
        here + "export/", {"format": "csv-long", "csv-long.implied_no": "true", "is_holdout": "false"}
    )
    first, second = ExportJob.objects.order_by("pk")
    assert (first.options, first.filter) == ({}, {})
    assert (second.options, second.filter) == ({"implied_no": True}, {"is_holdout": False})
    assert "only training, implied no" in text_of(client.get(here + "export/"))


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        ({"format": "excel"}, 422, "vertex, got “excel”."),
        ({}, 422, "Expected one of the formats"),
        ({"format": "csv", "state": "gone"}, 400, "expected a state of"),
        ({"format": "csv", "is_holdout": "maybe"}, 400, "expected is_holdout to be true or false"),
    ],
)
def test_a_refusal_is_said_at_the_form(cast, browser_of, here, sent, status, sentence):
    answer = browser_of(cast.manager).post(here + "export/", sent)
    assert answer.status_code == status
    assert sentence in text_of(answer) and "Nothing was exported." in text_of(answer)
    assert not ExportJob.objects.exists()


def test_pictures_and_a_snapshot_are_chosen_at_the_form(reviewed, browser_of, here):
    snapshot = snapshots.start(reviewed.project, actor=reviewed.manager, name="before the trip")
    tasks.run_snapshot(snapshot.pk)
    client = browser_of(reviewed.manager)
    page = text_of(client.get(f"{here}export/?snapshot={snapshot.pk}"))
    assert f'<option value="{snapshot.pk}" selected>before the trip</option>' in page
    client.post(here + "export/", {"format": "coco", "images": "true", "snapshot": snapshot.pk})
    job = ExportJob.objects.get()
    assert (job.with_pictures, job.snapshot) == (True, snapshot)
    client.post(here + "export/", {"format": "coco", "images": "true", "keywords": "beside"})
    client.post(here + "export/", {"format": "coco", "keywords": "beside"})
    assert [one.options for one in ExportJob.objects.order_by("pk")[1:]] == [{"keywords": "beside"}, {}]
    assert "before the trip, with images" in text_of(client.get(here + "export/"))


def test_a_format_that_must_know_is_refused_until_something_is_chosen(reviewed, browser_of, here):
    client = browser_of(reviewed.manager)
    answer = client.post(here + "export/", {"format": "imagefolder"})
    assert answer.status_code == 400 and "copy, primary, skip" in text_of(answer)
    assert is_checked(answer, "format", "imagefolder")
    client.post(here + "export/", {"format": "imagefolder", "imagefolder.several": "skip"})
    assert ExportJob.objects.get().options == {"several": "skip"}


def test_a_refused_form_keeps_what_was_chosen(cast, browser_of, here):
    sent = {
        "format": "imagefolder",
        "imagefolder.several": "skip",
        "csv-long.implied_no": "true",
        "images": "true",
        "state": "gone",
        "is_holdout": "false",
    }
    answer = browser_of(cast.manager).post(here + "export/", sent)
    assert answer.status_code == 400
    for name in ("format", "imagefolder.several", "csv-long.implied_no", "images"):
        assert is_checked(answer, name, sent[name]), name
    assert not is_checked(answer, "imagefolder.several", "copy")
    assert '<option value="false" selected>Only training</option>' in text_of(answer)


def test_a_refused_snapshot_keeps_its_name_to_correct(cast, browser_of, here):
    answer = browser_of(cast.manager).post(here + "export/snapshots/", {"name": "long " * 41})
    assert answer.status_code == 400 and f'value="{"long " * 41}"' in answer.content.decode()


def test_progress_and_cancel(cast, browser_of, here):
    job = exports.start(cast.project, actor=cast.manager, format="csv")
    ExportJob.objects.filter(pk=job.pk).update(state=JobState.RUNNING, done=1_500, total=6_000)
    client = browser_of(cast.manager)
    part = client.get(here + "export/", headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    assert "<b>1,500</b> of 6,000 images" in text_of(part) and "every 2s" in text_of(part)
    assert client.post(f"{here}export/{job.pk}/cancel/")["Location"] == here + "export/"
    job.refresh_from_db()
    assert job.cancel_requested


def test_cancelling_what_is_done_is_a_message(reviewed, browser_of, here):
    job = write(reviewed)
    answer = browser_of(reviewed.manager).post(f"{here}export/{job.pk}/cancel/", follow=True)
    assert "The job is done already." in text_of(answer)


def test_an_export_of_another_project_is_not_found(cast, browser_of):
    from annotations.models import Project

    job = exports.start(cast.project, actor=cast.manager, format="csv")
    elsewhere = Project.objects.get(name="Elsewhere")
    address = f"/projects/{elsewhere.pk}/export/{job.pk}/cancel/"
    assert browser_of(cast.admin).post(address).status_code == 404


def test_nothing_yet_is_said(cast, browser_of, here):
    assert "Nothing has been exported yet." in text_of(browser_of(cast.manager).get(here + "export/"))


def test_queries_do_not_grow_with_exports(cast, browser_of, here):
    client = browser_of(cast.manager)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(here + "export/").status_code == 200
        return len(captured)

    for _ in range(2):
        exports.start(cast.project, actor=cast.manager, format="csv")
    few = queries()
    for _ in range(18):
        exports.start(cast.project, actor=cast.manager, format="csv")
    assert queries() == few
