"""Tuned backbones on disk: weights beside a manifest that names them by sha256. They load as any extractor does."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as packed

from mlmodels.core import artifacts
from mlmodels.core.errors import WeightsError
from mlmodels.core.files import write_whole
from mlmodels.core.vision.extractor import Extractor, load_extractor

FORMAT = "tagger-backbone/1"
WEIGHTS, MANIFEST = artifacts.BACKBONE, artifacts.BACKBONE_MANIFEST


def save(folder: Path, backbone: str, state: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> str:
    """Write a whole state of the timm model `backbone` and return its sha256; the manifest comes last.

    Args:
        folder: of this backbone alone, made if missing.
        backbone: the timm name.
        state: every tensor of the model.
        about: what else the manifest says, as plain JSON values.

    Raises:
        OSError: the disk is full, for one; nothing half written stays.
    """
    data = packed({name: tensor.contiguous() for name, tensor in sorted(state.items())})
    digest = hashlib.sha256(data).hexdigest()
    write_whole(folder / WEIGHTS, data)
    manifest = {**about, "format": FORMAT, "backbone": backbone, "sha256": digest}
    write_whole(folder / MANIFEST, json.dumps(manifest, sort_keys=True, indent=1).encode())
    return digest


def read_manifest(folder: Path) -> dict[str, Any]:
    """What `save` wrote beside the weights.

    Raises:
        WeightsError: there is none, or it is of another format.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(
            path, "expected the manifest of a tuned backbone, got none; tune it again"
        ) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise WeightsError(path, f"expected the format {FORMAT}, got another; tune it again")
    return manifest


def weights_file(folder: Path) -> tuple[str, Path]:
    """The timm name and the file of weights, checked against the manifest.

    Raises:
        WeightsError: a file is missing, cut or changed.
    """
    manifest, path = read_manifest(folder), folder / WEIGHTS
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(path, f"expected a readable file, got: {error.strerror}; tune it again") from error
    if found != manifest["sha256"]:
        raise WeightsError(path, "expected the bytes that its manifest names, got others; tune it again")
    return str(manifest["backbone"]), path


def load(folder: Path, **how: Any) -> Extractor:
    """The extractor of a tuned backbone; `how` as in `load_extractor`.

    Raises:
        CoreError: as there, and where the files are not as they were written.
    """
    name, path = weights_file(folder)
    return load_extractor(name, weights_file=path, allow_hub=False, **how)
