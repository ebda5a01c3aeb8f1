"""Figures that read much of a large project, kept for a minute: its pages are opened again and again.

In a smaller project they are worked out each time, and so they are without a cache. Kept is what JSON can hold, so that
a newer release never meets an older one's objects.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError

from annotations.selectors import counters

logger = logging.getLogger(__name__)

KEPT_S = 60
FROM_DECISIONS = 20_000


def is_large(project_id: int) -> bool:
    """Whether figures of the project are kept, so that a page has to say how old they may be. One query."""
    return counters.read(project_id).get("decisions", 0) >= FROM_DECISIONS


def figures(project_id: int, vocabulary_version: int, name: str, work_out: Callable[[], Any]) -> Any:
    """What `work_out` answers, or answered within the last minute and in the same vocabulary. One query more."""
    if not is_large(project_id):
        return work_out()
    key = f"figures:{project_id}:{vocabulary_version}:{name}"
    try:
        found = cache.get(key)
        if found is None:
            found = json.dumps(work_out())
            cache.set(key, found, timeout=KEPT_S)
    except RedisError as error:
        logger.warning("figures %s of project %s are not kept: %s", name, project_id, error)
        return work_out()
    return json.loads(found)
