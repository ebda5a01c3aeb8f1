"""Puts a file's tensors into a timm model, strictly: each finds its place or the file is refused by name."""

from pathlib import Path
from typing import Any

import timm
import torch
from torch import nn

from mlmodels.core.errors import WeightsError
from mlmodels.core.vision.weights import State

# Batch normalisation's step counter: older files lack it, and evaluation does not use it.
_COUNTER = "num_batches_tracked"
# What libraries call the same tensor.
_SAME_NAME = {"layer_scale": "gamma"}
# A conversion may enlarge a position table, never make up half of a model: smaller files are not tried.
_LEAST_SHARE = 0.5


def fit(name: str, path: Path, state: State) -> nn.Module:
    """Build the model `name` and load `state` into it.

    Three readings are tried: the names as they are; the order of the tensors (same count, shapes and last name
    parts), which fits files of the same architecture written by another library; and timm's own conversion of
    other publishers' names.

    Raises:
        WeightsError: none of them fits, or a number is none; the message says how the file differs.
    """
    _refuse_what_is_no_number(path, state)
    # Training-only side heads; evaluation never runs them and timm builds the model without.
    state = {key: tensor for key, tensor in state.items() if not key.startswith("AuxLogits.")}
    model = timm.create_model(name, pretrained=False).eval()
    problem = _load(model, state)
    if problem is None:
        return model
    renamed = _in_order(model, state)
    if renamed is not None and _load(model, renamed) is None:
        return model
    converted = _converted(name, state, model.state_dict())
    if converted is not None:
        return converted
    raise WeightsError(path, f"expected the weights of {name}, got others: {problem}; name the right file")


def _refuse_what_is_no_number(path: Path, state: State) -> None:
    for key, tensor in state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise WeightsError(path, f"expected numbers, got NaN or infinity in {key}; download it again")


def _load(model: nn.Module, state: State) -> str | None:
    """Load strictly; return None, or how the state differs. A refused state leaves the model as it was."""
    wanted = model.state_dict()
    missing = [key for key in wanted if key not in state and not key.endswith(_COUNTER)]
    surplus = [key for key in state if key not in wanted]
    for kind, keys in (("lacks", missing), ("has unknown", surplus)):
        if keys:
            return f"it {kind} {keys[0]}" + (f" and {len(keys) - 1} more" if len(keys) > 1 else "")
    for key, tensor in state.items():
        if tensor.shape != wanted[key].shape:
            return f"{key} is {list(tensor.shape)} instead of {list(wanted[key].shape)}"
    model.load_state_dict({**wanted, **state}, strict=True)
    return None


def _converted(name: str, state: State, wanted: State) -> nn.Module | None:
    """Load through timm's conversion for the architecture; None if it does not fit or leaves a tensor random.

    timm loads some architectures leniently, so two models of different random starts must come out equal.
    """
    if _numbers(state) < _LEAST_SHARE * _numbers(wanted):
        return None
    models = []
    for seed in (0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            overlay: dict[str, Any] = {"state_dict": dict(state), "custom_load": False}
            try:
                model = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay)
            except (RuntimeError, ValueError, LookupError, AttributeError, TypeError, AssertionError):
                return None  # each conversion fails in its own way on names that it was not written for
        models.append(model.eval())
    first, second = (model.state_dict() for model in models)
    return models[0] if all(torch.equal(first[key], second[key]) for key in first) else None


def _numbers(state: State) -> int:
    return sum(tensor.numel() for tensor in state.values())


def _in_order(model: nn.Module, state: State) -> State | None:
    """Rename by position; None unless counts, shapes and the last parts of the names agree throughout."""
    wanted = {key: tensor for key, tensor in model.state_dict().items() if not key.endswith(_COUNTER)}
    given = {key: tensor for key, tensor in state.items() if not key.endswith(_COUNTER)}
    if len(wanted) != len(given):
        return None
    pairs = list(zip(wanted.items(), given.items(), strict=True))
    fits = all(
        _sides(ours) == _sides(theirs) and _last_part(our_key) == _last_part(their_key)
        for (our_key, ours), (their_key, theirs) in pairs
    )
    return {our_key: theirs.reshape(ours.shape) for (our_key, ours), (_, theirs) in pairs} if fits else None


def _sides(tensor: torch.Tensor) -> list[int]:
    """A shape without its ones: a scale [C] is written as [C, 1, 1] too, a linear layer as a 1x1 convolution."""
    return [side for side in tensor.shape if side != 1]


def _last_part(key: str) -> str:
    last = key.rpartition(".")[2]
    return _SAME_NAME.get(last, last)
