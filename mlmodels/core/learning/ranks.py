"""Several processes that train one model, as `torchrun` starts them. Alone, everything here does nothing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed

from mlmodels.core import devices

Value = TypeVar("Value")
# The first process may judge or run the frozen part for hours while the others wait for it.
PATIENCE = timedelta(days=2)


@dataclass(frozen=True)
class Ranks:
    """This process among `world` of them; the first one keeps files and decides."""

    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process keeps files and decides."""
        return self.rank == 0

    def share(self, value: Value) -> Value:
        """The value of the first process, in all of them."""
        if self.world == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0)
        return box[0]

    def mine(self, rows: list[int]) -> list[int]:
        """This process's part of a batch; every process gets as many, so that none waits for another."""
        if self.world == 1:
            return rows
        each = max(1, len(rows) // self.world)
        return (rows + rows)[self.rank * each : (self.rank + 1) * each]


def of_environment() -> Ranks:
    """What `torchrun` says; one process alone without it.

    Example:
        >>> Ranks(1, 2).mine([5, 6, 7, 8]), Ranks().mine([5, 6])
        ([7, 8], [5, 6])
    """
    return Ranks(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


@contextmanager
def joined(device: str) -> Iterator[tuple[Ranks, str]]:
    """Meet the other processes for the length of a block; yields the ranks and this process's own device.

    Raises:
        DeviceError: there are fewer GPUs than processes.
    """
    ranks = of_environment()
    if ranks.world == 1:
        yield ranks, device
        return
    if device == "cuda":
        device = devices.chosen(f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
        torch.cuda.set_device(device)
    backend = "nccl" if device.startswith("cuda") else "gloo"
    distributed.init_process_group(backend, timeout=PATIENCE)
    try:
        yield ranks, device
    finally:
        distributed.destroy_process_group()
