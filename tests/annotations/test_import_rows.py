"""Rows of words for images that are here land as they are read; what has to wait lands as before, with the same end."""

import json

import pytest

from annotations.importers import sources
from annotations.importers.base import Options
from annotations.importers.uploads import StagedUpload
from annotations.models import Decision, ImportItem, ImportJob, Project, Tag
from annotations.selectors import counters
from annotations.services import import_rows, imports, jobs, projects, storage
from tests.annotations import files
from tests.factories import make_images, make_tags, review_next


@pytest.fixture(autouse=True)
def small_pieces(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(import_rows, "PIECE_SIZE", 3)
    monkeypatch.setattr(imports, "ROWS_AT_ONCE", 3)


def sent(project, rows, *, actor=None, **options):
    """A table of JSON Lines whose import a worker holds; nothing of it is read yet."""
    area = storage.new_staging_area()
    table = StagedUpload(f"{area}/rows.jsonl", "rows.jsonl", 0, "", "manifest")
    storage.put(table.key, b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    batch = sources.read({}, [table], area=area).batch
    job = imports.start(
        project, actor=actor, source="table", batch=batch, area=area, options=Options(**options)
    )
    claimed = jobs.claim(ImportJob, job.pk)
    assert claimed is not None
    return claimed


def states(job):
    return list(job.items.order_by("pk").values_list("name", "state"))


def test_they_land_while_the_table_is_read(cast):
    images = make_images(cast.project, 7)
    rows = [{"name": image.name, "caption": f"About {image.name}", "tags": ["dog"]} for image in images]
    job = sent(cast.project, rows)
    import_rows.complete(job)
    assert states(job) == [(image.name, "updated") for image in images]
    job.refresh_from_db()
    assert (job.done, job.total, job.result["updated"]) == (7, 7, 7)
    assert {image.caption for image in cast.project.images.all()} == {row["caption"] for row in rows}
    assert Decision.objects.filter(tag__name="dog", source="import").count() == 7
    imports.run(job)
    job.refresh_from_db()
    assert (job.state, job.done, job.result["updated"], job.errors) == ("done", 7, 7, [])


def test_a_picture_that_has_to_be_looked_at_makes_all_after_it_wait(cast, settings, tmp_path):
    """Of two rows of an image the later one counts, wherever they stand."""
    images = make_images(cast.project, 6)
    rows = [{"name": image.name, "caption": "first"} for image in images]
    rows[4:4] = [{"path": "p0000.jpg", "caption": "new"}]
    rows += [{"name": images[0].name, "caption": "last"}]
    settings.IMPORT_ROOTS = [str(files.folder_of(tmp_path / "shelf", 1))]
    job = sent(cast.project, rows)
    import_rows.complete(job)
    assert [state for _, state in states(job)] == ["updated"] * 3 + ["waiting"] * 5
    imports.run(job)
    assert [state for _, state in states(job)] == ["updated"] * 4 + ["added"] + ["updated"] * 3
    images[0].refresh_from_db()
    assert images[0].caption == "last"


def test_what_is_complete_waits_for_the_tags_of_all_other_rows(cast):
    """So that its review answers a tag which only a later row names."""
    images = make_images(cast.project, 4)
    rows = [{"name": image.name, "tags": [f"tag {n}"]} for n, image in enumerate(images)]
    job = sent(cast.project, rows, complete=True)
    import_rows.complete(job)
    assert {state for _, state in states(job)} == {"waiting"} and not Tag.objects.exists()
    imports.run(job)
    job.refresh_from_db()
    version = Project.objects.get(pk=job.project_id).vocabulary_version
    assert job.result["updated"] == 4
    assert set(cast.project.reviews.values_list("vocabulary_version", flat=True)) == {version}


def mixed_rows(images):
    """What tables bring: several rows of one image, unknown images, twice the same, no's, suggestions, odd words."""
    said = []
    for n, image in enumerate(images):
        said.append({"name": image.name, "caption": f"Caption {n}\0", "tags": ["dog", f"new {n}"]})
        said.append({"name": image.name, "sha256": image.sha256, "tags": ["cat"], "no": ["bird"]})
    said += [{"name": images[0].name, "tags": ["x" * 300]}, {"name": images[0].name}]
    said += [{"name": images[1].name, "caption": "Caption 1", "metadata": {"camera": "X100"}}]
    return [*said, {"path": "there is none.jpg", "tags": ["dog"]}]


def told(project, job):
    """All that an import leaves behind, but for ids and times."""
    job.refresh_from_db()
    items = job.items.order_by("pk").values_list(
        "image__name", "state", "caption", "tags", "no", "error_code"
    )
    answers = Decision.objects.filter(project=project).order_by("image__name", "pk")
    return {
        "job": (job.state, job.done, job.total, job.result),
        "errors": sorted(job.errors, key=str),
        "items": list(items),
        "answers": list(answers.values_list("image__name", "tag__name", "value", "scope", "source")),
        "images": list(project.images.order_by("name").values_list("name", "caption", "metadata", "state")),
        "counters": counters.read(project.pk),
        "tags": list(project.tags.order_by("pk").values_list("name", flat=True)),
    }


@pytest.mark.parametrize("create_tags", [True, False])
def test_both_ways_leave_the_same_behind(cast, monkeypatch, create_tags):
    found = []
    for waits in (False, True):
        project = projects.create(cast.admin, name=f"Waits {waits}")
        make_tags(project, "dog", "bird")
        images = make_images(project, 6)
        rows = mixed_rows(images)
        with monkeypatch.context() as patch:
            if waits:
                patch.setattr(import_rows, "_lands_at_once", lambda file: False)
            job = sent(project, rows, actor=cast.admin, create_tags=create_tags)
            imports.run(job)
        found.append(told(project, job))
    assert found[0] == found[1]
    assert len(found[0]["answers"]) > 10 and len(found[0]["errors"]) >= 2


def test_a_review_of_a_person_is_never_overruled(cast):
    make_tags(cast.project, "dog")
    make_images(cast.project, 1)
    image = review_next(cast, cast.annotator, rejected=("dog",)).review.image
    imports.run(sent(cast.project, [{"name": image.name, "tags": ["dog"]}]))
    image.refresh_from_db()
    assert image.state == "reviewed"
    assert not ImportItem.objects.exclude(state="updated").exists()


def test_queries_do_not_grow_with_rows(cast, django_assert_max_num_queries, monkeypatch):
    """Of one piece: finding, locking, writing images, items and answers."""
    monkeypatch.setattr(import_rows, "PIECE_SIZE", 1_000)
    make_tags(cast.project, "dog")
    images = make_images(cast.project, 60)
    job = sent(cast.project, [{"name": image.name, "caption": "x", "tags": ["dog"]} for image in images])
    with django_assert_max_num_queries(40):
        import_rows.complete(job)
    assert job.items.filter(state="updated").count() == 60
