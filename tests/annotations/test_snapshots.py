"""Snapshots: frozen once, addressed by their contents, compared, exported to the same bytes, and removed."""

import json
import tempfile
import threading

import pytest
from django.db import connection

from annotations import tasks
from annotations.api import snapshots as api
from annotations.exporters import frozen
from annotations.models import AuditEvent, ExportJob, Image, Project, Snapshot, Tag
from annotations.selectors import export_rows
from annotations.services import exports, freezing, image_edits, snapshots, storage, tags
from tests.annotations import files
from tests.factories import make_images, make_tags, review_next


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(api, "WAIT_S", 0.0)


@pytest.fixture
def reviewed(cast):
    """Three images, two of them reviewed."""
    make_tags(cast.project, "dog", "water")
    make_images(cast.project, 3, caption="A dog by the lake")
    review_next(cast, cast.annotator, yes=("dog",), rejected=("water",))
    review_next(cast, cast.annotator)
    return cast


def freeze(cast, name="first") -> Snapshot:
    snapshot = snapshots.start(cast.project, actor=cast.manager, name=name)
    tasks.run_snapshot(snapshot.pk)
    snapshot.refresh_from_db()
    assert snapshot.state == "done", snapshot.reason
    return snapshot


def exported(cast, format="jsonl", **asked) -> bytes:
    job = exports.start(cast.project, actor=cast.manager, format=format, **asked)
    tasks.run_export(job.pk)
    job.refresh_from_db()
    assert job.state == "done", job.reason
    return storage.read(job.file_key)


def test_nothing_changed_gives_the_same_sha256_and_every_change_another(reviewed):
    first = freeze(reviewed)
    assert (first.images, first.decisions, len(first.sha256)) == (3, 2, 64)
    assert freeze(reviewed).sha256 == first.sha256
    review_next(reviewed, reviewed.annotator, yes=("dog", "water"))
    later = freeze(reviewed)
    assert later.sha256 != first.sha256
    make_tags(reviewed.project, "snow")
    assert freeze(reviewed).sha256 != later.sha256, "the new tag is not asked on what was reviewed before it"


def test_a_rename_changes_it_and_taking_it_back_gives_the_first_one(reviewed):
    first = freeze(reviewed)
    tag = Tag.objects.get(name="dog")
    tags.update(tag, {"name": "hound"}, actor=reviewed.manager)
    assert freeze(reviewed).sha256 != first.sha256
    tags.update(tag, {"name": "dog"}, actor=reviewed.manager)
    assert freeze(reviewed).sha256 == first.sha256


@pytest.mark.parametrize("format", ["jsonl", "csv", "csv-long", "coco", "datumaro", "voc", "parquet"])
def test_a_snapshot_exports_to_the_same_bytes_whatever_comes_after(reviewed, format):
    snapshot = freeze(reviewed)
    before = exported(reviewed, format)
    review_next(reviewed, reviewed.annotator, yes=("water",))
    image_edits.trash(reviewed.project, Image.objects.first().pk, actor=reviewed.manager)
    make_tags(reviewed.project, "snow")
    assert exported(reviewed, format) != before
    assert exported(reviewed, format, snapshot=snapshot) == before


def test_implied_noes_come_from_a_snapshot_too(reviewed):
    snapshot = freeze(reviewed)
    asked = {"format": "csv-long", "options": {"implied_no": True}}
    now = exported(reviewed, **asked)
    assert b"implied no" in now
    assert exported(reviewed, **asked, snapshot=snapshot) == now


def test_a_filter_holds_on_a_snapshot(reviewed):
    snapshot = freeze(reviewed)
    data = exported(reviewed, snapshot=snapshot, filter={"state": "reviewed"})
    assert {json.loads(line)["state"] for line in data.splitlines()} == {"reviewed"}
    assert exported(reviewed, filter={"state": "reviewed"}) == data
    job = ExportJob.objects.order_by("pk").first()
    assert (job.result["items"], job.result["snapshot_sha256"] == snapshot.sha256) == (2, False)


def test_a_comparison_names_what_came_went_and_changed(reviewed):
    before = freeze(reviewed)
    gone = Image.objects.filter(state="pending").get()
    image_edits.trash(reviewed.project, gone.pk, actor=reviewed.manager)
    (new,) = make_images(reviewed.project, 1, first=50)
    review_next(reviewed, reviewed.annotator, yes=("water",))
    changed = Image.objects.filter(state="reviewed").exclude(pk=new.pk).first()
    image_edits.update(
        reviewed.project,
        changed.pk,
        changed.revision,
        {"caption": "Other words"},
        actor=reviewed.manager,
    )
    found = snapshots.compare(before, freeze(reviewed, "second"))
    assert (found.counts, found.same) == ({"added": 1, "removed": 1, "changed": 1}, 1)
    assert [one.name for one in found.added] == [new.name]
    assert [one.name for one in found.removed] == [gone.name]
    assert [(one.name, one.fields) for one in found.changed] == [(changed.name, ("caption",))]
    assert [(tag.name, tag.before, tag.after) for tag in found.tags] == [("water", 0, 1)]


def test_a_comparison_makes_rows_only_of_what_differs(reviewed, monkeypatch):
    make_images(reviewed.project, 20, first=50)
    before = freeze(reviewed)
    changed = Image.objects.filter(state="pending").first()
    wanted = {"caption": "Other words"}
    image_edits.update(reviewed.project, changed.pk, changed.revision, wanted, actor=reviewed.manager)
    after, made = freeze(reviewed, "second"), []
    thawed = frozen.thawed
    monkeypatch.setattr(frozen, "thawed", lambda line: made.append(thawed(line)) or made[-1])
    found = snapshots.compare(before, after)
    assert (found.same, found.counts) == (22, {"changed": 1})
    assert [row.id for row in made] == [changed.pk] * 2


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_is_of_one_moment_though_people_go_on(reviewed, monkeypatch):
    """Somebody else reviews the last image after the first chunk was read: it is frozen as it was before."""
    monkeypatch.setattr(export_rows, "CHUNK", 1)
    read = export_rows._rows
    calls = []

    def while_somebody_reviews(*args):
        rows = read(*args)
        if not calls:
            calls.append(True)
            other = threading.Thread(target=_in_another_connection, args=(reviewed,))
            other.start()
            other.join()
        return rows

    monkeypatch.setattr(export_rows, "_rows", while_somebody_reviews)
    freeze(reviewed)
    assert Image.objects.filter(state="pending").count() == 0
    rows, _ = freezing.opened(Snapshot.objects.get().file_key)
    assert sorted(row.state for row in rows) == ["pending", "reviewed", "reviewed"]


def test_frozen_rows_pass_again_and_again_and_leave_no_file(reviewed, monkeypatch, tmp_path):
    """Several passes at once too; a file with a name would stay behind when its worker is killed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with freezing.frozen(reviewed.project, freezing.ALL, freezing.EVERYTHING) as (rows, facts):
        assert not list(tmp_path.iterdir())
        both = list(zip(rows, rows, strict=True))
        assert len(both) == facts.images == 3
        assert all(one == other for one, other in both)
        assert [row.sha256 for row in rows] == sorted(row.sha256 for row, _ in both)


def test_a_full_disk_is_said_and_leaves_nothing(reviewed, monkeypatch):
    monkeypatch.setattr(storage, "writer", files.full_disk)
    snapshot = snapshots.start(reviewed.project, actor=reviewed.manager, name="too much")
    tasks.run_snapshot(snapshot.pk)
    snapshot.refresh_from_db()
    assert (snapshot.state, snapshot.file_key) == ("failed", "")
    assert snapshot.reason.startswith("The disk is full: nothing was frozen.")


def _in_another_connection(cast):
    try:
        review_next(cast, cast.annotator, yes=("water",))
    finally:
        connection.close()


def test_the_api_freezes_lists_compares_and_removes(reviewed, client_of):
    client = client_of(reviewed.manager)
    address = f"/api/v1/projects/{reviewed.project.pk}/snapshots/"
    answer = client.post(address, {"name": " before  review "}, format="json")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    tasks.run_snapshot(answer.json()["id"])
    first = client.get(answer["Location"]).json()
    assert (first["name"], first["images"], first["decisions"], first["state"]) == (
        "before review",
        3,
        2,
        "done",
    )
    review_next(reviewed, reviewed.annotator, yes=("water",))
    second = freeze(reviewed, "after")
    assert [row["id"] for row in client.get(address).json()["results"]] == [second.pk, first["id"]]
    compared = client.get(f"{address}{first['id']}/compare/{second.pk}/").json()
    assert (compared["added"], compared["removed"], compared["changed"], compared["same"]) == (0, 0, 1, 2)
    assert compared["tags"] == [{"name": "water", "before": 0, "after": 1}]
    key = Snapshot.objects.get(pk=first["id"]).file_key
    assert client.delete(f"{address}{first['id']}/").status_code == 204
    assert client.get(f"{address}{first['id']}/").status_code == 404
    assert AuditEvent.objects.filter(action="snapshots.remove").exists()
    assert key


def test_whoever_waits_gets_the_frozen_snapshot_in_the_answer(reviewed, client_of, monkeypatch):
    """The answer has its sha256 where a worker is done within the time: here it is done at once."""
    monkeypatch.setattr(tasks, "nudge", lambda task, *args: task(*args))
    answer = client_of(reviewed.manager).post(
        f"/api/v1/projects/{reviewed.project.pk}/snapshots/", {"name": "now"}, format="json"
    )
    assert (answer.status_code, len(answer.json()["sha256"])) == (201, 64)


@pytest.mark.parametrize("body", [{}, {"name": " "}, {"name": "x" * 201}, {"name": None}, {"name": ["x"]}])
def test_a_name_is_needed(cast, client_of, body):
    answer = client_of(cast.manager).post(
        f"/api/v1/projects/{cast.project.pk}/snapshots/", body, format="json"
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_name")


def test_what_is_not_frozen_yet_can_neither_be_exported_nor_compared(cast, client_of):
    snapshot = snapshots.start(cast.project, actor=cast.manager, name="soon")
    client = client_of(cast.manager)
    here = f"/api/v1/projects/{cast.project.pk}/"
    answers = [
        client.post(f"{here}exports/", {"format": "csv", "snapshot": snapshot.pk}, format="json"),
        client.get(f"{here}snapshots/{snapshot.pk}/compare/{snapshot.pk}/"),
    ]
    assert [(one.status_code, one.json()["error"]["code"]) for one in answers] == [(422, "not_frozen")] * 2


def test_a_snapshot_that_an_export_reads_stays(reviewed, client_of):
    snapshot = freeze(reviewed)
    exports.start(reviewed.project, actor=reviewed.manager, format="csv", snapshot=snapshot)
    answer = client_of(reviewed.manager).delete(
        f"/api/v1/projects/{reviewed.project.pk}/snapshots/{snapshot.pk}/"
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "in_use")


def test_a_snapshot_of_another_project_is_not_found(reviewed, client_of):
    snapshot = freeze(reviewed)
    elsewhere = Project.objects.exclude(pk=reviewed.project.pk).first()
    answer = client_of(reviewed.admin).get(f"/api/v1/projects/{elsewhere.pk}/snapshots/{snapshot.pk}/")
    assert answer.status_code == 404
