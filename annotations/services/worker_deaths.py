"""By which signal a job's worker was killed: its main process notes it, whoever takes the job up tells it.

Where a whole worker or its machine ends nobody is left to note anything, and the silence of the job is all there is.
"""

import logging
import signal

from django.core.cache import cache
from redis.exceptions import RedisError

from annotations.models.job import Job

logger = logging.getLogger(__name__)

# What a job's task asks its requests to be: `shared_task(Request=NOTING, job_model=...)`. By name, as only a worker's
# main process has such requests.
NOTING = "tagger.lost_workers:JobRequest"
# A job waits for its next worker behind whatever that one does.
KEPT_S = 24 * 3600


def note(model: type[Job], job_id: int, number: int) -> None:
    """Keep the signal. Without a cache it is lost: the main process has more to do than this."""
    try:
        cache.set(_key(model, job_id), number, timeout=KEPT_S)
    except RedisError as error:
        logger.warning("signal %s ended the worker of %s %s: %s", number, model.__name__, job_id, error)


def take(job: Job) -> int | None:
    """The signal that ended the job's last worker, told once; None if nobody saw one."""
    key = _key(type(job), job.pk)
    number: int | None = cache.get(key)
    cache.delete(key)
    return number


def named(number: int) -> str:
    """A signal as people are told of it: "signal 11 (SIGSEGV)"."""
    name = f"signal {number} ({signal.Signals(number).name})"
    return f"{name}, as the system does when memory runs out" if is_for_memory(number) else name


def is_for_memory(number: int) -> bool:
    return number == signal.SIGKILL


def _key(model: type[Job], job_id: int) -> str:
    return f"worker-death:{model._meta.label_lower}:{job_id}"
