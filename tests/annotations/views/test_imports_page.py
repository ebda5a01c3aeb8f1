"""Import by page: the form without script, what runs, the report, and who may see any of it."""

import contextlib
import io
import json
import shutil
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotations import tasks
from annotations.importers.base import Batch, ItemError, Options, StagedFile
from annotations.models import Image, ImportJob, JobState
from annotations.selectors import import_reports
from annotations.services import imports, storage
from tests.annotations.files import picture as picture_bytes
from tests.annotations.views.test_access import assert_nothing_inline

UPLOAD = "6b1f2b64-9a53-4e6a-9f2b-0d4f6b1f2b64"


def text_of(answer):
    return " ".join(answer.content.decode().split())


def picture(name, number):
    return SimpleUploadedFile(name, picture_bytes(number), "image/jpeg")


def bring(cast, *, count=1, upload="", errors=(), area="", source="upload"):
    """A job as a request leaves it; its files are missing, so that a worker refuses each."""
    files = tuple(StagedFile(f"picture-{number}.jpg", f"nowhere/{number}") for number in range(count))
    batch = Batch(files, {}, tuple(errors))
    return imports.start(
        cast.project,
        actor=cast.manager,
        source=source,
        batch=batch,
        options=Options(upload=upload),
        area=area,
    )


@pytest.fixture(autouse=True)
def empty_staging():
    """Files that other tests have left waiting are not this page's."""
    root = storage.local_path(storage.STAGING)
    shutil.rmtree(root, ignore_errors=True)


def staged():
    root = storage.local_path(storage.STAGING)
    return [path for path in root.rglob("*") if path.is_file()] if root.exists() else []


class TestAccess:
    @pytest.mark.parametrize(
        ("who", "status"), [("outsider", 404), ("annotator", 403), ("reviewer", 403), ("manager", 200)]
    )
    @pytest.mark.parametrize("page", ["import/", "import/{job}/", "import/{job}/refused.csv"])
    def test_managers_only(self, cast, browser_of, here, page, who, status):
        job = bring(cast)
        answer = browser_of(getattr(cast, who)).get(here + page.format(job=job.pk))
        assert answer.status_code == status

    @pytest.mark.parametrize(("who", "status"), [("outsider", 404), ("annotator", 403)])
    def test_who_may_not_import_stores_no_file_on_the_way(self, cast, browser_of, here, who, status):
        answer = browser_of(getattr(cast, who)).post(here + "import/", {"files": [picture("a.jpg", 1)]})
        assert answer.status_code == status
        assert not ImportJob.objects.exists() and not staged()

    def test_a_form_without_its_token_is_refused_and_leaves_nothing(self, cast, here):
        client = Client(enforce_csrf_checks=True)
        client.force_login(cast.manager)
        answer = client.post(here + "import/", {"files": [picture("a.jpg", 1)]})
        assert answer.status_code == 403
        assert not ImportJob.objects.exists() and not staged()

    def test_a_form_with_its_token_lands(self, cast, here):
        client = Client(enforce_csrf_checks=True)
        client.force_login(cast.manager)
        page = client.get(here + "import/").content.decode()
        token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        sent = {"csrfmiddlewaretoken": token, "files": [picture("a.jpg", 1)]}
        assert client.post(here + "import/", sent).status_code == 302
        assert ImportJob.objects.get().total == 1

    def test_a_full_disk_is_said_on_the_form_and_leaves_nothing(self, cast, browser_of, here, monkeypatch):
        @contextlib.contextmanager
        def full(key):
            with open("/dev/full", "wb", buffering=0) as device:  # noqa: PTH123
                yield device

        monkeypatch.setattr(storage, "writer", full)
        answer = browser_of(cast.manager).post(here + "import/", {"files": [picture("a.jpg", 1)]})
        assert answer.status_code == 507
        assert "The server&#x27;s disk is full" in answer.content.decode()
        assert not ImportJob.objects.exists() and not staged()

    def test_an_import_of_another_project_is_not_found(self, cast, browser_of):
        from annotations.models import Project

        job = bring(cast)
        elsewhere = Project.objects.get(name="Elsewhere")
        answer = browser_of(cast.admin).get(f"/projects/{elsewhere.pk}/import/{job.pk}/")
        assert answer.status_code == 404

    @pytest.mark.parametrize("page", ["import/", "import/{job}/"])
    def test_one_heading_and_nothing_inline(self, cast, browser_of, here, page):
        job = bring(cast, errors=[ItemError("x.svg", "unsupported_format", "Expected a picture.")])
        html = browser_of(cast.manager).get(here + page.format(job=job.pk)).content.decode()
        assert html.count("<h1") == 1
        assert_nothing_inline(html)


class TestForm:
    def test_pictures_with_captions_land(self, cast, browser_of, here):
        table = SimpleUploadedFile("words.csv", b"name,caption\na.jpg,A dog runs.\n", "text/csv")
        sent = {"files": [picture("a.jpg", 1), picture("b.jpg", 2)], "captions_file": table}
        answer = browser_of(cast.manager).post(here + "import/", sent)
        job = ImportJob.objects.get()
        assert answer["Location"] == f"{here}import/{job.pk}/"
        tasks.run_import(job.pk)
        captions = dict(Image.objects.filter(project=cast.project).values_list("name", "caption"))
        assert captions == {"a.jpg": "A dog runs.", "b.jpg": ""}
        assert not staged()

    def test_a_zip_and_a_table_among_the_pictures_are_what_they_are(self, cast, browser_of, here):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("walk/a.jpg", picture_bytes(1))
        files = [
            SimpleUploadedFile("walk.zip", buffer.getvalue()),
            SimpleUploadedFile("words.json", b'{"walk/a.jpg": "A lake."}'),
        ]
        browser_of(cast.manager).post(here + "import/", {"files": files})
        job = ImportJob.objects.get()
        assert job.source == "archive"
        tasks.run_import(job.pk)
        assert Image.objects.get(project=cast.project).caption == "A lake."

    @pytest.mark.parametrize(
        ("name", "table", "sentence"),
        [
            (
                "words.csv",
                b"name,caption\na.jpg,caf\xe9\n",
                "words.csv: expected UTF-8, got byte 0xE9 in line 2",
            ),
            ("words.csv", b"picture;words\na.jpg;x\n", "expected a column “name” or “filename” or “file”"),
            ("words.json", b"{", "words.json: expected JSON"),
        ],
    )
    def test_a_bad_captions_file_is_said_at_the_form(self, cast, browser_of, here, name, table, sentence):
        sent = {"files": [picture("a.jpg", 1)], "captions_file": SimpleUploadedFile(name, table)}
        answer = browser_of(cast.manager).post(here + "import/", sent)
        assert answer.status_code == 400
        assert sentence in text_of(answer) and "Nothing was imported." in text_of(answer)
        assert not ImportJob.objects.exists() and not staged()

    def test_an_empty_form_says_what_is_missing(self, cast, browser_of, here):
        answer = browser_of(cast.manager).post(here + "import/", {})
        assert answer.status_code == 400
        assert "Expected at least one picture, got none." in text_of(answer)

    def test_too_many_files_are_refused_with_a_sentence(self, cast, browser_of, here, monkeypatch):
        from annotations.importers import uploads

        monkeypatch.setattr(uploads, "MAX_FILES", 2)
        files = [picture(f"{number}.jpg", number) for number in range(3)]
        answer = browser_of(cast.manager).post(here + "import/", {"files": files})
        assert answer.status_code == 413 and "Expected at most 2 files a request" in text_of(answer)
        assert not staged()

    def test_unticked_tags_are_not_created(self, cast, browser_of, here):
        table = SimpleUploadedFile("words.csv", b"name,caption,tags\na.jpg,x,dog\n")
        sent = {"files": [picture("a.jpg", 1)], "captions_file": table, "create_tags": "false"}
        browser_of(cast.manager).post(here + "import/", sent)
        assert ImportJob.objects.get().options["create_tags"] is False


class TestAddresses:
    def test_a_list_is_sent_line_by_line(self, cast, browser_of, here):
        page = browser_of(cast.manager).get(f"{here}import/?from=addresses")
        assert 'name="urls"' in text_of(page)
        assert_nothing_inline(page.content.decode())
        urls = "http://example.org/a.jpg\r\n\r\n  nonsense \r\nhttp://example.org/b.jpg"
        answer = browser_of(cast.manager).post(here + "import/", {"urls": urls})
        job = ImportJob.objects.get()
        assert answer["Location"] == f"{here}import/{job.pk}/"
        assert list(job.items.order_by("pk").values_list("name", flat=True)) == ["a.jpg", "b.jpg"]
        assert [error["item"] for error in job.errors] == ["nonsense"]
        report = text_of(browser_of(cast.manager).get(answer["Location"]))
        assert "Addresses" in report

    def test_a_long_address_is_shown_without_its_middle_and_kept_whole_in_the_table(
        self, cast, browser_of, here
    ):
        url = "http://example.org/walk/a.jpg?signature=" + "x" * 300 + "&n=17"
        job = bring(cast, errors=[ItemError(url, "address_missing", "Nothing lies there.")])
        tasks.run_import(job.pk)
        client = browser_of(cast.manager)
        page = text_of(client.get(f"{here}import/{job.pk}/"))
        assert "…" + "x" * 43 + "&amp;n=17</th>" in page
        assert url in client.get(f"{here}import/{job.pk}/refused.csv").content.decode()

    def test_what_is_refused_stays_in_its_field(self, cast, browser_of, here, monkeypatch):
        from annotations.importers import sources

        monkeypatch.setattr(sources, "MAX_FILES", 1)
        urls = "http://example.org/a.jpg\nhttp://example.org/<b>.jpg"
        answer = browser_of(cast.manager).post(here + "import/", {"urls": urls})
        assert answer.status_code == 413
        assert "Nothing was imported." in text_of(answer)
        assert "http://example.org/&lt;b&gt;.jpg</textarea>" in answer.content.decode()
        assert not ImportJob.objects.exists()


class TestBuckets:
    def test_without_a_bucket_to_read_none_is_offered(self, cast, browser_of, here, settings):
        settings.IMPORT_BUCKETS = []
        page = text_of(browser_of(cast.manager).get(f"{here}import/?from=s3"))
        assert ">S3</a>" not in page and 'name="s3"' not in page

    def test_a_bucket_is_asked_for_with_its_prefix(self, cast, browser_of, here, settings, monkeypatch):
        settings.IMPORT_BUCKETS = ["pictures", "s3://shared/open/"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        client = browser_of(cast.manager)
        page = text_of(client.get(f"{here}import/?from=s3"))
        assert "This server may read <code>pictures</code> and <code>shared/open</code>." in page
        refused = client.post(here + "import/", {"s3": "other/walk"})
        assert refused.status_code == 400 and "is not in a bucket" in text_of(refused)
        assert 'value="other/walk"' in refused.content.decode()
        client.post(here + "import/", {"s3": "pictures/walk/"})
        assert ImportJob.objects.get().options["listing"] == "pictures/walk/"


class TestUploadInManyRequests:
    """What the page's script sends to the API: one upload, several requests, one report."""

    def send(self, client, cast, names, elsewhere, report, table=b"name,caption\na.jpg,One.\nb.jpg,Two.\n"):
        return client.post(
            f"/api/v1/projects/{cast.project.pk}/imports/",
            {
                "upload": UPLOAD,
                "unmatched_captions": report,
                "files": [picture(name, number) for number, name in enumerate(names, start=ord(names[0][0]))],
                "captions_file": SimpleUploadedFile("words.csv", table),
                "elsewhere": SimpleUploadedFile("elsewhere.json", json.dumps(elsewhere).encode()),
            },
        )

    def test_a_caption_in_another_request_is_not_missing(self, cast, browser_of, here):
        client = browser_of(cast.manager)
        table = b"name,caption\na.jpg,One.\nb.jpg,Two.\nnobody.jpg,Three.\n"
        first = self.send(client, cast, ["a.jpg"], ["b.jpg"], "ignore", table).json()
        second = self.send(client, cast, ["b.jpg"], ["a.jpg"], "report", table).json()
        assert first["errors"] == []
        assert [error["item"] for error in second["errors"]] == ["nobody.jpg"]
        captions = ImportJob.objects.get(pk=second["id"]).items.values_list("name", "caption")
        assert list(captions) == [("b.jpg", "Two.")]

    def test_a_bare_name_that_fits_two_files_elsewhere_is_ambiguous(self, cast, browser_of):
        client = browser_of(cast.manager)
        answer = self.send(client, cast, ["a.jpg"], ["x/b.jpg", "y/b.jpg"], "ignore").json()
        assert [(error["item"], error["code"]) for error in answer["errors"]] == [
            ("b.jpg", "caption_ambiguous")
        ]

    def test_they_share_a_report(self, cast, browser_of, here):
        for number in (1, 2):
            bring(
                cast, count=number, upload=UPLOAD, errors=[ItemError("t.csv", "caption_repeated", "Twice.")]
            )
        bring(cast)
        first = ImportJob.objects.order_by("pk").first()
        report = import_reports.of_job(cast.project, first.pk)
        assert (report.requests, report.total, report.state) == (2, 3, "queued")
        assert len(import_reports.newest(cast.project)) == 2
        page = text_of(browser_of(cast.manager).get(f"{here}import/{first.pk}/"))
        assert page.count("<td>Twice.</td>") == 1

    @pytest.mark.parametrize("bad", ["nonsense", "1"])
    def test_an_upload_is_named_by_a_uuid(self, cast, browser_of, bad):
        address = f"/api/v1/projects/{cast.project.pk}/imports/"
        answer = browser_of(cast.manager).post(address, {"upload": bad, "files": [picture("a.jpg", 1)]})
        assert answer.status_code == 400 and "expected a UUID" in answer.json()["error"]["message"]


class TestProgress:
    def test_what_runs_says_how_far_it_is_and_offers_to_stop(self, cast, browser_of, here):
        job = bring(cast, count=4)
        ImportJob.objects.filter(pk=job.pk).update(state=JobState.RUNNING, done=1)
        page = text_of(browser_of(cast.manager).get(here + "import/"))
        assert "<b>1</b> of 4 images" in page
        assert 'value="1" max="4"' in page
        assert f'action="{here}import/{job.pk}/cancel/"' in page
        assert 'hx-trigger="every 2s' in page

    def test_the_part_that_polls_is_a_part(self, cast, browser_of, here):
        bring(cast)
        part = browser_of(cast.manager).get(here + "import/", headers={"HX-Request": "true"})
        assert "<html" not in part.content.decode() and "HX-Request" in part["Vary"]
        assert "waits for a worker" in text_of(part)

    def test_cancelling_stops_every_request_of_an_upload(self, cast, browser_of, here):
        jobs = [bring(cast, upload=UPLOAD) for _ in range(2)]
        other = bring(cast)
        answer = browser_of(cast.manager).post(f"{here}import/{jobs[0].pk}/cancel/")
        assert answer["Location"] == f"{here}import/{jobs[0].pk}/"
        states = dict(ImportJob.objects.values_list("pk", "state"))
        assert states == {jobs[0].pk: "cancelled", jobs[1].pk: "cancelled", other.pk: "queued"}

    def test_cancelling_what_has_ended_changes_nothing(self, cast, browser_of, here):
        job = bring(cast)
        tasks.run_import(job.pk)
        assert browser_of(cast.manager).post(f"{here}import/{job.pk}/cancel/").status_code == 302
        assert ImportJob.objects.get().state == "done"

    def test_a_finished_report_names_each_refusal_and_stops_asking(self, cast, browser_of, here):
        job = bring(cast, count=2, errors=[ItemError("=x.svg", "unsupported_format", "Not a picture.")])
        tasks.run_import(job.pk)
        client = browser_of(cast.manager)
        page = text_of(client.get(f"{here}import/{job.pk}/"))
        assert "3 to look at" in page and "picture-1.jpg" in page and "Not a picture." in page
        assert "Its bytes cannot be read" in page
        assert "every 2s" not in page
        table = client.get(f"{here}import/{job.pk}/refused.csv")
        assert table["Content-Disposition"] == f'attachment; filename="import-{job.pk}-refused.csv"'
        lines = table.content.decode().splitlines()
        assert lines[0] == "item,code,message" and len(lines) == 4
        assert any(line.startswith("'=x.svg,unsupported_format") for line in lines)

    def test_nothing_yet_is_said(self, cast, browser_of, here):
        assert "Nothing has been imported yet." in text_of(browser_of(cast.manager).get(here + "import/"))

    def test_earlier_imports_come_in_pages(self, cast, browser_of, here):
        for _ in range(22):
            bring(cast)
        for job in ImportJob.objects.all():
            imports.cancel(job, actor=cast.manager)
        client = browser_of(cast.manager)
        first = text_of(client.get(here + "import/"))
        older = first.split('href="?before=')[1].split('"')[0]
        second = text_of(client.get(f"{here}import/?before={older}"))
        assert first.count(">cancelled<") == 20 and second.count(">cancelled<") == 2

    def test_queries_do_not_grow_with_imports(self, cast, browser_of, here):
        client = browser_of(cast.manager)

        def queries():
            with CaptureQueriesContext(connection) as captured:
                assert client.get(here + "import/").status_code == 200
            return len(captured)

        for _ in range(2):
            bring(cast)
        few = queries()
        for _ in range(18):
            bring(cast)
        assert queries() == few
