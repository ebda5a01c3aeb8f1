"""What /metrics tells Prometheus, to whom, and what of it is left when database or broker are away."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from kombu import Connection
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from annotations.models import ImportJob, Project
from annotations.selectors import operation
from mlmodels.models import TrainingRun
from tagger import env, health
from tagger.celery import app
from tests.factories import make_cast, make_images, make_tags, review_next

TOKEN = "a-token-of-the-tests"
SENT = {"Authorization": f"Bearer {TOKEN}"}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def token(settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def figures(client: Client, read=read_text, **headers: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    answer = client.get("/metrics", headers=SENT | headers)
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in read(answer.content.decode())
        for sample in family.samples
    }


def test_without_a_token_of_its_own_the_address_is_not_there(client, settings):
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer another"}, {"Authorization": TOKEN}])
def test_another_token_is_refused_and_told_which_one_is_meant(client, sent):
    answer = client.get("/metrics", headers=sent)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "METRICS_TOKEN" in answer.content.decode()


def test_people_who_are_signed_in_need_it_too(client):
    client.force_login(make_cast().admin)

    assert client.get("/metrics").status_code == 401


def test_images_reviews_and_answers_are_counted_over_all_projects_but_the_trash(client):
    cast = make_cast()
    make_tags(cast.project, "dog")
    make_images(cast.project, 3)
    review_next(cast, cast.annotator, yes=("dog",))
    other = Project.objects.exclude(pk=cast.project.pk).get()
    make_images(other, 2, first=50)
    told = figures(client)

    assert told["tagger_images", "pending"] == 4
    assert told["tagger_images", "reviewed"] == 1
    assert told["tagger_projects",] == 2
    assert (told["tagger_reviews",], told["tagger_decisions",]) == (1, 1)
    Project.objects.filter(pk=other.pk).update(deleted_at=timezone.now())
    told = figures(client)
    assert (told["tagger_images", "pending"], told["tagger_projects",]) == (2, 1)


def test_work_that_waits_is_told_with_how_long(client):
    project = make_cast().project
    for state, minutes in (("queued", 30), ("queued", 5), ("running", 60), ("done", 90)):
        job = ImportJob.objects.create(project=project, source="upload", state=state)
        ImportJob.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(minutes=minutes))
    TrainingRun.objects.create(project=project)
    told = figures(client)

    assert (told["tagger_jobs", "import", "queued"], told["tagger_jobs", "import", "running"]) == (2, 1)
    assert 1800 <= told["tagger_oldest_job_seconds", "import", "queued"] < 1860
    assert told["tagger_jobs", "training", "queued"] == 1
    assert told["tagger_jobs", "export", "queued"] == 0
    assert told["tagger_oldest_job_seconds", "export", "queued"] == 0


def test_parts_and_messages_that_wait_are_those_of_the_broker(client):
    health.beat("io", "beat")
    before = figures(client)["tagger_queue_tasks", "train"]
    app.send_task("tagger.nobody", queue="train", priority=3)
    app.send_task("tagger.nobody", queue="train", priority=9)
    told = figures(client)

    assert told["tagger_queue_tasks", "train"] == before + 2
    parts = {key[1]: value for key, value in told.items() if key[0] == "tagger_up"}
    assert parts == {"database": 1, "broker": 1, "io": 1, "ml": 0, "train": 0, "beat": 1}
    with app.connection_for_write() as connection:
        connection.default_channel.queue_purge("train")


def test_a_database_that_is_away_is_told_beside_what_is_still_known(client, monkeypatch):
    def gone():
        raise OperationalError("gone")

    monkeypatch.setattr(operation, "counts", gone)
    told = figures(client)

    assert (told["tagger_up", "database"], told["tagger_up", "broker"]) == (0, 1)
    assert ("tagger_queue_tasks", "io") in told
    assert not any(key[0] == "tagger_images" for key in told)


def test_so_is_a_broker(client, monkeypatch):
    monkeypatch.setattr(app, "connection_for_read", lambda: Connection("redis://127.0.0.1:9/0"))
    told = figures(client)

    assert (told["tagger_up", "database"], told["tagger_up", "broker"]) == (1, 0)
    assert told["tagger_projects",] == 0


def test_who_asks_for_openmetrics_gets_it(client):
    told = figures(client, read=read_openmetrics, Accept="application/openmetrics-text; version=1.0.0")

    assert told["tagger_up", "database"] == 1


def test_a_bad_token_is_refused_at_the_start_without_telling_it(monkeypatch):
    for bad in ("short", "with a space in the middle", "ümlaute-im-geheimen-wort"):
        monkeypatch.setenv("METRICS_TOKEN", bad)
        with pytest.raises(env.BadSettingError, match="METRICS_TOKEN: expected 16 or more") as refused:
            env.token("METRICS_TOKEN")
        assert bad not in str(refused.value)
