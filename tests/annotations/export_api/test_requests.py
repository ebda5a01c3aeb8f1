"""What may be asked of exports, who may, and how the file is fetched."""

import hashlib
import uuid

import pytest

from annotations.exporters.registry import FORMATS
from annotations.models import ExportJob


def test_a_download_has_type_name_and_ranges(cast, reviewed, exported, client_of):
    job, data = exported("csv")
    client = client_of(cast.manager)
    whole = client.get(job["download_url"])
    assert whole["Content-Type"] == "text/csv"
    assert whole["Content-Disposition"] == f'attachment; filename="outdoors-{job["id"]}.csv"'
    part = client.get(job["download_url"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, data[10:20])
    assert part["Content-Range"] == f"bytes 10-19/{len(data)}"
    tail = client.get(job["download_url"], headers={"Range": "bytes=-7"})
    assert b"".join(tail.streaming_content) == data[-7:]
    beyond = client.get(job["download_url"], headers={"Range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(data)}")
    jsonl, _ = exported("jsonl")
    lines = client.get(jsonl["download_url"], headers={"Accept": "application/x-ndjson"})
    assert (lines.status_code, lines["Content-Type"]) == (200, "application/x-ndjson")


def test_the_manifest_says_what_the_file_holds_and_could_not_hold(cast, reviewed, exported, client_of):
    job, data = exported("csv")
    manifest = client_of(cast.manager).get(job["download_url"].replace("download", "manifest")).json()
    assert manifest["sha256"] == hashlib.sha256(data).hexdigest()
    assert (manifest["items"], manifest["format"]) == (3, "csv")
    assert manifest["losses"]


def test_an_interrupted_download_goes_on_only_with_the_same_file(cast, reviewed, exported, client_of):
    """If-Range: the rest of the same file, or the whole of another one."""
    job, data = exported("csv")
    client = client_of(cast.manager)
    rest = client.get(
        job["download_url"], headers={"Range": "bytes=10-", "If-Range": f'"{job["result"]["sha256"]}"'}
    )
    assert (rest.status_code, b"".join(rest.streaming_content)) == (206, data[10:])
    other = client.get(job["download_url"], headers={"Range": "bytes=10-", "If-Range": '"another"'})
    assert (other.status_code, b"".join(other.streaming_content)) == (200, data)


def test_an_export_is_started_by_a_form_too(cast, client_of):
    address = f"/api/v1/projects/{cast.project.pk}/exports/"
    response = client_of(cast.manager).post(address, {"format": "csv"}, format="multipart")
    assert response.status_code == 202, response.json()
    assert ExportJob.objects.get().format == "csv"


def test_losses_are_told_before_any_export(cast, client_of):
    answer = client_of(cast.manager).get(f"/api/v1/projects/{cast.project.pk}/exports/formats/").json()
    assert [format["name"] for format in answer["results"]] == list(FORMATS)
    assert all(format["losses"] for format in answer["results"])
    tree = next(format for format in answer["results"] if format["name"] == "imagefolder")
    assert (tree["pictures"], set(tree["choices"]["several"])) == ("always", {"copy", "primary", "skip"})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"format": "excel"}, 422, "unsupported_format"),
        ({}, 422, "unsupported_format"),
        ({"format": "csv", "snapshot": 3}, 404, "not_found"),
        ({"format": "csv", "snapshot": "first"}, 400, "bad_snapshot"),
        ({"format": "csv", "images": "some"}, 400, "bad_images"),
        ({"format": "csv", "images": 3}, 400, "bad_images"),
        ({"format": "csv", "filter": {"colour": "red"}}, 400, "bad_filter"),
        ({"format": "csv", "filter": {"state": "sleeping"}}, 400, "bad_filter"),
        ({"format": "csv", "filter": ["state"]}, 400, "bad_filter"),
        ({"format": "csv", "options": {"implied_no": True}}, 400, "bad_option"),
        ({"format": "coco", "options": {"boxes": "yes"}}, 400, "bad_option"),
        ({"format": "imagefolder"}, 400, "option_missing"),
        ({"format": "coco", "options": {"keywords": "inside"}}, 400, "bad_option"),
        ({"format": "parquet", "images": True, "options": {"keywords": "inside"}}, 400, "bad_option"),
        ({"format": "imagefolder", "options": {"several": "all"}}, 400, "bad_option"),
        ({"format": "imagefolder", "options": {"several": ["copy"]}}, 400, "bad_option"),
        ({"format": ["csv"]}, 422, "unsupported_format"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_a_reason(cast, client_of, body, status, code):
    address = f"/api/v1/projects/{cast.project.pk}/exports/"
    response = client_of(cast.manager).post(address, body, format="json")
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(("who", "status"), [("annotator", 403), ("reviewer", 403), ("outsider", 404)])
def test_only_managers_export(cast, client_of, who, status):
    client = client_of(getattr(cast, who))
    address = f"/api/v1/projects/{cast.project.pk}/exports/"
    assert client.post(address, {"format": "csv"}, format="json").status_code == status
    assert client.get(address).status_code == status


def test_the_same_client_id_exports_once(cast, client_of):
    body = {"format": "csv", "client_id": str(uuid.uuid4())}
    address = f"/api/v1/projects/{cast.project.pk}/exports/"
    answers = [client_of(cast.manager).post(address, body, format="json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]
    assert ExportJob.objects.count() == 1


def test_a_file_is_there_only_when_the_export_is_done(cast, client_of):
    client = client_of(cast.manager)
    job = client.post(f"/api/v1/projects/{cast.project.pk}/exports/", {"format": "csv"}, format="json").json()
    assert job["download_url"] is None
    response = client.get(f"/api/v1/projects/{cast.project.pk}/exports/{job['id']}/download/")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "not_done")
