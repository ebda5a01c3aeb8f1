"""Imports by table through the API, as a manager sends them."""

import pytest

from annotations import tasks
from annotations.models import ImportJob
from tests.annotations import files


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_ROOTS = []


@pytest.fixture
def post(cast, client_of):
    """Send a table, or only something else, as the manager; answers the response."""

    def send(table=None, *, name="t.csv", pictures=None, query="", **fields):
        sent = {"files": list((pictures or {}).items()), **fields}
        if table is not None:
            sent["manifest"] = (name, table)
        address = f"/api/v1/projects/{cast.project.pk}/imports/{query}"
        return client_of(cast.manager).post(address, files.form(sent), content_type=files.FORM)

    return send


@pytest.fixture
def landed(post):
    def send(table=None, **fields):
        response = post(table, **fields)
        assert response.status_code == 202, response.json()
        tasks.run_import(response.json()["id"])
        return ImportJob.objects.get(pk=response.json()["id"])

    return send
