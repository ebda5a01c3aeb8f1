"""Two engines that run the same backbone, and the choice between them by measurement.

An engine turns pixels into features and class probabilities; it neither prepares pictures nor stores results.
"""

import logging
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from mlmodels.core import devices
from mlmodels.core.errors import EngineError
from mlmodels.core.vision.backbones import Backbone
from mlmodels.core.vision.transforms import Pixels

Array = npt.NDArray[np.float32]

AGREEMENT = 0.999
MOST_AT_ONCE = 1024
_WARM_UP_IMAGES = 8

_log = logging.getLogger(__name__)


class Engine(Protocol):
    """Whatever runs a backbone."""

    name: str

    def run(self, pixels: Pixels) -> tuple[Array, Array]:
        """Map float32 pixels [N, 3, H, W] to features [N, D] and class probabilities [N, class_count]."""
        ...


@dataclass(frozen=True)
class EngineChoice:
    """The engine that was chosen, why, its and the other's speed, and the least cosine with torch's features."""

    engine: Engine
    reason: str
    images_per_s: dict[str, float] = field(default_factory=dict)
    agreement: float | None = None


class TorchEngine:
    """torch on CUDA, MPS or the CPU, in channels-last layout; the reference for every other engine."""

    name = "torch"

    def __init__(self, module: nn.Module, *, device: str | None = None) -> None:
        """Move the module to `device`, or to the best one there is."""
        self.device = torch.device(device or devices.best())
        self._room = devices.Room(str(self.device), MOST_AT_ONCE)
        self._module = module.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(self, pixels: Pixels) -> tuple[Array, Array]:
        """Map pixels [N, 3, H, W] to features [N, D] and class probabilities [N, class_count].

        Where a GPU's memory is too small for all of them, the batch is halved from then on.
        """
        room = self._room
        pieces = room.attempt(
            lambda: [self._run(pixels[at : at + room.images]) for at in range(0, len(pixels), room.images)],
            len(pixels),
        )
        features, found = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
        return features, found

    @torch.inference_mode()
    def _run(self, pixels: Pixels) -> tuple[Array, Array]:
        batch = torch.from_numpy(pixels).to(self.device, memory_format=torch.channels_last)
        features, logits = self._module(batch)
        return features.float().cpu().numpy(), probabilities(logits.float().cpu().numpy())


class OpenVinoEngine:
    """OpenVINO on the CPU in float32, converted in memory from the torch module, for any batch size."""

    name = "openvino"

    def __init__(self, module: nn.Module, *, side_px: int, threads: int | None = None) -> None:
        """Convert and compile; the torch module may be dropped afterwards.

        Raises:
            EngineError: OpenVINO is not installed or cannot express this model.
        """
        openvino = _quiet_openvino()
        try:
            model = openvino.convert_model(
                module.eval(), example_input=torch.zeros(2, 3, side_px, side_px), share_weights=False
            )
            model.reshape([-1, 3, side_px, side_px])
            options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
            if threads:
                options["INFERENCE_NUM_THREADS"] = threads
            self._request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
        except RuntimeError as error:
            raise EngineError(self.name, f"cannot express this model ({error}); use torch") from error
        self._lock = threading.Lock()

    def run(self, pixels: Pixels) -> tuple[Array, Array]:
        """Map pixels [N, 3, H, W] to features [N, D] and class probabilities [N, class_count]."""
        with self._lock:
            self._request.infer([pixels])
            features, logits = (np.array(self._request.get_output_tensor(at).data) for at in (0, 1))
        return features, probabilities(logits)


def choose_engine(
    backbone: Backbone,
    *,
    preferred: str | None = None,
    side_px: int | None = None,
    threads: int | None = None,
) -> EngineChoice:
    """Measure the engines on this machine and return the fastest whose features agree with torch's.

    Args:
        backbone: what to run; not kept where OpenVINO is chosen.
        preferred: "torch" or "openvino" to settle it, None or "auto" to measure.
        side_px: pixels a side, the backbone's own if None.
        threads: for OpenVINO, all cores if None.

    Raises:
        EngineError: the preferred engine is unknown, missing, or disagrees with torch.

    Example:
        >>> from mlmodels.core.vision.backbones import load_backbone
        >>> choose_engine(load_backbone(allow_hub=False), preferred="torch").engine.name
        'torch'
    """
    if preferred not in (None, "auto", "torch", "openvino"):
        raise EngineError(str(preferred), "expected torch, openvino or auto; change the setting")
    side_px = side_px or backbone.spec.input_px
    reference = TorchEngine(backbone.module, device="cpu" if preferred == "openvino" else None)
    if preferred == "torch" or reference.device.type != "cpu":
        reason = "asked for" if preferred == "torch" else f"runs on {reference.device.type}"
        return _reported(EngineChoice(reference, reason))
    try:
        candidate = OpenVinoEngine(backbone.module, side_px=side_px, threads=threads)
    except EngineError as error:
        if preferred == "openvino":
            raise
        return _reported(EngineChoice(reference, error.problem))
    return _reported(_compare(reference, candidate, side_px, forced=preferred == "openvino"))


def probabilities(logits: Array) -> Array:
    """Return the softmax over the last axis of logits [N, K].

    Example:
        >>> probabilities(np.zeros((1, 4), np.float32)).tolist()
        [[0.25, 0.25, 0.25, 0.25]]
    """
    if not logits.shape[-1]:
        return logits.astype(np.float32)
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float32)


def agreement(first: Array, second: Array) -> float:
    """Return the least cosine between the rows of two feature arrays [N, D].

    Example:
        >>> agreement(np.eye(2, dtype=np.float32), 3 * np.eye(2, dtype=np.float32))
        1.0
    """
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return float(((first * second).sum(axis=1) / np.maximum(norms, 1e-12)).min())


def _compare(reference: Engine, candidate: Engine, side_px: int, *, forced: bool) -> EngineChoice:
    shape = (_WARM_UP_IMAGES, 3, side_px, side_px)
    pixels = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    cosine = agreement(reference.run(pixels)[0], candidate.run(pixels)[0])
    if not cosine > AGREEMENT:
        problem = f"expected features within cosine {AGREEMENT} of torch's, got {cosine:.5f}; use torch"
        if forced:
            raise EngineError(candidate.name, problem)
        return EngineChoice(reference, problem, agreement=cosine)
    if forced:
        return EngineChoice(candidate, "asked for", agreement=cosine)
    speeds = {engine.name: _images_per_s(engine, pixels) for engine in (reference, candidate)}
    fastest = max((reference, candidate), key=lambda engine: speeds[engine.name])
    return EngineChoice(fastest, "measured as the fastest", speeds, cosine)


def _images_per_s(engine: Engine, pixels: Pixels) -> float:
    start = time.perf_counter()
    engine.run(pixels)
    return len(pixels) / (time.perf_counter() - start)


def _reported(choice: EngineChoice) -> EngineChoice:
    speeds = ", ".join(f"{name} {speed:.1f} images/s" for name, speed in choice.images_per_s.items())
    _log.info("engine %s: %s %s", choice.engine.name, choice.reason, f"({speeds})" if speeds else "")
    return choice


def _quiet_openvino() -> Any:
    """Import OpenVINO with its usage reports off: its converter sends them unless the reporter is missing."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise EngineError("openvino", "is not installed; pip install openvino, or use torch") from error
    return openvino
