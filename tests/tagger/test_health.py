"""What /healthz says, and how pages learn that no worker runs."""

import pytest
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError

from tagger import broker, health


@pytest.mark.django_db
def test_without_workers_pages_are_served_and_health_is_degraded(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "degraded",
        "database": True,
        "broker": True,
        "workers": {"io": False, "ml": False, "train": False},
        "beat": False,
        "live_models": 0,
    }


@pytest.mark.django_db
def test_with_every_heartbeat_health_is_ok(client: Client) -> None:
    health.beat("io", "ml", "train", "beat")
    assert client.get("/healthz").json()["status"] == "ok"


def test_a_heartbeat_is_forgotten_in_time_for_the_page_to_say_so() -> None:
    health.beat("io")
    assert health.worker_state() == {"io": True, "ml": False, "train": False, "beat": False}
    assert 0 < broker.client().ttl("tagger:worker:io") <= 10


def test_without_a_broker_no_part_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def mget(self, keys: list[str]) -> list[str]:
            raise RedisConnectionError("gone")

    monkeypatch.setattr(broker, "client", Gone)
    assert set(health.worker_state().values()) == {False}
