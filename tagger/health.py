"""What runs and what does not: worker heartbeats in Redis, and the answer of /healthz."""

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from redis.exceptions import RedisError

from tagger import broker

logger = logging.getLogger(__name__)

HEARTBEAT_EVERY_S = 3.0
HEARTBEAT_EXPIRES_S = 10
PARTS = ("io", "ml", "train", "beat")


def beat(*names: str) -> None:
    """Note that these parts live. A broker that is away is no reason to fail: the next beat tries again."""
    try:
        with broker.client().pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.set(f"tagger:worker:{name}", "1", ex=HEARTBEAT_EXPIRES_S)
            pipeline.execute()
    except RedisError as error:
        logger.warning("no heartbeat: %s", error)


def worker_state() -> dict[str, bool]:
    """Which of io, ml, train and beat gave a sign of life in the last 10 s; all False without a broker."""
    try:
        found = broker.client().mget([f"tagger:worker:{name}" for name in PARTS])
    except RedisError:
        return dict.fromkeys(PARTS, False)
    return {name: value is not None for name, value in zip(PARTS, found, strict=True)}


def broker_answers() -> bool:
    try:
        return bool(broker.client().ping())
    except RedisError:
        return False


def live_models() -> int | None:
    """How many projects have a model that serves, or None without a database."""
    from annotations.models import LiveModel

    try:
        connection.ensure_connection()
        return LiveModel.objects.filter(version_id__isnull=False).count()
    except DatabaseError as error:
        logger.warning("database: %s", error)
        return None


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when pages can be served, which takes the database; the rest only degrades."""
    live = live_models()
    database, state = live is not None, worker_state()
    broker_up = any(state.values()) or broker_answers()
    beat_up = state.pop("beat")
    body = {
        "status": "ok" if database and broker_up and beat_up and all(state.values()) else "degraded",
        "database": database,
        "broker": broker_up,
        "workers": state,
        "beat": beat_up,
        "live_models": live or 0,
    }
    return JsonResponse(body, status=200 if database else 503)
