"""What the frozen part of a backbone says of every training image, computed once and kept on disk.

One plain view and a few augmented ones an image: later epochs run the trained part alone, which on a CPU is most of
the time saved. Later epochs see the same few variants again; that is the price.
"""

import json
import math
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mlmodels.core.files import write_whole

# At most so much of what is free on the disk: others write there too.
_SHARE_OF_FREE = 0.5
_NOTE_EVERY = 8

Look = Callable[[list[int], int], Tensor]


class Activations:
    """float16 [1 + views, N, ...] in a file; view 0 is plain. A file that was begun is gone on with.

    `done` counts the batches that were computed, `noted` those that a kill leaves.
    """

    def __init__(
        self, folder: Path, *, images: int, views: int, shape: Sequence[int], writes: bool = True
    ) -> None:
        """Open the file in `folder`, or make it; a process that does not write waits until it is there."""
        self.views = views
        self._note = folder / "activations.json"
        full = (1 + views, images, *shape)
        path = folder / "activations.f16"
        self.done = self.noted = self._read_note(list(full)) if path.exists() else 0
        if writes and not self.done:
            _reserve(path, 2 * math.prod(full))
        mode = "r+" if writes else "r"
        self._array: np.memmap[Any, Any] = np.memmap(path, dtype=np.float16, mode=mode, shape=full)  # type: ignore[call-overload]

    def fill(self, look: Look, plan: Sequence[tuple[int, list[int]]], told: Callable[[int], None]) -> None:
        """Compute `plan`, batches as (view, rows), from where an earlier call was stopped.

        Args:
            look: rows and view to activations [n, ...].
            plan: the same at every call.
            told: called after each batch with the number of batches done; what it raises ends the call.
        """
        try:
            for at in range(self.done, len(plan)):
                view, rows = plan[at]
                values = look(rows, view).float().clamp(-65504, 65504)
                self._array[view, rows] = values.cpu().numpy().astype(np.float16)
                self.done = at + 1
                if self.done % _NOTE_EVERY == 0:
                    self._keep()
                told(self.done)
        finally:
            self._keep()

    def read(self, rows: list[int], view: int) -> Tensor:
        """Activations float32 [n, ...] of these rows."""
        return torch.from_numpy(self._array[view, rows].astype(np.float32))

    def _keep(self) -> None:
        self._array.flush()
        note = {"done": self.done, "shape": list(self._array.shape)}
        write_whole(self._note, json.dumps(note).encode())
        self.noted = self.done

    def _read_note(self, shape: list[int]) -> int:
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return 0
        return int(note["done"]) if note.get("shape") == shape else 0


def _reserve(path: Path, size_bytes: int) -> None:
    """Take the space now: a disk that is full later would end the process by a signal, here it is an OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size_bytes)


def views_that_fit(*, wanted: int, images: int, numbers: int, cache_bytes: int, folder: Path) -> int:
    """How many augmented views fit beside the plain one; 0 where not even one does, and nothing is kept then.

    Args:
        wanted: at most so many.
        images: N.
        numbers: figures of one activation, two bytes each.
        cache_bytes: the bound that was set; half of the free space in `folder` is another.
        folder: that the file would lie in, or below.

    Example:
        >>> import tempfile
        >>> views_that_fit(wanted=3, images=10, numbers=100, cache_bytes=6_000, folder=Path(tempfile.gettempdir()))
        2
    """
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    room = min(cache_bytes, int(shutil.disk_usage(existing).free * _SHARE_OF_FREE))
    return max(0, min(wanted, room // max(1, images * numbers * 2) - 1))
