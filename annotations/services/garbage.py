"""The search for reference cycles, where rows are made by the million."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_of_new_objects() -> Iterator[None]:
    """Within, only what is made there is searched: a look at all of Django takes longer than thousands of rows."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
