"""The search for reference cycles, where rows are made by the million."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Some rows' worth of them; a search looks at each that is there.
_NEW_OBJECTS = 100_000


@contextmanager
def only_of_new_objects() -> Iterator[None]:
    """Within, only what is made there is searched, and seldom: rows are no cycles.

    A look at all of Django takes longer than thousands of rows.
    """
    gc.freeze()
    often = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, *often[1:])
    try:
        yield
    finally:
        gc.set_threshold(*often)
        gc.unfreeze()
