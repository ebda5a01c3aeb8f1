"""How fast one API token may call: a count for each second in Redis, one round trip a request."""

import logging
import time
from typing import Any

from django.conf import settings
from knox.models import AuthToken
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from tagger import broker

logger = logging.getLogger(__name__)


class TokenThrottle(BaseThrottle):
    """People with a session are not limited here: their pages wait for the server anyway."""

    def allow_request(self, request: Request, view: Any) -> bool:
        token = request.auth
        if not isinstance(token, AuthToken):
            return True
        key = f"tagger:calls:{token.pk}:{int(time.time())}"
        try:
            with broker.client().pipeline(transaction=False) as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, 2)
                calls, _ = pipeline.execute()
        except RedisError:
            logger.warning("Redis does not answer: requests are not counted")
            return True
        return calls <= settings.API_REQUESTS_PER_SECOND

    def wait(self) -> float:
        return 1.0
