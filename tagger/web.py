"""gunicorn's hooks. The rest of its configuration is on the command line that `tagger.supervision` writes."""

import signal
from typing import Any

from tagger import processes


def post_fork(server: Any, worker: Any) -> None:
    """A killed master must not leave workers that keep the port from the next one."""
    processes.die_with_parent(signal.SIGKILL)
