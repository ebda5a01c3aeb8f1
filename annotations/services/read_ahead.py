"""What comes next, worked out by a thread of its own while the last of it is used.

Worth it where one side waits for the database or a disk: two threads of Python take turns.
"""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connection

T = TypeVar("T")
_AHEAD = 2
_END: Any = object()


def read_ahead(
    coming: Generator[T, None, None], *, result: Callable[[Future[T]], T] = Future.result
) -> Generator[T, None, None]:
    """The same values in the same order, at most two of them waiting.

    All of `coming` runs in that one thread, whose connection to the database is another one: it does not see what a
    transaction here has written. `result` waits for a value.
    """
    with ThreadPoolExecutor(1) as thread:
        waiting = deque(thread.submit(next, coming, _END) for _ in range(_AHEAD))
        try:
            while (found := result(waiting.popleft())) is not _END:
                waiting.append(thread.submit(next, coming, _END))
                yield found
        finally:
            for one in waiting:
                one.cancel()
            thread.submit(_close, coming).result()


def _close(coming: Generator[Any, None, None]) -> None:
    coming.close()
    connection.close()
