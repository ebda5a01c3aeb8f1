"""The Celery application: queues, routes, the schedule, and the heartbeats by which pages know of workers."""

import os
import signal
from typing import Any

from celery import Celery, bootsteps
from celery.signals import setup_logging, worker_process_init
from kombu import Queue

from tagger import health, processes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tagger.settings")

QUEUES = ("io", "ml", "train")
# Redis serves 0 first and 9 last: what somebody waits for overtakes what fills the background.
SOMEBODY_WAITS, BACKGROUND, LAST = 0, 6, 9
# Queue by the task's name, else by its package.
ROUTES: dict[str, dict[str, Any]] = {
    "mlmodels.tasks.train": {"queue": "train"},
    "mlmodels.tasks.export_model": {"queue": "train"},
    "mlmodels.tasks.estimate_finetuning": {"queue": "train"},
    "mlmodels.tasks.warm_up": {"queue": "train"},
    "mlmodels.tasks.climb_curve": {"queue": "train", "priority": LAST},
    "mlmodels.tasks.check_policy": {"queue": "train"},
    "mlmodels.tasks.check_policies": {"queue": "train"},
    "mlmodels.tasks.propose": {"queue": "ml", "priority": LAST},
    "mlmodels.tasks.compute_next_features": {"queue": "ml", "priority": LAST},
    "mlmodels.tasks.rank_suspects": {"queue": "ml", "priority": LAST},
    "annotations.tasks.refresh_rankings": {"queue": "io", "priority": SOMEBODY_WAITS},
    "annotations.tasks.find_duplicates": {"queue": "io", "priority": LAST},
    "mlmodels.tasks.index_features": {"queue": "io", "priority": LAST},
    "annotations.*": {"queue": "io"},
    "mlmodels.*": {"queue": "ml"},
}
# Nudges that repeat: each reads the database and does nothing when there is nothing to do.
SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {"task": "annotations.tasks.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "models-sweep": {"task": "mlmodels.tasks.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "empty-trash": {
        "task": "annotations.tasks.empty_trash",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "remove-leftovers": {
        "task": "annotations.tasks.remove_leftovers",
        "schedule": 24 * 3600.0,
        "options": {"expires": 24 * 3600},
    },
    "check-policies": {"task": "mlmodels.tasks.check_policies", "schedule": 2.0, "options": {"expires": 4}},
}

app = Celery("tagger")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_queues=[Queue(name) for name in QUEUES],
    task_default_queue="io",
    task_default_priority=BACKGROUND,
    task_routes=(lambda name, args, kwargs, options, task=None, **kw: route(name),),
    beat_schedule=SCHEDULE,
)
app.autodiscover_tasks()


def route(name: str) -> dict[str, Any] | None:
    """The queue of the task itself, else that of its package. A copy, since Celery writes into it."""
    found = ROUTES.get(name) or ROUTES.get(name.split(".", 1)[0] + ".*")
    return dict(found) if found else None


class Heartbeat(bootsteps.StartStopStep):
    """Says every few seconds that this worker's main process lives and which queues it serves."""

    requires = {"celery.worker.components:Timer", "celery.worker.components:Pool"}

    def start(self, parent: Any) -> None:
        names = [name for name in QUEUES if name in parent.app.amqp.queues.consume_from]
        health.beat(*names)
        self.entry = parent.timer.call_repeatedly(health.HEARTBEAT_EVERY_S, health.beat, names)

    def stop(self, parent: Any) -> None:
        self.entry.cancel()


app.steps["worker"].add(Heartbeat)


@worker_process_init.connect
def end_with_parent(**kwargs: Any) -> None:
    """A killed worker must not leave a child that goes on with its task: another worker has it by then."""
    processes.die_with_parent(signal.SIGKILL)


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Django's LOGGING stands: without a listener here Celery would replace it."""
