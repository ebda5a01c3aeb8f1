"""Messages to workers that there is something to do. What it is stands in the database: a lost one costs time alone."""

import logging
from typing import Any

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerError

logger = logging.getLogger(__name__)


def nudge(task: Task, *args: Any, countdown_s: float | None = None) -> None:
    """Send a task once the transaction has committed. Without a broker the sweep will find what to do."""

    def send() -> None:
        try:
            task.apply_async(args=list(args), countdown=countdown_s)
        except BrokerError:
            logger.warning("The broker does not answer: %s%s waits for the sweep", task.name, args)

    transaction.on_commit(send)
