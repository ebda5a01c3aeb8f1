"""Any timm backbone by name: weights from disk, package or hub, and one module for features and logits.

Input size, statistics and feature dimension are found by asking the model. Nothing is trained here.
"""

import difflib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data.config import resolve_model_data_config
from torch import Tensor, nn

from mlmodels.core.errors import UnknownBackboneError, WeightsError
from mlmodels.core.vision import fitting, weights

DEFAULT_BACKBONE = "tf_efficientnet_lite0"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BackboneSpec:
    """What is known of a backbone; enough to prepare pixels for it and to name its features."""

    name: str
    input_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str
    feature_dim: int
    class_count: int
    weights_source: str
    weights_sha256: str
    any_size: bool


@dataclass(frozen=True)
class Backbone:
    """A spec and its module: pixels [N, 3, H, W] to (features [N, D], logits [N, class_count])."""

    spec: BackboneSpec
    module: nn.Module


class FeaturesAndLogits(nn.Module):
    """One forward pass, two answers: the vector in front of the classifier, and the classifier's logits."""

    def __init__(self, model: nn.Module) -> None:
        """Wrap a timm model; the mode is set to evaluation."""
        super().__init__()
        self.model = model.eval()
        self.classifier: nn.Module | None = None

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Map pixels [N, 3, H, W] to features [N, D] and logits [N, class_count]."""
        model: Any = self.model
        maps = model.forward_features(pixels)
        features = model.forward_head(maps, pre_logits=True)
        if self.classifier is not None:
            return features, self.classifier(features)
        return features, model.forward_head(maps)

    def share_head(self, pixels: Tensor) -> None:
        """Skip the second pass through the head where the classifier, put on the features, gives the same."""
        classifier: Any = getattr(self.model, "get_classifier", lambda: None)()
        if not isinstance(classifier, nn.Linear):
            return
        features, logits = self(pixels)
        if features.shape[-1] == classifier.in_features and torch.allclose(
            classifier(features), logits, atol=1e-4, rtol=1e-4
        ):
            self.classifier = classifier


def load_backbone(
    name: str = DEFAULT_BACKBONE,
    *,
    weights_file: Path | None = None,
    weights_dir: Path | None = None,
    allow_hub: bool = True,
) -> Backbone:
    """Build a backbone with its ImageNet (or other pre-trained) weights, ready for evaluation.

    Weights are taken from `weights_file`, else from a file in `weights_dir` under timm's or torchvision's own
    name, else from a pip package, else from the hub.

    Args:
        name: a timm model name, with or without its tag ("resnet50", "resnet50.tv_in1k").
        weights_file: a .safetensors or .pth file; nothing else is tried.
        weights_dir: a folder to look in.
        allow_hub: whether the network may be used.

    Raises:
        UnknownBackboneError: timm has no such model.
        WeightsError: a file does not fit strictly, or no weights were found.

    Example:
        >>> backbone = load_backbone(allow_hub=False)
        >>> backbone.spec.feature_dim, backbone.spec.class_count, backbone.spec.input_px
        (1280, 1000, 224)
    """
    _refuse_unknown(name)
    cfg = dict(_pretrained_cfg(name))
    path = _local_file(name, cfg, weights_file, weights_dir)
    if path is not None:
        model = fitting.fit(name, path, weights.read_state(path))
        source, digest = _source(path, weights_file, weights_dir), weights.sha256_of_file(path)
    else:
        model = _from_hub(name, cfg, weights_dir, allow_hub)
        source, digest = f"hub:{cfg.get('hf_hub_id')}", weights.sha256_of_state(model.state_dict())
    _log.info("backbone %s: weights from %s (sha256 %s)", name, source, digest[:8])
    return _described(name, model, source, digest)


def licence_of(name: str) -> str:
    """Say under which licence timm lists the weights of this name; empty where it does not.

    Example:
        >>> licence_of("tf_efficientnet_lite0")
        'apache-2.0'
    """
    return str(_pretrained_cfg(name).get("license") or "")


def _refuse_unknown(name: str) -> None:
    """timm answers an unknown tag of a known architecture with the default weights: that would be a surprise."""
    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        raise UnknownBackboneError(name, _nearest(name, timm.list_models()))
    tagged = timm.list_pretrained(f"{architecture}.*") if tag else []
    if tag and name not in tagged:
        raise UnknownBackboneError(name, _nearest(name, tagged))


def _nearest(name: str, known: list[str]) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(name, known, n=3))


def _pretrained_cfg(name: str) -> dict[str, Any]:
    found = timm.get_pretrained_cfg(name)
    return found.to_dict() if found is not None else {}


def _local_file(
    name: str, cfg: dict[str, Any], weights_file: Path | None, weights_dir: Path | None
) -> Path | None:
    if weights_file is not None:
        return weights_file
    found = weights.find_in_folder(weights_dir, weights.file_names(name, cfg)) if weights_dir else None
    return found or weights.find_in_packages(name)


def _source(path: Path, weights_file: Path | None, weights_dir: Path | None) -> str:
    if weights_file is not None or (weights_dir is not None and path.is_relative_to(weights_dir)):
        return f"file:{path.name}"
    return f"package:{path.name}"


def _from_hub(name: str, cfg: dict[str, Any], weights_dir: Path | None, allow_hub: bool) -> nn.Module:
    """Let timm download; whatever goes wrong there, the answer names the file that would do instead."""
    cause: Exception | None = None
    if allow_hub and (cfg.get("hf_hub_id") or cfg.get("url")):
        try:
            return timm.create_model(name, pretrained=True).eval()
        except (OSError, RuntimeError, ValueError) as error:  # requests' and the hub's errors are OSErrors
            cause = error
    wanted = weights.file_names(name, cfg)
    reason = f"the hub did not answer ({type(cause).__name__})" if cause else "the hub may not be asked"
    place = str(weights_dir) if weights_dir else "a folder and name it with TAGGER_WEIGHTS_DIR"
    raise WeightsError(
        None,
        f"weights of {name}: expected a file on disk or the hub, got neither ({reason}); "
        f"put one of {', '.join(wanted[:2])} or {wanted[-4]} into {place}",
    ) from cause


def _described(name: str, model: nn.Module, source: str, digest: str) -> Backbone:
    config = resolve_model_data_config(model)
    height, width = config["input_size"][-2:]
    module = FeaturesAndLogits(model)
    with torch.inference_mode():
        probe = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1
        module.share_head(probe)
        features, logits = module(probe)
    spec = BackboneSpec(
        name=name,
        input_px=height,
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        interpolation=str(config["interpolation"]),
        feature_dim=features.shape[1],
        class_count=int(getattr(model, "num_classes", 0)) and logits.shape[1],
        weights_source=source,
        weights_sha256=digest,
        any_size=not _takes_one_size(model),
    )
    return Backbone(spec, module)


def _takes_one_size(model: nn.Module) -> bool:
    """Whether a model takes its own input size alone, as most transformers do."""
    cfg: dict[str, Any] = getattr(model, "pretrained_cfg", {})
    return bool(cfg.get("fixed_input_size", False))
