"""Requests that make no sense: each gets a 4xx with the error's shape, never a 500."""

import pytest
from django.test import Client

from tests.factories import Cast, make_images, make_tags

HUGE = 10**30
DIGITS = "9" * 5000


def written(text: str, cast: Cast) -> str:
    """The text with what its capitals stand for."""
    image, tag = cast.project.images.first(), cast.project.tags.first()
    assert image and tag
    words = {"IMAGE": image.pk, "TAG": tag.pk, "HUGE": HUGE, "HALF": '"\\ud800"'}
    for word, meaning in words.items():
        text = text.replace(word, str(meaning))
    return text


@pytest.fixture
def client(cast: Cast) -> Client:
    make_tags(cast.project, "dog")
    make_images(cast.project, 3)
    client = Client(raise_request_exception=False)
    client.force_login(cast.admin)
    return client


QUERIES = [
    f"images/?limit={DIGITS}",
    "images/?limit=-1",
    f"images/?after={DIGITS}",
    "images/?after=1e999",
    "images/?after=nan",
    f"images/?after={HUGE}",
    "images/?ordering=priority&after=1e999:1",
    f"images/?ordering=priority&after={HUGE}:{HUGE}",
    "images/?ordering=shuffle&after=1e999:1",
    "images/?since=2026-13-01T00:00:00Z",
    "images/?since=0001-01-01T00:00:00%2B14:00",
    f"images/?tag={HUGE}",
    f"images/?tag={DIGITS}",
    f"images/?suggested={HUGE}",
    "images/?q=%00",
    "images/?reviewer=%00",
    f"tags/?limit={DIGITS}",
    f"tags/?after={DIGITS}",
    f"tags/?q=a&limit={DIGITS}",
    f"flags/?after={HUGE}",
    f"flags/?image={HUGE}",
    f"flags/{HUGE}/",
    f"exports/?after={HUGE}",
    f"training-runs/?after={DIGITS}",
    f"models/?after={DIGITS}",
    f"images/{HUGE}/",
    f"images/{HUGE}/file/",
    f"images/{HUGE}/thumbnail/",
    f"tags/{HUGE}/",
    f"exports/{HUGE}/",
    f"models/{HUGE}/",
    f"models/{HUGE}/exports/",
    f"models/{HUGE}/exports/{HUGE}/",
    f"models/1/exports/{HUGE}/download/",
    f"training-runs/{HUGE}/",
    f"imports/{HUGE}/",
]


@pytest.mark.parametrize("query", QUERIES)
def test_an_address_that_makes_no_sense_is_no_server_error(cast: Cast, client: Client, query: str) -> None:
    response = client.get(f"/api/v1/projects/{cast.project.pk}/{query}")
    assert response.status_code < 500


BODIES = [
    ("reviews/", "[1]"),
    ("reviews/", "1"),
    ("reviews/", "null"),
    ("reviews/", '"x"'),
    ("reviews/", "[[]]"),
    ("flags/", "[[]]"),
    ("flags/", "null"),
    ("flags/", '{"image": HUGE, "comment": "x"}'),
    ("flags/", '{"image": IMAGE, "comment": HALF}'),
    ("reviews/", '{"image": 1, "lease": {}, "revision": -1}'),
    ("reviews/", '{"image": HUGE, "lease": "x", "revision": 1}'),
    ("reviews/", '{"image": true, "lease": "x", "revision": 1}'),
    ("reviews/", '{"image": IMAGE, "lease": "LEASE", "revision": 1, "tags": [HALF]}'),
    ("reviews/", '{"image": IMAGE, "lease": "LEASE", "revision": 1, "tags": ["\\u0000"]}'),
    (
        "reviews/",
        '{"image": IMAGE, "lease": "LEASE", "revision": 1, "tags": [HALF], "create_missing": true}',
    ),
    ("reviews/", '{"image": IMAGE, "lease": "LEASE", "revision": 1, "tags": [4611686018427387904]}'),
    ("reviews/", '{"image": IMAGE, "lease": "LEASE", "revision": 1, "tags": [""]}'),
    ("reviews/", '{"image": IMAGE, "lease": "LEASE", "revision": 1, "tags": [""], "create_missing": true}'),
    (
        "reviews/",
        '{"image": IMAGE, "lease": "LEASE", "revision": 1, "tags": ["zebra", "ZEBRA"], "create_missing": true}',
    ),
    ("reviews/", '{"image": IMAGE, "lease": "\\u0000", "revision": 1}'),
    ("reviews/", '{"image": IMAGE, "lease": "LEASE", "revision": 1, "seconds": 1e308}'),
    ("reviews/", '{"image": IMAGE, "lease": "LEASE", "revision": 1, "seconds": NaN}'),
    ("verify/", '{"tag": "dog", "yes": [HUGE]}'),
    ("verify/", '{"tag": "dog", "yes": [-1]}'),
    ("verify/", '{"tag": HALF, "yes": [1]}'),
    ("verify/", '{"tag": "dog", "yes": {}}'),
    ("verify/", "[]"),
    ("verify/", '{"tag": "dog", "yes": [1], "seconds": -1}'),
    ("verify/", '{"tag": "dog", "yes": [1], "model_number": HUGE}'),
    ("queue/next/", "[]"),
    ("queue/next/", '{"count": 1e999}'),
    ("queue/next/", '{"have": [1]}'),
    ("queue/next/", '{"have": "x"}'),
    ("queue/next/", '{"mode": "score", "tag": HALF}'),
    ("queue/next/", '{"mode": []}'),
    ("queue/renew/", '{"leases": null}'),
    ("queue/renew/", "[]"),
    ("queue/release/", "null"),
    ("tags/", "[]"),
    ("tags/", "[1]"),
    ("tags/", '"x"'),
    ("tags/", "null"),
    ("tags/", '{"name": HALF}'),
    ("tags/", f'{{"name": "{"ﬃ" * 200}"}}'),
    ("tags/", '{"name": "cat", "aliases": ["cat"]}'),
    ("tags/", '{"name": "cat", "aliases": ["\\u0000"]}'),
    ("tags/", '{"name": "cat", "aliases": {"a": 1}}'),
    ("tags/", '{"name": "cat", "parent": HUGE}'),
    ("tags/", '{"name": "cat", "parent": HALF}'),
    ("tags/", '{"name": "cat", "hotkey": "\\ud800"}'),
    ("tags/", '{"name": "cat", "hotkey": "\u00df"}'),
    ("tags/", '{"name": "cat", "hotkey": "\u0130"}'),
    ("members/", '{"user": "\\u0000", "role": "x"}'),
    ("members/", "[]"),
    ("exports/", "[]"),
    ("exports/", '{"format": []}'),
    ("exports/", '{"format": "\\u0000"}'),
    ("exports/", '{"format": "csv", "filter": {"state": []}}'),
    ("exports/", '{"format": "csv", "filter": {"state": "\\u0000"}}'),
    ("exports/", '{"format": "csv", "filter": []}'),
    ("exports/", '{"format": "csv", "filter": "x"}'),
    ("exports/", '{"format": "csv", "options": {"\\u0000": true}}'),
    ("exports/", '{"format": "csv", "client_id": []}'),
    ("exports/", '{"format": "csv", "client_id": "\\ud800"}'),
    ("imports/", "[]"),
    ("imports/", "null"),
    ("imports/", "{}"),
    ("imports/", '{"path": 1}'),
    ("imports/", '{"path": "\\u0000"}'),
    ("imports/", '{"path": "\\ud800"}'),
    ("imports/", '{"items": 1}'),
    ("imports/", '{"items": [1]}'),
    ("imports/", '{"items": [{"path": []}]}'),
    ("imports/", '{"urls": [[]]}'),
    ("training-runs/", "[]"),
    ("training-runs/", '{"kind": []}'),
    ("training-runs/", '{"options": {"a": "\\u0000"}}'),
    ("predict/", "[]"),
    ("predict/", '{"limit": -1}'),
    ("predict/", '{"image": "x"}'),
    ("predict/", "[" * 100_000),
]


@pytest.mark.parametrize(("path", "body"), BODIES, ids=[f"{path}{body[:70]}" for path, body in BODIES])
def test_a_body_that_makes_no_sense_is_no_server_error(
    cast: Cast, client: Client, path: str, body: str
) -> None:
    base = f"/api/v1/projects/{cast.project.pk}/"
    if "LEASE" in body:
        item = client.post(f"{base}queue/next/", {}, content_type="application/json").json()["items"][0]
        body = body.replace("LEASE", item["lease"]["token"]).replace("IMAGE", str(item["image"]["id"]))
    response = client.post(base + path, written(body, cast), content_type="application/json")
    assert response.status_code < 500


PATCHES = [
    ("images/IMAGE/", '{"revision": HUGE, "caption": "x"}'),
    ("images/IMAGE/", '{"revision": 1, "metadata": {"a": "\\u0000"}}'),
    ("images/IMAGE/", '{"revision": 1, "metadata": {"\\u0000": 1}}'),
    ("images/IMAGE/", '{"revision": 1, "metadata": {"a": HALF}}'),
    ("images/IMAGE/", '{"revision": 1, "metadata": [1]}'),
    ("images/IMAGE/", '{"revision": 1, "caption": HALF}'),
    ("images/IMAGE/", '{"revision": 1, "caption": null}'),
    ("images/IMAGE/", "[]"),
    ("tags/TAG/", '{"name": null}'),
    ("tags/TAG/", '{"parent": TAG}'),
    ("tags/TAG/", '{"aliases": ["a", "A"]}'),
    ("tags/TAG/", '{"aliases": ["dog"]}'),
    ("tags/TAG/", '{"description": "\\u0000"}'),
    ("tags/TAG/", '{"hotkey": ""}'),
    ("tags/TAG/", "[]"),
    ("", '{"name": "\\u0000"}'),
    ("", '{"extractor": "\\ud800"}'),
    ("", '{"holdout_percent": HUGE}'),
    ("", '{"name": "   "}'),
    ("", "[]"),
    ("", "{}"),
    ("training-policy/", '{"every_reviews": HUGE}'),
    ("training-policy/", '{"at_most_every_seconds": 1e999}'),
    ("training-policy/", '{"at_most_every_seconds": "nan"}'),
    ("training-policy/", '{"paused": []}'),
    ("training-policy/", "[]"),
    ("asking-policy/", '{"rare": HUGE}'),
    ("asking-policy/", '{"rare": 1.5}'),
    ("asking-policy/", "[]"),
    ("training-policy/", '{"finetune_cron": "\\u0000"}'),
    ("training-policy/", '{"finetune_every_reviews": HUGE}'),
    ("training-runs/", '{"kind": "finetune", "options": {"stages": HUGE}}'),
]


@pytest.mark.parametrize(("path", "body"), PATCHES, ids=[f"{path}{body[:70]}" for path, body in PATCHES])
def test_a_change_that_makes_no_sense_is_no_server_error(
    cast: Cast, client: Client, path: str, body: str
) -> None:
    address = f"/api/v1/projects/{cast.project.pk}/{written(path, cast)}"
    response = client.patch(address, written(body, cast), content_type="application/json")
    assert response.status_code < 500


def test_removing_a_member_whose_name_no_database_can_hold(cast: Cast, client: Client) -> None:
    response = client.delete(f"/api/v1/projects/{cast.project.pk}/members/%00/")
    assert response.status_code < 500
