"""What torch computes on: which device, and how many images it takes at once."""

import logging
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from mlmodels.core.errors import DeviceError

Made = TypeVar("Made")

_log = logging.getLogger(__name__)


def best() -> str:
    """What is there: "cuda", "mps" or "cpu".

    Example:
        >>> best() in ("cuda", "mps", "cpu")
        True
    """
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def chosen(device: str) -> str:
    """`device` as it was asked for, or the best there is for "".

    Args:
        device: "cpu", "cuda", "mps", or one of several, such as "cuda:1".

    Raises:
        DeviceError: torch sees no such device here; the message names those that it sees.

    Example:
        >>> chosen("cpu")
        'cpu'
    """
    counts = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    kind, separator, number = device.partition(":")
    is_there = number.isdecimal() and int(number) < counts.get(kind, 0) if separator else counts.get(kind)
    if device and not is_there:
        raise DeviceError(device, _seen(counts), has_cuda_build=torch.version.cuda is not None)
    return device or best()


def _seen(counts: dict[str, int]) -> tuple[str, ...]:
    """Names as one would type them: with a number where there are several."""
    numbered = {kind: [f"{kind}:{number}" for number in range(count)] for kind, count in counts.items()}
    return tuple(
        name
        for kind, names in numbered.items()
        for name in (names if len(names) > 1 else [kind] * len(names))
    )


def ran_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error of torch says that a device's memory does not suffice.

    Example:
        >>> ran_out_of_memory(torch.OutOfMemoryError("CUDA out of memory.")), ran_out_of_memory(RuntimeError("other"))
        (True, False)
    """
    # The CPU's allocator raises a plain RuntimeError, with its name in what it says.
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


class Room:
    """How many images a device takes at once: half as many each time that its memory runs out; `notes` say so."""

    def __init__(self, device: str, images: int) -> None:
        """Begin with `images` at once, at least 1."""
        self.device, self.images = device, images
        self.notes: list[str] = []

    def attempt(self, work: Callable[[], Made], images: int) -> Made:
        """What `work` returns. Called again with less room each time that memory runs out: it asks `images` anew.

        Args:
            work: handles `images` images, at most `self.images` of them at once.
            images: at least 1.

        Raises:
            RuntimeError: one image at a time is too much (`ran_out_of_memory`), or anything else that torch says.
        """
        while True:
            try:
                return work()
            except RuntimeError as error:
                at_once = min(self.images, images)
                if at_once < 2 or not ran_out_of_memory(error):
                    raise
            # Behind the handler: the error holds the frames, and they hold what was made so far.
            self._halve(at_once)

    def through(self, run: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
        """Map inputs [N, ...] by `run`, piece by piece, to [N, ...].

        Raises:
            RuntimeError: one image at a time is too much (`ran_out_of_memory`), or anything else that torch says.

        Example:
            >>> Room("cpu", 2).through(lambda piece: 2 * piece, torch.ones(3)).tolist()
            [2.0, 2.0, 2.0]
        """
        pieces = self.attempt(lambda: [run(piece) for piece in inputs.split(self.images)], len(inputs))
        return torch.cat(pieces) if len(pieces) > 1 else pieces[0]

    def _halve(self, at_once: int) -> None:
        self.images = at_once // 2
        note = f"{self.device} ran out of memory at {at_once} images at once: {self.images} from now on."
        self.notes.append(note)
        _log.warning(note)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
