"""Imports that read what files say: tags as answers of the import, captions that fill and never replace."""

import io
import json
import zipfile

import pytest

from annotations import tasks
from annotations.exporters import keywords
from annotations.importers import sources
from annotations.models import Decision, Image, ImportItem, ImportJob
from annotations.services import import_keywords, jobs
from tests.annotations import files


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def landed(cast, client_of):
    def send(names, **fields):
        body = files.form({"files": list(names.items()), **fields})
        address = f"/api/v1/projects/{cast.project.pk}/imports/"
        answer = client_of(cast.manager).post(address, body, content_type=files.FORM)
        assert answer.status_code == 202, answer.content
        tasks.run_import(answer.json()["id"])
        return ImportJob.objects.get(pk=answer.json()["id"])

    return send


def picture(seed=1, *, caption="", tags=(), format="JPEG"):
    return keywords.embedded(files.picture(seed, format=format), caption=caption, tags=tags)


def yes(image):
    rows = Decision.objects.filter(image=image).order_by("pk")
    return [(row.tag.name, row.value, row.source, row.scope) for row in rows.select_related("tag")]


def test_keywords_inside_become_tags_and_a_caption_inside_fills_an_empty_one(landed):
    job = landed(
        {"a.jpg": picture(caption="A dog 🐕", tags=["dog", "wet, green grass"])}, file_keywords="true"
    )
    image = Image.objects.get()
    assert (job.state, job.errors, image.caption) == ("done", [], "A dog 🐕")
    assert yes(image) == [("dog", "yes", "import", "tag"), ("wet, green grass", "yes", "import", "tag")]


def test_without_being_asked_nothing_inside_is_read(landed):
    landed({"a.jpg": picture(caption="A dog", tags=["dog"])})
    image = Image.objects.get()
    assert (image.caption, yes(image)) == ("", [])


def test_a_caption_that_was_sent_or_is_there_stands(landed):
    inside = picture(caption="Inside", tags=["dog"])
    landed({"a.jpg": inside}, file_keywords="true", captions=json.dumps({"a.jpg": "Sent"}))
    assert Image.objects.get().caption == "Sent"
    job = landed({"a.jpg": inside}, file_keywords="true")
    assert (Image.objects.get().caption, job.result["duplicates"]) == ("Sent", 1)


def test_a_known_image_without_a_caption_gets_the_one_inside(landed):
    inside = picture(caption="Inside", tags=["dog"])
    landed({"a.jpg": inside})
    job = landed({"a.jpg": inside}, file_keywords="true")
    image = Image.objects.get()
    assert (image.caption, job.result["updated"], len(yes(image))) == ("Inside", 1, 1)


def test_tags_that_were_sent_come_before_those_inside(landed):
    sent = json.dumps({"a.jpg": {"caption": None, "tags": ["boat", "dog"]}})
    landed({"a.jpg": picture(tags=["dog", "lake"])}, file_keywords="true", captions=sent)
    assert [name for name, *_ in yes(Image.objects.get())] == ["boat", "dog", "lake"]


def test_complete_counts_keywords_inside_as_all_that_apply(landed):
    landed({"a.jpg": picture(tags=["dog"])}, file_keywords="true", complete="true")
    assert Image.objects.get().state == "reviewed"


def test_words_that_cannot_be_kept_are_named_and_the_picture_lands(landed):
    job = landed({"a.jpg": picture(tags=["t" * 300, "dog"])}, file_keywords="true")
    assert [error["code"] for error in job.errors] == ["tag_too_long"]
    assert [name for name, *_ in yes(Image.objects.get())] == ["dog"]


def test_damaged_metadata_never_refuses_a_picture(landed):
    whole = picture(tags=["dog"])
    damaged = whole.replace(b"<rdf:RDF", b"<rdf:RDX", 1)
    job = landed({"a.jpg": damaged}, file_keywords="true")
    assert (job.result["added"], job.result["refused"], job.errors) == (1, 0, [])


def test_a_successor_reads_again_with_the_same_effect(cast, landed, monkeypatch):
    stored = import_keywords._store

    def dies_after(*args):
        stored(*args)
        raise ConnectionError

    monkeypatch.setattr(import_keywords, "_store", dies_after)
    job = landed({"a.jpg": picture(caption="A dog", tags=["dog", "t" * 300])}, file_keywords="true")
    assert (job.state, ImportItem.objects.get().tags) == ("failed", ["dog"])
    monkeypatch.undo()
    ImportJob.objects.filter(pk=job.pk).update(state="queued", claim=None, finished_at=None)
    import_keywords.gather(jobs.claim(ImportJob, job.pk))
    job.refresh_from_db()
    assert (ImportItem.objects.get().tags, len(job.errors)) == (["dog"], 1)


def test_sidecars_of_an_upload_become_words_and_no_images(landed):
    job = landed(
        {
            "a.jpg": files.picture(1),
            "a.txt": b"dog, grass",
            "b.png": files.picture(2, format="PNG"),
            "b.png.xmp": keywords.sidecar(caption="A boat", tags=["boat"]),
        }
    )
    assert (job.total, job.result["added"], job.errors) == (2, 2, [])
    first, second = Image.objects.order_by("pk")
    assert [name for name, *_ in yes(first)] == ["dog", "grass"]
    assert (second.caption, [name for name, *_ in yes(second)]) == ("A boat", ["boat"])


def test_a_table_outranks_a_sidecar(landed):
    landed({"a.jpg": files.picture(1), "a.txt": b"By sidecar."}, captions=json.dumps({"a.jpg": "By table"}))
    assert Image.objects.get().caption == "By table"


def test_sidecars_of_an_archive_are_read(landed, cast, client_of):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("in/a.jpg", files.picture(1))
        archive.writestr("in/a.json", json.dumps({"caption": "A dog", "tags": ["dog"]}))
    body = files.form({"archive": ("all.zip", target.getvalue())})
    address = f"/api/v1/projects/{cast.project.pk}/imports/"
    answer = client_of(cast.manager).post(address, body, content_type=files.FORM)
    tasks.run_import(answer.json()["id"])
    image = Image.objects.get()
    assert (image.caption, [name for name, *_ in yes(image)]) == ("A dog", ["dog"])


def test_sidecars_of_a_server_folder_are_read_and_other_files_passed_over(
    cast, client_of, settings, tmp_path
):
    settings.IMPORT_ROOTS = [tmp_path]
    folder = files.folder_of(tmp_path / "shoot", 1)
    (folder / "p0000.txt").write_text("A dog.")
    (folder / "notes.txt").write_text("Not for anybody.")
    address = f"/api/v1/projects/{cast.project.pk}/imports/"
    answer = client_of(cast.manager).post(address, {"path": "shoot"}, format="json")
    tasks.run_import(answer.json()["id"])
    job = ImportJob.objects.get()
    assert (job.total, job.errors, Image.objects.get().caption) == (1, [], "A dog.")


def test_a_json_beside_its_picture_is_no_table_in_the_plain_form(cast, browser_of):
    body = files.form(
        {"files": [("a.jpg", files.picture(1)), ("a.json", b'{"caption": "A dog"}')], "file_keywords": "true"}
    )
    client = browser_of(cast.manager)
    answer = client.post(f"/projects/{cast.project.pk}/import/", body, content_type=files.FORM)
    assert answer.status_code == 302
    job = ImportJob.objects.get()
    tasks.run_import(job.pk)
    assert Image.objects.get().caption == "A dog" and job.options["file_keywords"] is True


def test_a_switch_that_is_neither_true_nor_false_is_refused():
    with pytest.raises(Exception, match="file_keywords: expected true or false"):
        sources.options({"file_keywords": "maybe"})
