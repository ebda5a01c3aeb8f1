"""Imports by the API, as a manager sends them, worked off at once."""

import pytest

from annotations import tasks
from tests.annotations import files
from tests.annotations.import_api.seen import job_shown


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def post(cast, client_of):
    """Send an import as the manager; answers the response."""

    def send(names: dict[str, bytes] | None = None, *, user=None, **fields):
        body = files.form({"files": list((names or {}).items()), **fields})
        address = f"/api/v1/projects/{cast.project.pk}/imports/"
        return client_of(user or cast.manager).post(address, body, content_type=files.FORM)

    return send


@pytest.fixture
def landed(post):
    """Send an import, let the worker's task run, and answer the job as the API shows it."""

    def send(names: dict[str, bytes] | None = None, **fields) -> dict:
        response = post(names, **fields)
        assert response.status_code == 202, response.json()
        tasks.run_import(response.json()["id"])
        return job_shown(response.json()["id"])

    return send
