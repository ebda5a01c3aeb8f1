"""States of unfinished training on disk: a reader finds the whole newest one or the one before, never a part."""

import io
from pathlib import Path
from typing import Any

import torch

from mlmodels.core.files import write_whole
from mlmodels.core.learning.tuning import TuningError

NAME = "checkpoint.pt"


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write `state` (tensors, numbers, words and containers of them) under a temporary name, sync it, rename it.

    Raises:
        OSError: the disk is full, for one; what was there before is whole, and nothing half written stays.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as name:
        ...     save(Path(name), {"epoch": 3})
        ...     load(Path(name))["epoch"]
        3
    """
    memory = io.BytesIO()
    torch.save(state, memory)
    write_whole(folder / NAME, memory.getbuffer())


def load(folder: Path) -> dict[str, Any] | None:
    """Read it back without running code; None if there is none.

    Raises:
        TuningError: the file was damaged after it was written.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged archive fails in as many ways as it has parts
        raise TuningError(
            f"{path.name}: expected a whole checkpoint, got a damaged one; start again"
        ) from error
    return state
