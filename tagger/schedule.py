"""The scheduler that `celery beat` runs. Apart from `tagger.celery`, because it needs Django's models."""

from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from tagger import health


class Scheduler(DatabaseScheduler):
    """The database's schedule, with a heartbeat in each round."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        health.beat("beat")
        return min(super().tick(*args, **kwargs), health.HEARTBEAT_EVERY_S)
