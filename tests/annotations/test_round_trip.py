"""What was exported comes back: an import of a lossless format gives a project with the same snapshot sha256."""

import io
import json
import zipfile

import pytest

from annotations import tasks
from annotations.exporters.frozen import content
from annotations.importers import sources
from annotations.importers.uploads import StagedUpload
from annotations.models import ExportJob, Image, ImportJob, Project, Snapshot
from annotations.services import exports, freezing, imports, projects, snapshots, storage
from tests.annotations import files
from tests.annotations.exporters.datasets import AWKWARD
from tests.factories import make_tags, review_next

LOSSLESS = ["jsonl", "csv-long", "datumaro"]


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def source(cast, client_of) -> Project:
    """A project with everything that can be said of an image."""
    make_tags(cast.project, *AWKWARD)
    pictures = {
        "one/same.jpg": files.picture(1),
        "two/same.jpg": files.picture(2),
        "with space.png": files.picture(3, format="PNG"),
        'we"ird:na#me?.jpg': files.picture(4),
        "turned.jpg": files.rotated(5),
        "🐕/שלום.jpg": files.picture(6),
        **{f"{seed:02}.jpg": files.picture(seed) for seed in range(7, 20)},
    }
    captions = {"one/same.jpg": "=A dog,\n“wet” 🐕", "turned.jpg": "@caption"}
    client = client_of(cast.manager)
    address = f"/api/v1/projects/{cast.project.pk}/"
    sent = {"files": list(pictures.items()), "captions": json.dumps(captions)}
    tasks.run_import(
        client.post(address + "imports/", files.form(sent), content_type=files.FORM).json()["id"]
    )
    assert Image.objects.filter(project=cast.project).count() == len(pictures)
    Image.objects.filter(name="turned.jpg").update(metadata={"camera": "Ö", "iso": 100, "place": [1.5, None]})
    for number in range(8):
        review_next(cast, cast.annotator, yes=AWKWARD[number : number + 3], rejected=AWKWARD[10:11])
    review_next(cast, cast.annotator)
    _disagree(cast, client_of)
    # Two tags come later, one after the other: what was reviewed before does not answer them.
    make_tags(cast.project, "late")
    review_next(cast, cast.annotator, yes=("late", AWKWARD[0]))
    make_tags(cast.project, "later still")
    review_next(cast, cast.annotator, yes=("later still",))
    (open_image,) = Image.objects.filter(project=cast.project, state="pending")[:1]
    answer = {"tag": AWKWARD[0], "yes": [open_image.pk], "no": []}
    assert client_of(cast.reviewer).post(address + "verify/", answer, format="json").status_code == 200
    return cast.project


def _disagree(cast, client_of) -> None:
    """Two reviewers verify one tag of a reviewed image, and differ."""
    image = Image.objects.filter(project=cast.project, state="reviewed").earliest("pk")
    for user, answer in ((cast.reviewer, "yes"), (cast.admin, "no")):
        body = {"tag": AWKWARD[4], "yes": [], "no": []} | {answer: [image.pk]}
        sent = client_of(user).post(f"/api/v1/projects/{cast.project.pk}/verify/", body, format="json")
        assert sent.status_code == 200, sent.json()


def frozen(project) -> Snapshot:
    snapshot = snapshots.start(project, actor=None, name="now")
    tasks.run_snapshot(snapshot.pk)
    snapshot.refresh_from_db()
    return snapshot


def exported(project, format: str) -> tuple[str, bytes]:
    job = exports.start(project, actor=None, format=format, with_pictures=True)
    tasks.run_export(job.pk)
    job = ExportJob.objects.get(pk=job.pk)
    assert job.state == "done", job.reason
    return exports.file_name(job), storage.read(job.file_key)


def imported(cast, client_of, name: str, data: bytes, *, below=None) -> tuple[Project, ImportJob]:
    """Into a project of its own: as an archive, or unpacked `below` a folder that the server may read."""
    copy = projects.create(cast.admin, name=f"Copy of {name}")
    address, client = f"/api/v1/projects/{copy.pk}/imports/", client_of(cast.admin)
    if below is None:
        form = files.form({"archive": (name, data)})
        answer = client.post(address, form, content_type=files.FORM)
    else:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(below / "unpacked")
        answer = client.post(address, {"path": "unpacked"}, format="json")
    assert answer.status_code == 202, answer.json()
    tasks.run_import(answer.json()["id"])
    return copy, ImportJob.objects.get(pk=answer.json()["id"])


def contents(project) -> dict:
    """What the sha256 of a snapshot covers, by image: a difference can be read."""
    with freezing.frozen(project, freezing.ALL, freezing.EVERYTHING) as (rows, _):
        return {row.sha256: json.loads(content(row)) for row in rows}


@pytest.mark.parametrize("way", ["archive", "folder"])
@pytest.mark.parametrize("format", LOSSLESS)
def test_a_lossless_format_gives_an_equal_project(cast, source, client_of, settings, tmp_path, format, way):
    settings.IMPORT_ROOTS = [str(tmp_path)]
    below = tmp_path if way == "folder" else None
    copy, job = imported(cast, client_of, *exported(source, format), below=below)
    assert (job.state, job.errors) == ("done", [])
    assert job.result == {"added": 19, "updated": 0, "duplicates": 0, "refused": 0}
    assert contents(copy) == contents(source)
    assert frozen(copy).sha256 == frozen(source).sha256


@pytest.mark.parametrize("format", LOSSLESS)
def test_a_second_import_changes_nothing(cast, source, client_of, format):
    copy, _ = imported(cast, client_of, *exported(source, format))
    before, sha256 = contents(copy), frozen(copy).sha256
    _, data = exported(source, format)
    form = files.form({"archive": ("again.zip", data)})
    answer = client_of(cast.admin).post(f"/api/v1/projects/{copy.pk}/imports/", form, content_type=files.FORM)
    tasks.run_import(answer.json()["id"])
    job = ImportJob.objects.get(pk=answer.json()["id"])
    assert (job.errors, job.result) == ([], {"added": 0, "updated": 0, "duplicates": 19, "refused": 0})
    assert (contents(copy), frozen(copy).sha256) == (before, sha256)


def test_an_import_that_nobody_signs_leaves_disputed_tags_out_and_says_so(cast, source, tmp_path):
    """A command has no person whose voice could stand against another one."""
    name, data = exported(source, "jsonl")
    copy = projects.create(cast.admin, name="Copy")
    area = storage.new_staging_area()
    key = f"{area}/{name}"
    storage.put(key, data)
    upload = StagedUpload(field="archive", path=name, key=key, size=len(data), sha256="")
    batch = sources.read({}, [upload], area=area).batch
    job = imports.start(copy, actor=None, source="archive", batch=batch, area=area)
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert {error["code"] for error in job.errors} == {"disputed_tag"}
    assert not any(row["disputed"] for row in contents(copy).values())
