"""A version's page gives it away: as a file that a worker makes, and as a command."""

import pytest
from django.test.utils import CaptureQueriesContext

from annotations.services import jobs
from mlmodels.models import ModelExport
from mlmodels.services import model_exports
from tests.mlmodels.views.conftest import text_of


@pytest.fixture
def page(trained, planted, browser_of, here):
    def get(who="admin", **headers):
        return browser_of(getattr(planted.cast, who)).get(f"{here}{trained[1].pk}/", headers=headers)

    return get


def finished(version, **result):
    """A row as the worker leaves it."""
    return ModelExport.objects.create(
        project=version.project,
        version=version,
        state="done",
        file_key="exports/1.onnx",
        finished_at="2026-01-01T00:00Z",
        result={
            "bytes": 18_700_000,
            "sha256": "ab" * 32,
            "vocabulary_version": version.project.vocabulary_version,
        }
        | result,
    )


def test_an_admin_asks_for_the_file_once(trained, planted, browser_of, here, page):
    admin = browser_of(planted.cast.admin)
    assert "Make the file" in text_of(page())
    for _ in range(2):
        answer = admin.post(f"{here}{trained[1].pk}/take/")
        assert answer["Location"] == f"{here}{trained[1].pk}/#take-title"
    job = ModelExport.objects.get()
    assert (job.version, job.actor, job.state) == (trained[1], planted.cast.admin, "queued")
    told = text_of(page())
    assert "The file waits for a worker" in told and 'hx-trigger="every 2s"' in told
    assert "Make the file" not in told


def test_a_part_moves_while_it_is_made_and_stops_when_it_is_done(trained, page):
    job = model_exports.start(trained[1].project_id, trained[1].pk, actor_id=None)
    jobs.claim(ModelExport, job.pk)
    ModelExport.objects.update(done=2)
    part = page(**{"HX-Request": "true"})
    assert part["Vary"].count("HX-Request") == 1
    assert "<h1" not in text_of(part) and "Comparing its scores with the app" in text_of(part)
    ModelExport.objects.update(
        state="done", file_key="x", finished_at="2026-01-01T00:00Z", result={"bytes": 1}
    )
    assert "hx-trigger" not in text_of(page(**{"HX-Request": "true"}))


def test_a_finished_file_is_offered_with_its_size_and_digest(trained, page):
    job = finished(trained[1])
    told = text_of(page())
    assert f"/models/{trained[1].pk}/exports/{job.pk}/download/" in told
    assert "17.8" in told and "abababababab…" in told and "Make it again" in told
    assert "the vocabulary has changed since" not in told
    ModelExport.objects.update(result=job.result | {"vocabulary_version": 0})
    assert "the vocabulary has changed since" in text_of(page())


def test_why_a_file_could_not_be_made_is_said_and_the_older_one_stays(trained, page):
    job = finished(trained[1])
    ModelExport.objects.create(
        project=trained[1].project, version=trained[1], state="refused", reason="Put the weights back."
    )
    told = text_of(page())
    assert "Put the weights back." in told and f"/exports/{job.pk}/download/" in told


def test_managers_see_what_there_is_and_make_nothing(trained, planted, browser_of, here, page):
    finished(trained[1])
    told = text_of(page("manager"))
    assert "Take it with you" in told and "predict FOLDER" in told
    assert "Make" not in told.split("Take it with you")[1].split("For a folder")[0]
    assert "/download/" not in told
    assert "An admin of the project can download the file, made" in told
    ModelExport.objects.update(file_key="")
    assert "An admin of the project can make the file." in text_of(page("manager"))
    assert browser_of(planted.cast.manager).post(f"{here}{trained[1].pk}/take/").status_code == 403
    assert ModelExport.objects.count() == 1


def test_a_waiting_file_is_cancelled_from_the_page(trained, planted, browser_of, here):
    job = model_exports.start(trained[1].project_id, trained[1].pk, actor_id=None)
    browser_of(planted.cast.admin).post(f"{here}{trained[1].pk}/take/{job.pk}/cancel/")
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_the_commands_name_this_project_and_version(trained, planted, page):
    told = text_of(page())
    assert f"manage.py predict FOLDER --project {planted.project.pk} --version 2 --out tags.csv" in told
    assert f"manage.py export_model {planted.project.pk} model.onnx --version 2" in told


def test_queries_do_not_grow_with_files(trained, page):
    from django.db import connection

    counts = []
    for wanted in (2, 20):
        while ModelExport.objects.count() < wanted:
            finished(trained[1])
        with CaptureQueriesContext(connection) as queries:
            page(**{"HX-Request": "true"})
        counts.append(len(queries))
    assert counts[0] == counts[1]
