"""The one Redis client of this process, for counts and heartbeats. Celery and the cache hold their own."""

from functools import cache

import redis
from django.conf import settings


@cache
def client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, decode_responses=True, socket_timeout=3, socket_connect_timeout=3
    )
