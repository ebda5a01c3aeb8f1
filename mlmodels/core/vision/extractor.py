"""Pictures to the vectors that are kept: a backbone, its transform and an engine under one stable key."""

import ctypes
import gc
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from mlmodels.core.vision.backbones import DEFAULT_BACKBONE, BackboneSpec, load_backbone
from mlmodels.core.vision.engines import Engine, choose_engine
from mlmodels.core.vision.reduction import MAX_DIMENSIONS, shorten
from mlmodels.core.vision.transforms import Pixels, Transform, mirrored, transform_for

_IMAGES_AT_ONCE = 8  # larger batches are no faster on CPUs and keep more activations in memory


@dataclass(frozen=True)
class VisionOutput:
    """L2-normalised features [N, D] and class probabilities [N, class_count] that sum to 1, both float32."""

    features: npt.NDArray[np.float32]
    class_probabilities: npt.NDArray[np.float32]


class Extractor:
    """Turns upright RGB pictures into features and class probabilities; safe to share between threads.

    `key` changes whenever the features would, `dimensions` is at most 2,000, `side_px` is the square that a
    picture is scaled to (decoding a JPEG to a short side of at least this loses nothing).
    """

    def __init__(self, spec: BackboneSpec, transform: Transform, engine: Engine) -> None:
        """Put the parts together; `load_extractor` finds them."""
        self.spec = spec
        self.engine = engine
        self.side_px = transform.side_px
        self.dimensions = min(spec.feature_dim, MAX_DIMENSIONS)
        self.key = extractor_key(spec, transform)
        self._transform = transform

    def embed(self, images: Sequence[Image.Image]) -> VisionOutput:
        """Compute features and class probabilities of N pictures of any size and shape, in order.

        Where the transform mirrors, both are means over the picture and its mirror image.

        Example:
            >>> extractor = load_extractor(allow_hub=False, engine="torch")
            >>> output = extractor.embed([Image.new("RGB", (40, 30), "red")])
            >>> output.features.shape, output.class_probabilities.shape
            ((1, 1280), (1, 1000))
        """
        chunks = [images[at : at + _IMAGES_AT_ONCE] for at in range(0, len(images), _IMAGES_AT_ONCE)]
        outputs = [self._embed_chunk(self._transform(chunk)) for chunk in chunks]
        return self._joined(outputs)

    def prepare(self, image: Image.Image) -> Pixels:
        """Turn one picture into float32 pixels [3, side, side]; made for threads that decode ahead."""
        return np.asarray(self._transform([image])[0])

    def embed_pixels(self, pixels: Pixels) -> VisionOutput:
        """Do what `embed` does with pixels [N, 3, side, side] that come from `prepare`."""
        chunks = [pixels[at : at + _IMAGES_AT_ONCE] for at in range(0, len(pixels), _IMAGES_AT_ONCE)]
        return self._joined([self._embed_chunk(chunk) for chunk in chunks])

    def _joined(self, outputs: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]) -> VisionOutput:
        features = np.concatenate([np.zeros((0, self.dimensions), np.float32), *(out[0] for out in outputs)])
        classes = np.concatenate(
            [np.zeros((0, self.spec.class_count), np.float32), *(out[1] for out in outputs)]
        )
        return VisionOutput(features, classes)

    def _embed_chunk(self, pixels: Pixels) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        views = [pixels, mirrored(pixels)] if self._transform.mirror else [pixels]
        outputs = [self.engine.run(view) for view in views]
        features = np.asarray(np.mean([out[0] for out in outputs], axis=0), dtype=np.float32)
        classes = np.asarray(np.mean([out[1] for out in outputs], axis=0), dtype=np.float32)
        short = shorten(features)
        norms = np.linalg.norm(short, axis=1, keepdims=True)
        unit = np.asarray(short / np.maximum(norms, 1e-12), dtype=np.float32)
        return unit, classes[:, : self.spec.class_count]


def extractor_key(spec: BackboneSpec, transform: Transform) -> str:
    """Name what makes a feature: backbone, pixels and weights."""
    return f"{spec.name}-{transform.key}-{spec.weights_sha256[:8]}"


def load_extractor(
    name: str = DEFAULT_BACKBONE,
    *,
    weights_file: Path | None = None,
    weights_dir: Path | None = None,
    allow_hub: bool = True,
    engine: str | None = None,
    mirror: bool = True,
    threads: int | None = None,
) -> Extractor:
    """Load a backbone, choose its engine and return the extractor; the torch module goes if it is not used.

    Args:
        name: a timm model name.
        weights_file: see `load_backbone`, as for the next two.
        weights_dir: a folder with weight files.
        allow_hub: whether the network may be used.
        engine: "torch", "openvino", or None to measure.
        mirror: whether the mirror image is averaged in: better features at twice the work.
        threads: for OpenVINO, all cores if None.

    Raises:
        CoreError: of the kinds that `load_backbone` and `choose_engine` name.

    Example:
        >>> load_extractor(allow_hub=False, engine="torch").key
        'tf_efficientnet_lite0-256m-57934424'
    """
    backbone = load_backbone(name, weights_file=weights_file, weights_dir=weights_dir, allow_hub=allow_hub)
    transform = transform_for(backbone.spec, mirror=mirror)
    choice = choose_engine(backbone, preferred=engine, side_px=transform.side_px, threads=threads)
    spec = backbone.spec
    del backbone
    _return_memory()
    return Extractor(spec, transform, choice.engine)


def _return_memory() -> None:
    """Hand back what loading and converting left: 150 MB that glibc would otherwise keep for ever."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
