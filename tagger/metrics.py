"""What operators watch, as Prometheus reads it: GET /metrics, with the token that METRICS_TOKEN names.

Every figure is asked for when it is read, of the database and the broker, so that any web process tells the same and
nothing is counted twice. Of a database or broker that is away it is told that it is away, and nothing of what it knows.
"""

import logging
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from kombu.exceptions import KombuError
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from tagger import health
from tagger.celery import QUEUES, app

logger = logging.getLogger(__name__)

PATIENCE_S = 3
STATES = ("pending", "reviewed", "disputed", "unsure", "broken")


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, or 404 where no token is set, 401 where another one is sent."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(
        request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"
    ):
        return HttpResponse(
            "Send the token of METRICS_TOKEN: “Authorization: Bearer …”.\n",
            status=401,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": "Bearer"},
        )
    registry = CollectorRegistry()
    registry.register(Figures())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


class Figures(Collector):
    def describe(self) -> list[Metric]:
        """Nothing is collected when it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All figures of this moment."""
        stored = _of_the_database()
        waiting = _of_the_broker()
        yield _parts(database=bool(stored), broker=bool(waiting))
        yield from waiting
        yield from stored


def _parts(**up: bool) -> Metric:
    family = GaugeMetricFamily(
        "tagger_up",
        "1 for each part that answers, or gave a sign of life in the last 10 seconds.",
        labels=["part"],
    )
    for part, is_up in {**up, **health.worker_state()}.items():
        family.add_metric([part], float(is_up))
    return family


def _of_the_broker() -> list[Metric]:
    family = GaugeMetricFamily("tagger_queue_tasks", "Messages that wait for a worker.", labels=["queue"])
    try:
        with app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, timeout=PATIENCE_S)
            channel = connection.channel()
            for name in QUEUES:
                family.add_metric([name], channel.queue_declare(queue=name).message_count)
    except (KombuError, RedisError, OSError) as error:
        logger.warning("broker: %s", error)
        return []
    return [family]


def _of_the_database() -> list[Metric]:
    try:
        return [*_counts(), *_jobs()]
    except DatabaseError as error:
        logger.warning("database: %s", error)
        return []


def _counts() -> Iterator[Metric]:
    """Gauges: what is undone or removed counts no more."""
    from annotations.selectors import operation

    kept = operation.counts()
    images = GaugeMetricFamily(
        "tagger_images", "Images of all projects by state, without the trash.", labels=["state"]
    )
    for state in STATES:
        images.add_metric([state], kept.get(state, 0))
    yield images
    for name, text, value in (
        ("tagger_projects", "Projects, without the trash.", operation.projects()),
        ("tagger_reviews", "Reviews of whole images that stand.", kept.get("reviews", 0)),
        ("tagger_decisions", "Answers to single tags that are stored and stand.", kept.get("decisions", 0)),
        ("tagger_leases", "Images that somebody holds at this moment.", operation.open_leases()),
        ("tagger_live_models", "Projects with a version that serves.", health.live_models() or 0),
    ):
        yield GaugeMetricFamily(name, text, value=value)


def _jobs() -> Iterator[Metric]:
    from annotations.models import BulkJob, ExportJob, ImportJob
    from annotations.selectors import operation
    from mlmodels.models import ModelExport, TrainingRun

    labels = ["kind", "state"]
    number = GaugeMetricFamily("tagger_jobs", "Long work that waits or runs.", labels=labels)
    oldest = GaugeMetricFamily(
        "tagger_oldest_job_seconds",
        "Seconds since the oldest of it was asked for; 0 for none.",
        labels=labels,
    )
    kinds = {
        "import": ImportJob.objects.all(),
        "export": ExportJob.objects.all(),
        "bulk": BulkJob.objects.all(),
        "training": TrainingRun.objects.all(),
        "model_export": ModelExport.objects.all(),
    }
    for kind, jobs_of_kind in kinds.items():
        for jobs in operation.open_jobs(jobs_of_kind):
            number.add_metric([kind, jobs.state], jobs.number)
            oldest.add_metric([kind, jobs.state], jobs.waited_s)
    yield number
    yield oldest
