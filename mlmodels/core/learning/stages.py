"""Which part of a backbone is trained, and where it can be cut in two: a frozen front, run once, and a back.

Works on any timm model; one that cannot be cut (most transformers) is trained whole with its front frozen.
"""

import copy
from collections.abc import Iterator
from typing import Any

import mlmodels.core.vision  # noqa: F401  isort: skip  (timm cannot be imported without it)
import torch
from timm.models._manipulate import group_parameters
from torch import Tensor, nn

from mlmodels.core.learning.tuning import TuningError


class Front(nn.Module):
    """The frozen part: pixels [N, 3, H, W] to what the first trained unit is given."""

    def __init__(self, model: nn.Module) -> None:
        """`model` has nothing left behind the cut."""
        super().__init__()
        self.model = model.eval()

    def forward(self, pixels: Tensor) -> Tensor:
        """Run up to the cut."""
        model: Any = self.model
        reached: Tensor = model.forward_features(pixels)
        return reached


class Tagging(nn.Module):
    """A backbone, or its back, under one standardised linear layer: input to logits [N, K]."""

    mean: Tensor
    scale: Tensor

    def __init__(self, backbone: nn.Module, dimensions: int, tags: int) -> None:
        """The layer of tags starts at zero; `finetune` fits it before anything is trained."""
        super().__init__()
        self.backbone = backbone
        self.tags = nn.Linear(dimensions, tags)
        nn.init.zeros_(self.tags.weight)
        nn.init.zeros_(self.tags.bias)
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("scale", torch.ones(dimensions))

    def features(self, inputs: Tensor) -> Tensor:
        """The vector in front of the backbone's own classifier, [N, D], as the extractor takes it."""
        model: Any = self.backbone
        features: Tensor = model.forward_head(model.forward_features(inputs), pre_logits=True)
        return features

    def forward(self, inputs: Tensor) -> Tensor:
        """Map pixels, or what the front gave, to logits [N, K]."""
        logits: Tensor = self.tags((self.features(inputs).float() - self.mean) * self.scale)
        return logits

    def train(self, mode: bool = True) -> "Tagging":
        """Train, but leave the statistics of batch normalisation as they are: batches here are small."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        return self


def trained_names(model: nn.Module, stages: int | None) -> set[str]:
    """Names of the parameters that are trained: those of the last `stages` stages, all for None.

    The model's own classifier is never among them: tags have a layer of their own.

    Raises:
        TuningError: timm does not know the stages of this architecture, or it has none to train.

    Example:
        >>> import timm
        >>> names = trained_names(timm.create_model("test_efficientnet"), 1)
        >>> sorted({name.partition(".")[0] for name in names})
        ['blocks', 'bn2', 'conv_head']
    """
    classifier = _classifier_names(model)
    if stages is None:
        return {name for name, _ in model.named_parameters()} - classifier
    matcher = getattr(model, "group_matcher", None)
    if matcher is None:
        raise TuningError("expected an architecture whose stages timm knows, got one without; tune all of it")
    groups = group_parameters(model, matcher(coarse=True))
    known = _with_what_follows([set(groups[key]) - classifier for key in sorted(groups)], classifier)
    if stages < 1:
        raise TuningError(f"expected at least 1 stage to tune, got {stages}")
    return set().union(*known[-stages:])


def _with_what_follows(groups: list[set[str]], classifier: set[str]) -> list[set[str]]:
    """Stages alone: a normalisation that stands beside the classifier belongs to the last of them."""
    beside = {name.rpartition(".")[0].rpartition(".")[0] for name in classifier} - {""}
    found: list[set[str]] = []
    for names in filter(None, groups):
        if found and all(any(name.startswith(f"{module}.") for module in beside) for name in names):
            found[-1] |= names
        else:
            found.append(names)
    return found


def freeze(model: nn.Module, trained: set[str]) -> None:
    """Let gradients reach the trained parameters alone."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in trained)


def cut_in_two(model: nn.Module, trained: set[str], probe: Tensor) -> tuple[Front, nn.Module] | None:
    """Split a model in front of its first trained unit, if both halves together do what it does on `probe`.

    Returns:
        The front, and a copy of the model without it, whose `forward_features` takes what the front gives and whose
        parameters keep their names; None if nothing is frozen or the model cannot be cut.
    """
    units = dict(_units(model))
    order = _order(model, units, probe)
    is_trained = [
        any(f"{unit}.{name}" in trained for name, _ in units[unit].named_parameters()) for unit in order
    ]
    first = is_trained.index(True) if True in is_trained else 0
    if not first:
        return None
    front, back = Front(_without(model, order[first:])), _without(model, order[:first])
    return (front, back) if _same(model, front, back, probe) else None


def _without(model: nn.Module, units: list[str]) -> nn.Module:
    """A copy that hands on what these units are given."""
    rest = copy.deepcopy(model)
    for unit in units:
        parent, _, last = unit.rpartition(".")
        setattr(rest.get_submodule(parent), last, nn.Identity())
    return rest


def _same(model: Any, front: Front, back: Any, probe: Tensor) -> bool:
    with torch.no_grad():
        try:
            halves = back.forward_features(front(probe))
        except (RuntimeError, ValueError, IndexError, AssertionError):
            return False  # what stands outside the units, such as a table of positions, came twice
        whole = model.forward_features(probe)
    return halves.shape == whole.shape and torch.allclose(halves, whole, atol=1e-4, rtol=1e-4)


def _units(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        if type(child) in (nn.Sequential, nn.ModuleList):
            yield from _units(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def _order(model: Any, units: dict[str, nn.Module], probe: Tensor) -> list[str]:
    order: list[str] = []
    handles = [
        unit.register_forward_pre_hook(lambda _module, _inputs, name=name: order.append(name))
        for name, unit in units.items()
    ]
    try:
        with torch.no_grad():
            model.forward_features(probe)
    finally:
        for handle in handles:
            handle.remove()
    return list(dict.fromkeys(order))


def _classifier_names(model: Any) -> set[str]:
    classifier = model.get_classifier() if hasattr(model, "get_classifier") else None
    found = next((name for name, module in model.named_modules() if module is classifier), None)
    if not found or classifier is None:
        return set()
    return {f"{found}.{name}" for name, _ in classifier.named_parameters()}
