"""The module as an ONNX file, with what its user has to know inside, and the check that it scores as Tagger does."""

import io
import json
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image

from mlmodels.core.errors import PortableModelError
from mlmodels.core.learning.dataset import CaptionText, HeadInputs
from mlmodels.core.learning.heads import Head
from mlmodels.core.learning.merged_heads import MergedHead
from mlmodels.core.portable.network import PictureScores
from mlmodels.core.vision.extractor import VisionOutput
from mlmodels.core.vision.transforms import Transform

Floats = NDArray[np.float32]

FORMAT = "tagger-model/1"
INPUT, OUTPUT = "pixels", "scores"
OPSET = 17
MOST_BYTES = 2**31 - 2**20
"""What a protobuf message holds, with room for the graph."""
TOLERANCE = 1e-4
_TRACED_IMAGES, _CHECKED_IMAGES = 2, 3


@dataclass(frozen=True)
class PortableTag:
    """A tag of the file: the place in the list is the column of the scores."""

    id: int
    name: str
    threshold: float


@dataclass(frozen=True)
class Card:
    """What the file says of itself, beside its input."""

    project: str
    version: int
    extractor: str
    licence: str
    tags: tuple[PortableTag, ...]


def metadata(card: Card, transform: Transform) -> dict[str, str]:
    """The file's own description: plain words and JSON, by name."""
    how = {
        "name": INPUT,
        "side_px": transform.side_px,
        "mean": list(transform.mean),
        "std": list(transform.std),
        "interpolation": transform.interpolation,
        "resize": "squash",
        "colours": "RGB",
    }
    return {
        "format": FORMAT,
        "project": card.project,
        "model_version": str(card.version),
        "extractor": card.extractor,
        "input": json.dumps(how),
        "tags": json.dumps([vars(tag) for tag in card.tags], ensure_ascii=False),
        "captions": "not read: the scores are those of a picture without a caption",
        "licence": card.licence,
    }


def build(network: PictureScores, *, side_px: int, described: dict[str, str]) -> bytes:
    """The ONNX file. The same input gives the same bytes.

    Args:
        network: in evaluation mode; any number of images at once may be scored by the file.
        side_px: of the square pictures.
        described: goes into the file's metadata.

    Raises:
        PortableModelError: the network is too large for one file, or has a step that ONNX cannot express.
    """
    numbers = [*network.parameters(), *network.buffers()]
    size_bytes = sum(tensor.numel() * tensor.element_size() for tensor in numbers)
    if size_bytes > MOST_BYTES:
        raise PortableModelError(
            f"expected at most {MOST_BYTES / 1e9:.1f} GB in one ONNX file, got {size_bytes / 1e9:.1f} GB; "
            "choose a smaller backbone or fewer tags"
        )
    stream = io.BytesIO()
    try:
        _export(network.eval(), torch.zeros(_TRACED_IMAGES, 3, side_px, side_px), stream)
    except (RuntimeError, torch.onnx.OnnxExporterError) as error:
        raise PortableModelError(
            f"ONNX cannot express this backbone ({str(error).strip().splitlines()[0]}); choose another"
        ) from error
    model = onnx.load_model_from_string(stream.getvalue())
    model.producer_name = "Tagger"
    model.doc_string = "Scores of tags for pictures. metadata_props say how to prepare them."
    onnx.helper.set_model_props(model, described)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def read_metadata(file: bytes) -> dict[str, str]:
    """What the file says of itself."""
    return {prop.key: prop.value for prop in onnx.load_model_from_string(file).metadata_props}


class Runner:
    """The file in ONNX Runtime, as its users run it."""

    def __init__(self, file: bytes, *, threads: int = 0) -> None:
        """Load it; `threads` of 0 lets the library choose."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def score(self, pixels: NDArray[np.float32]) -> Floats:
        """Probabilities [N, K] of pixels [N, 3, side, side]."""
        return np.asarray(self._session.run([OUTPUT], {INPUT: pixels})[0], dtype=np.float32)


def made_pictures(side_px: int, *, count: int = _CHECKED_IMAGES) -> list[Image.Image]:
    """Pictures of soft random spots, the same each time: what the file and Tagger are compared on."""
    rng = np.random.default_rng(0)
    spots = [
        Image.fromarray(rng.integers(0, 256, (5 + n, 7, 3), dtype=np.uint8), "RGB") for n in range(count)
    ]
    return [spot.resize((side_px + 40, side_px + 20), Image.Resampling.BICUBIC) for spot in spots]


def scores_without_caption(head: Head | MergedHead, seen: VisionOutput, class_map: Floats) -> Floats:
    """Probabilities [N, K] that a head gives images without a caption, from what the extractor gave."""
    images, tags = len(seen.features), class_map.shape[1]
    classes = seen.class_probabilities
    evidence = (
        classes @ class_map if classes.shape[1] == len(class_map) else np.zeros((images, tags), np.float32)
    )
    text = head.encoding.text
    blank = CaptionText(
        text.encoder, np.zeros((images, len(text.mean)), np.float32), np.zeros((images, tags), np.float32)
    )
    inputs = HeadInputs(
        vision=seen.features,
        has_vision=np.ones(images, dtype=bool),
        class_prior=evidence,
        caption_prior=np.zeros((images, tags), dtype=np.float32),
        terms=((),) * images,
        has_caption=np.zeros(images, dtype=bool),
        text=blank if text.encoder else None,
    )
    return head.score(inputs).probability


def check(file: bytes, pixels: NDArray[np.float32], expected: Floats) -> float:
    """The largest difference between the file's scores and those expected, [N, K].

    Raises:
        PortableModelError: it is above what rounding explains.
    """
    found = Runner(file).score(pixels)
    difference = float(np.abs(found - expected).max()) if expected.size else 0.0
    if found.shape != expected.shape or not difference <= TOLERANCE:
        raise PortableModelError(
            f"expected the scores that Tagger gives within {TOLERANCE}, got a difference of {difference:.5f}; "
            "choose another backbone"
        )
    return difference


def _export(network: PictureScores, example: torch.Tensor, stream: io.BytesIO) -> None:
    names: dict[str, Any] = {"input_names": [INPUT], "output_names": [OUTPUT]}
    with warnings.catch_warnings(), torch.inference_mode():
        # It tells of every shape that is fixed while tracing, and of the newer exporter, which wants one more library.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            stream,  # type: ignore[arg-type]  # the tracing exporter writes into streams too
            **names,
            dynamic_axes={INPUT: {0: "N"}, OUTPUT: {0: "N"}},
            opset_version=OPSET,
            dynamo=False,
        )
