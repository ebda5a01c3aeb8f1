"""What a worker's main process sees of a child that died: which signal it was, noted for the job that it did."""

import re
from typing import Any

from celery.exceptions import WorkerLostError
from celery.worker.request import Request

from annotations.services import worker_deaths

# The pool hands the exit status on in words alone: "signal 9 (SIGKILL)".
_SIGNAL = re.compile(r"\bsignal (\d+) \(SIG\w+\)")


class JobRequest(Request):
    """A request for a task whose first argument is the id of a row of its `job_model`."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(error, WorkerLostError) and (found := _SIGNAL.search(str(error))):
            worker_deaths.note(self.task.job_model, self.args[0], int(found[1]))
        super().on_failure(exc_info, send_failed_event, return_ok)
