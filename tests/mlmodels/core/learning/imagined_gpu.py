"""A second device to test on where there is none: it computes on the CPU, and keeps to itself as a GPU does.

Its tensors are of device "gpu:0". What joins one of them with the CPU's is refused, numpy cannot read them, and results
stay where their inputs are; copies, single numbers and index lists cross over, as on CUDA. What it has not got are a
memory of its own, streams, and kernels that round otherwise.

Registering a device is for the life of a process: tests run this file in one of its own.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from mlmodels.core.learning import estimate
from mlmodels.core.learning.finetune import tune
from mlmodels.core.learning.tuning import Tuned
from mlmodels.core.vision.engines import TorchEngine
from tests.mlmodels.core.learning import tuning_set

KIND = "gpu"
DEVICE = f"{KIND}:0"
ATEN = torch.ops.aten
COPIES = {ATEN._to_copy.default, ATEN.to.device, ATEN.to.dtype_layout, ATEN.copy_.default}
INDEXED = {ATEN.index.Tensor, ATEN._unsafe_index.Tensor, ATEN.index_put_.default}
PAUSES_EVERY = 5


class There(torch.Tensor):
    """A tensor of the device, around one of the CPU."""

    @staticmethod
    def __new__(cls, here: torch.Tensor) -> "There":
        return torch.Tensor._make_wrapper_subclass(
            cls,
            here.size(),
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=DEVICE,
        )

    def __init__(self, here: torch.Tensor) -> None:
        self.here = here

    def __reduce_ex__(self, protocol):
        """In a file it is a tensor like others, as one of CUDA is for a reader that maps it to the CPU."""
        return self.here.__reduce_ex__(protocol)

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return _computed(operation, args, kwargs or {})


def _computed(operation: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    there = [tensor for tensor in given if isinstance(tensor, There)]
    if there and operation not in COPIES | INDEXED:
        _refuse_mixtures(operation, given)
    stays_there = _is_there(operation, args, kwargs, there)
    known = {
        id(tensor.here): tensor for tensor in there
    }  # what changes in place is the same tensor afterwards

    def placed(made: Any) -> Any:
        if not isinstance(made, torch.Tensor):
            return made
        if stays_there:
            return known[id(made)] if id(made) in known else There(made)
        return made.clone() if id(made) in known else made

    args, kwargs = tree_map(_here, (args, kwargs))
    return tree_map(placed, operation(*args, **kwargs))


def _here(leaf: Any) -> Any:
    if isinstance(leaf, torch.device):
        return torch.device("cpu")
    return leaf.here if isinstance(leaf, There) else leaf


def _is_there(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], there: list[There]) -> bool:
    for leaf in tree_leaves((args, kwargs)):
        if isinstance(leaf, torch.device):
            return leaf.type == KIND
    if operation is ATEN.copy_.default:
        return isinstance(args[0], There)
    return bool(there)


def _refuse_mixtures(operation: Any, given: list[torch.Tensor]) -> None:
    if any(tensor.ndim and not isinstance(tensor, There) for tensor in given):
        raise RuntimeError(
            f"{operation}: expected all tensors to be on the same device, got cpu and {DEVICE}"
        )


class _Operations(TorchDispatchMode):
    """Makes new tensors where they were asked for."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return _computed(operation, args, kwargs or {})


class _Literals(TorchFunctionMode):
    """Lists of numbers become tensors inside torch, past `_Operations`: they go by way of the CPU."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function is torch.tensor and (device := kwargs.pop("device", None)) is not None:
            return torch.tensor(*args, **kwargs).to(device)
        if function is torch.Tensor.__getitem__ and isinstance(args[1], list):
            args = (args[0], torch.tensor(args[1]))
        return function(*args, **kwargs)


@contextmanager
def present() -> Iterator[None]:
    """The device is there for the length of a block."""
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    with _Literals(), _Operations():
        yield


def refused_mixture() -> str:
    """What joining tensors of two devices says."""
    try:
        torch.ones(2, device=DEVICE) + torch.ones(2)
    except RuntimeError as error:
        return str(error)
    return ""


def refused_by_numpy() -> str:
    try:
        torch.ones(2, device=DEVICE).numpy()
    except (RuntimeError, TypeError) as error:
        return str(error)
    return ""


def tuned_everywhere(name: str | None, *, epochs: int = 1, **changes: Any) -> dict[str, Any]:
    """Curves and weights of one tuning on the CPU, there, and there with pauses."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        backbone = tuning_set.random_backbone(name) if name else tuning_set.backbone(folder)
        side_px = backbone.spec.input_px if name else tuning_set.SIDE_PX
        training = tuning_set.training_set(side_px=side_px)
        settings = replace(tuning_set.SETTINGS, epochs=epochs, **changes)

        what = (backbone, training, settings)

        found = {"cpu": _told(tune(*what, folder=folder / "a", side_px=side_px))}
        with present():
            there = {"side_px": side_px, "device": DEVICE}
            found["there"] = _told(tune(*what, folder=folder / "b", **there))
            paused, stops = tuning_set.tuned_with_pauses(PAUSES_EVERY, *what, folder=folder / "c", **there)
            found["paused"] = _told(paused)
        assert stops, "else it went on from no checkpoint"
        return found


def _told(result: Tuned) -> dict[str, Any]:
    return {
        "curve": tuning_set.curve_of(result),
        "devices": sorted({str(tensor.device) for tensor in result.state.values()}),
        "sum": sum(float(tensor.double().sum()) for tensor in result.state.values()),
    }


def features_apart() -> float:
    """The greatest difference between features of the two devices."""
    with tempfile.TemporaryDirectory() as folder:
        backbone = tuning_set.backbone(Path(folder))
    pixels = np.random.default_rng(0).uniform(-1, 1, (3, 3, 96, 96)).astype(np.float32)
    here = TorchEngine(backbone.module, device="cpu").run(pixels)
    with present():
        there = TorchEngine(backbone.module, device=DEVICE).run(pixels)
    return max(float(np.abs(a - b).max()) for a, b in zip(here, there, strict=True))


def estimated() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        backbone = tuning_set.backbone(Path(folder))
        with present():
            found = estimate.measure(
                backbone, tuning_set.SETTINGS, images=200, tags=3, side_px=tuning_set.SIDE_PX, device=DEVICE
            )
    return {"device": found.device, "seconds": found.seconds}


def main() -> None:
    torch.set_num_threads(1)
    backend_registration._setup_privateuseone_for_python_backend(KIND)
    with present():
        found: dict[str, Any] = {"mixture": refused_mixture(), "numpy": refused_by_numpy()}
    found["tuned"] = {
        "cut, kept": tuned_everywhere(None, epochs=2),
        "cut, not kept": tuned_everywhere(None, cache_bytes=0, loss="asymmetric"),
        "not cut": tuned_everywhere("test_vit"),
        "all of it": tuned_everywhere(None, stages=None),
    }
    found["features apart"] = features_apart()
    found["estimated"] = estimated()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
