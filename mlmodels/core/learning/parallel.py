"""Work of a fit side by side: one thread a core, each with products of its own.

A product that a library spreads over threads adds in another order on another machine. Here every product is
computed by one thread and jobs are cut by the data alone, so that the bits do not depend on the cores.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from threadpoolctl import threadpool_limits

Job = TypeVar("Job")
Result = TypeVar("Result")

MOST_WORKERS = 8
"""Every worker holds a block of the fit in memory."""


@contextmanager
def one_thread_a_product() -> Iterator[None]:
    """Within, NumPy's products run on the calling thread alone.

    >>> with one_thread_a_product():
    ...     each(abs, [-1, -2])
    [1, 2]
    """
    with threadpool_limits(limits=1, user_api="blas"):
        yield


def each(work: Callable[[Job], Result], jobs: Iterable[Job]) -> list[Result]:
    """The results of the jobs, in their order."""
    jobs = list(jobs)
    workers = min(len(jobs), cores(), MOST_WORKERS)
    if workers <= 1:
        return [work(job) for job in jobs]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, jobs))


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
