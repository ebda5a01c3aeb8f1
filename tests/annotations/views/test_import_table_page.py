"""Import by table on the page: look first, say what the columns are, then import; nothing is stored on the way."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotations import tasks
from annotations.importers import kept
from annotations.models import Image, ImportJob, OutsideSuggestion
from annotations.services import import_rows, jobs, storage
from tests.annotations.files import picture
from tests.annotations.views.test_access import assert_nothing_inline
from tests.annotations.views.test_imports_page import staged, text_of
from tests.factories import make_images, make_tags

TABLE = "Bild;Beschreibung;Wörter;Jahr\na.jpg;Ein Hund;Hund|See;2019\n".encode()


@pytest.fixture(autouse=True)
def own_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_ROOTS = []


@pytest.fixture
def page(here):
    return f"{here}import/table/"


@pytest.fixture
def look(cast, browser_of, page):
    """Send a table as the manager; answers the client, the page and the fields of its form."""

    def send(table=TABLE, name="t.csv", files=()):
        client = browser_of(cast.manager)
        pictures = [SimpleUploadedFile(*file) for file in files]
        answer = client.post(page, {"manifest": SimpleUploadedFile(name, table), "files": pictures})
        return client, answer, fields_of(answer.content.decode())

    return send


def fields_of(html):
    """The chosen option of each select, and the token of the kept files."""
    fields = dict(re.findall(r'name="(kept)" value="([^"]+)"', html))
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return fields


@pytest.mark.parametrize(("named", "is_offered"), [(["pictures"], True), ([], False)])
def test_buckets_are_offered_beside_the_table_before_and_after_it_is_sent(
    cast, browser_of, look, page, settings, named, is_offered
):
    settings.IMPORT_BUCKETS = named
    for answer in (browser_of(cast.manager).get(page), look()[1]):
        assert (">S3</a>" in answer.content.decode()) is is_offered


def test_a_table_is_looked_at_mapped_and_imported(cast, look, page, here):
    client, answer, fields = look(files=[("a.jpg", picture(1))])
    assert answer.status_code == 200 and not ImportJob.objects.exists()
    html = answer.content.decode()
    assert html.count("<h1") == 1 and "Ein Hund" in html
    assert_nothing_inline(html)
    assert (fields["column-0"], fields["column-1"], fields["tags_separator"]) == ("path", "", "|")

    fields |= {"column-1": "caption", "column-2": "tags", "column-3": "metadata", "create_tags": "true"}
    again = client.post(page, {**fields, "look": "1"})
    assert '<span class="tag">Hund</span>' in text_of(again) and "Jahr: 2019" in text_of(again)
    assert not ImportJob.objects.exists()

    done = client.post(page, fields)
    job = ImportJob.objects.get()
    assert done["Location"] == f"{here}import/{job.pk}/"
    tasks.run_import(job.pk)
    image = Image.objects.get()
    assert (image.caption, image.metadata) == ("Ein Hund", {"Jahr": "2019"})
    assert set(cast.project.tags.values_list("name", flat=True)) == {"Hund", "See"}
    assert not staged()


def test_suggestions_of_another_model_are_offered_shown_and_imported(cast, look, page):
    make_tags(cast.project, "dog")
    table = b'file;zero shot;model\na.jpg;"{""dog"": 0.9}";clip-7\n'
    client, answer, fields = look(table, files=[("a.jpg", picture(1))])
    html = answer.content.decode()
    assert '<option value="suggestions">Suggestions of another model</option>' in html
    assert '<option value="model_version">Name of the model that suggests</option>' in html

    fields |= {"column-1": "suggestions", "column-2": "model_version"}
    again = client.post(page, {**fields, "look": "1"})
    assert_nothing_inline(again.content.decode())
    assert "dog" in text_of(again) and "0.90" in text_of(again) and "by clip-7" in text_of(again)
    assert client.post(page, fields).status_code == 302
    tasks.run_import(ImportJob.objects.get().pk)
    stored = OutsideSuggestion.objects.get()
    assert (stored.image.name, stored.model, stored.scores) == ("a.jpg", "clip-7", [0.9])


def test_a_table_without_a_known_column_is_mapped_by_the_person(cast, look, page):
    (image,) = make_images(cast.project, 1)
    client, answer, fields = look(f"Nummer,Text\n{image.name.removesuffix('.jpg')},x\n".encode())
    assert answer.status_code == 200 and fields["column-0"] == ""
    refused = client.post(page, fields)
    assert refused.status_code == 400
    assert "expected a column that names the pictures" in text_of(refused)
    assert fields_of(refused.content.decode())["kept"] == fields["kept"]
    assert client.post(page, {**fields, "column-0": "name"}).status_code == 302


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (b"", "expected a table, got an empty file"),
        (b"path,path\na,b\n", "two columns are called “path”"),
        (b"PAR1 but not really", "expected a Parquet file"),
    ],
)
def test_a_bad_table_is_said_at_the_form_and_leaves_nothing(look, table, sentence):
    _, answer, _ = look(table)
    assert answer.status_code == 400
    assert sentence in text_of(answer) and "Nothing was imported." in text_of(answer)
    assert not staged()


def test_no_table_is_said(cast, browser_of, page):
    answer = browser_of(cast.manager).post(page, {"files": [SimpleUploadedFile("a.jpg", picture(1))]})
    assert answer.status_code == 400 and "Expected a table, got none." in text_of(answer)
    assert not staged()


def test_what_waits_belongs_to_one_person_and_one_project(cast, look, page, browser_of):
    _, _, fields = look()
    stranger = browser_of(cast.admin).post(page, fields)
    assert stranger.status_code == 400 and "not here any more" in text_of(stranger)
    with pytest.raises(Exception, match="Choose the file again"):
        kept.take(fields["kept"], project_id=cast.project.pk + 1, user_id=cast.manager.pk)


@pytest.mark.parametrize("token", ["nonsense", "a:b:c"])
def test_a_forged_token_is_refused(cast, browser_of, page, token):
    assert browser_of(cast.manager).post(page, {"kept": token}).status_code == 400


def test_the_same_form_sent_twice_starts_one_import(cast, look, page):
    client, _, fields = look(files=[("a.jpg", picture(1))])
    assert client.post(page, fields).status_code == 302
    assert client.post(page, fields).status_code == 400
    assert ImportJob.objects.count() == 1


def test_a_form_without_its_token_is_refused_and_leaves_nothing(cast, page):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.manager)
    assert client.post(page, {"manifest": SimpleUploadedFile("t.csv", TABLE)}).status_code == 403
    assert not staged()


@pytest.mark.parametrize(("who", "status"), [("outsider", 404), ("reviewer", 403)])
def test_who_may_not_import_stores_no_file_on_the_way(cast, browser_of, page, who, status):
    answer = browser_of(getattr(cast, who)).post(page, {"manifest": SimpleUploadedFile("t.csv", TABLE)})
    assert answer.status_code == status and not staged()


def test_how_far_a_table_is_read_is_shown_until_its_first_image(cast, look, page, browser_of, here):
    client, _, fields = look(files=[("a.jpg", picture(1))])
    client.post(page, fields)
    job = jobs.claim(ImportJob, ImportJob.objects.get().pk)
    report = f"{here}import/{job.pk}/"
    for part in (report, f"{here}import/"):
        assert "<b>0</b> rows read so far" in text_of(browser_of(cast.manager).get(part))
    import_rows.complete(job)
    answer = text_of(browser_of(cast.manager).get(report))
    assert "read so far" not in answer and "<b>0</b> of 1 image" in answer


def test_cells_are_shown_as_text(look):
    _, answer, _ = look(b'path,"<b>x</b>",caption\n<i>.jpg,1,<script>alert(1)</script>\n')
    assert "<script>alert" not in answer.content.decode() and "<b>x</b>" not in answer.content.decode()


def test_a_thousand_columns_show_the_first_and_keep_the_rest(look, page):
    header = ",".join(["path", *(f"c{n}" for n in range(998)), "caption"])
    client, answer, fields = look(
        f"{header}\na.jpg{',x' * 998},last\n".encode(), files=[("a.jpg", picture(1))]
    )
    assert "940 more columns keep what their names say" in text_of(answer)
    client.post(page, fields)
    tasks.run_import(ImportJob.objects.get().pk)
    assert ImportJob.objects.get().items.get().caption == "last"


def test_an_area_that_was_swept_is_said(look, page):
    client, _, fields = look()
    for path in staged():
        storage.delete_area(f"{storage.STAGING}/{path.parent.name}")
    assert "not here any more" in text_of(client.post(page, fields))


def test_a_json_list_is_looked_at_mapped_and_imported_like_any_table(cast, look, page, here):
    listed = [
        {"Bild": "a.jpg", "Beschreibung": "Ein Hund", "Wörter": ["Hund", "See"], "Ort": {"land": "Ö"}},
        {"Bild": "b.jpg", "Beschreibung": {"de": "Ein Haus"}},
    ]
    client, answer, fields = look(
        json.dumps(listed).encode(), "t.json", files=[("a.jpg", picture(1)), ("b.jpg", picture(2))]
    )
    html = answer.content.decode()
    assert answer.status_code == 200 and ".json" in client.get(page).content.decode()
    assert_nothing_inline(html)
    assert "{&quot;land&quot;: &quot;Ö&quot;}" in html
    sent = {**fields, "column-0": "path", "column-1": "caption", "column-2": "tags", "column-3": "metadata"}
    looked = text_of(client.post(page, {**sent, "look": ""}))
    assert "Expected text, got an object. Write one value there" in looked
    assert client.post(page, sent).status_code == 302
    tasks.run_import(ImportJob.objects.get().pk)
    job = ImportJob.objects.get()
    assert [(error["item"], error["code"]) for error in job.errors] == [
        ("t.json, object 2, column “Beschreibung”", "bad_cell")
    ]
    a, b = Image.objects.order_by("name")
    assert (a.caption, a.metadata, b.caption) == ("Ein Hund", {"land": "Ö"}, "")
    assert set(cast.project.tags.values_list("name", flat=True)) == {"Hund", "See"}


@pytest.mark.parametrize("indent", [None, 1])
def test_an_object_around_the_list_is_refused_with_a_remedy(look, indent):
    _, answer, _ = look(json.dumps({"ours": [{"path": "a.jpg"}]}, indent=indent).encode(), "t.json")
    assert answer.status_code == 400
    assert "Send the list of the images alone" in text_of(answer)
    assert not staged()
