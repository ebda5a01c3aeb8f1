"""The same source sent a second time changes nothing, and spellings of one tag are one tag, whichever way they come."""

import json
import unicodedata

import pytest

from annotations import tasks
from annotations.exporters import keywords
from annotations.models import Decision, ImportJob, OutsideSuggestion, QueueEntry, Review
from annotations.selectors import counters
from tests.annotations import files
from tests.factories import make_tags, review_next


@pytest.fixture(autouse=True)
def shelf(settings, tmp_path):
    """The folder of the server that an import may read."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_ROOTS = [str(tmp_path / "shelf")]
    return tmp_path / "shelf"


@pytest.fixture
def landed(cast, client_of):
    def send(**sent):
        address, client = f"/api/v1/projects/{cast.project.pk}/imports/", client_of(cast.manager)
        if "files" in sent or "archive" in sent or "manifest" in sent:
            answer = client.post(address, files.form(sent), content_type=files.FORM)
        else:
            answer = client.post(address, sent, format="json")
        assert answer.status_code == 202, answer.content
        tasks.run_import(answer.json()["id"])
        return ImportJob.objects.get(pk=answer.json()["id"])

    return send


PICTURES = {f"walk/{seed}.jpg": files.picture(seed) for seed in range(4)}
TABLE = b"path,caption,tags,no\n" + b"".join(
    b"walk/%d.jpg,About %d,dog|lake,cat\n" % (n, n) for n in range(4)
)
LINES = b"".join(
    json.dumps(
        {
            "path": f"walk/{seed}.jpg",
            "tags": ["dog"],
            "metadata": {"camera": {"lens": [seed, 2.5, None]}},
            "suggestions": [{"tag": "boat", "score": 0.25}],
        }
    ).encode()
    + b"\n"
    for seed in range(4)
)
CAPTIONS = b"name,caption,tags\n0.jpg,First,dog\n1.jpg,Second,dog|lake\n"
SIDECARS = {
    "walk/0.txt": b"A dog runs over the grass.",
    "walk/1.json": b'{"tags": ["dog"], "metadata": {"n": 1}}',
    "walk/2.xmp": keywords.sidecar(caption="Third", tags=["lake"]),
}
INSIDE = {"walk/9.jpg": keywords.embedded(files.picture(9), caption="Inside", tags=["dog", "lake"])}

SOURCES = {
    "table": lambda shelf: {"manifest": ("t.csv", TABLE), "files": list(PICTURES.items())},
    "json lines": lambda shelf: {"manifest": ("t.jsonl", LINES), "files": list(PICTURES.items())},
    "complete table": lambda shelf: {
        "manifest": ("t.csv", TABLE), "files": list(PICTURES.items()), "complete": "true",
    },
    "files": lambda shelf: {"files": [*PICTURES.items(), ("captions.csv", CAPTIONS), *SIDECARS.items()]},
    "zip": lambda shelf: {"archive": ("a.zip", files.zipped(PICTURES | SIDECARS | {"t.csv": TABLE}))},
    "tar": lambda shelf: {"archive": ("a.tar.gz", files.tarred(PICTURES | {"captions.csv": CAPTIONS}))},
    "folder": lambda shelf: files.written(shelf, PICTURES | SIDECARS | INSIDE) and {"path": ".", "file_keywords": True},
    "tag folders": lambda shelf: files.written(shelf, PICTURES) and {"path": ".", "format": "imagefolder"},
    "items": lambda shelf: files.written(shelf, PICTURES)
    and {"items": [{"path": name, "caption": "x", "tags": ["dog"]} for name in PICTURES]},
}  # fmt: skip


def told(project):
    """All that is stored of a project, times and reports of imports apart."""
    images = project.images.order_by("pk")
    return {
        "images": list(images.values_list("pk", "name", "path", "caption", "metadata", "state", "revision")),
        "decisions": list(Decision.objects.order_by("pk").values_list("pk", "image", "tag", "value")),
        "reviews": list(Review.objects.order_by("pk").values_list("pk", "image")),
        "suggestions": list(OutsideSuggestion.objects.order_by("pk").values_list("pk", flat=True)),
        "queue": list(QueueEntry.objects.order_by("pk").values_list("pk", "image", "priority")),
        "tags": list(project.tags.order_by("pk").values_list("pk", "name")),
        "counters": counters.read(project.pk),
    }


@pytest.mark.parametrize("kind", SOURCES)
def test_a_second_time_everything_is_a_duplicate_and_nothing_changes(cast, landed, shelf, kind):
    shelf.mkdir()
    make_tags(cast.project, "boat")
    sent = SOURCES[kind](shelf)
    first = landed(**sent)
    count = first.result["added"]
    assert count >= 4 and first.errors == []
    before = told(cast.project)
    assert before["decisions"] and (kind != "json lines" or before["suggestions"])
    second = landed(**sent)
    assert second.result == {"added": 0, "updated": 0, "duplicates": count, "refused": 0}
    assert set(second.items.values_list("state", flat=True)) == {"duplicate"}
    assert (second.state, second.errors, second.items.count()) == ("done", [], count)
    assert told(cast.project) == before


def test_a_second_time_after_people_have_answered_changes_no_answer(cast, landed):
    """What a person said since then stands against the table."""
    sent = {"manifest": ("t.csv", TABLE), "files": list(PICTURES.items())}
    landed(**sent)
    review_next(cast, cast.annotator, yes=("cat",), rejected=("dog", "lake"))
    before = told(cast.project)
    second = landed(**sent)
    assert second.result == {"added": 0, "updated": 0, "duplicates": 4, "refused": 0}
    assert told(cast.project) == before


NFC, NFD = "Café", unicodedata.normalize("NFD", "Café")
SPELLINGS = (NFC, NFD, "CAFÉ", unicodedata.normalize("NFD", "café"), "  café ")
WAYS = {
    "table": lambda name, tag: {"manifest": ("t.csv", f"path,tags\n{name},{tag}\n".encode())},
    "long table": lambda name, tag: {"manifest": ("t.csv", f"path,tag,verdict\n{name},{tag},yes\n".encode())},
    "json lines": lambda name, tag: {
        "manifest": ("t.jsonl", json.dumps({"path": name, "tags": [tag]}).encode())
    },
    "captions": lambda name, tag: {"captions": json.dumps({name: {"tags": [tag]}})},
    "captions.csv": lambda name, tag: {
        "captions_file": ("c.csv", f"name,caption,tags\n{name},x,{tag}\n".encode())
    },
    "sidecar": lambda name, tag: {
        "beside": (name.replace(".jpg", ".json"), json.dumps({"tags": [tag]}).encode())
    },
    "coco": lambda name, tag: {
        "beside": (
            "instances.json",
            json.dumps(
                {
                    "images": [{"id": 1, "file_name": name}],
                    "categories": [{"id": 1, "name": tag}],
                    "annotations": [{"id": 1, "image_id": 1, "category_id": 1}],
                }
            ).encode(),
        )
    },
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_there", [True, False], ids=["against a tag that is there", "among themselves"])
def test_spellings_of_one_tag_are_one_tag(cast, landed, way, is_there):
    if is_there:
        make_tags(cast.project, NFC)
    for seed, spelling in enumerate(SPELLINGS):
        name = f"{seed}.jpg"
        sent = WAYS[way](name, spelling)
        beside = [sent.pop("beside")] if "beside" in sent else []
        job = landed(files=[(name, files.picture(seed)), *beside], **sent)
        assert (job.state, job.errors, job.result["added"]) == ("done", [], 1)
    assert [tag.name for tag in cast.project.tags.all()] == [NFC]
    assert Decision.objects.filter(value="yes").count() == len(SPELLINGS)


def test_spellings_of_one_tag_within_one_import_are_one_tag(cast, landed):
    members = {
        f"{at}/{spelling.strip()}/{at}.jpg": files.picture(at) for at, spelling in enumerate(SPELLINGS)
    }
    table = "path,tags\n" + "".join(f"{name},{'|'.join(SPELLINGS)}\n" for name in members)
    job = landed(archive=("a.zip", files.zipped(members | {"t.csv": table.encode()})))
    assert (job.errors, job.result["added"]) == ([], len(SPELLINGS))
    assert [tag.name for tag in cast.project.tags.all()] == [NFC]
    assert Decision.objects.count() == len(SPELLINGS)
