"""Model files: safetensors beside a JSON manifest, written so that a reader sees all of it or none.

The manifest carries the sha256 of the tensors, and the caller keeps the sha256 of the manifest: nothing that
was cut, mixed or changed loads. Which version is live, and falling back from a bad one, is the caller's.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from mlmodels.core.errors import ArtifactError
from mlmodels.core.files import write_whole

FORMAT = "tagger-head/1"
TENSORS = "head.safetensors"
JUDGED = "judged.safetensors"
MANIFEST = "manifest.json"
# Of a tuned backbone (`vision.tuned`), named here since this module imports no torch.
BACKBONE = "backbone.safetensors"
BACKBONE_MANIFEST = "backbone.json"

Tensors = Mapping[str, NDArray[Any]]


def save(
    folder: Path, tensors: Tensors, manifest: Mapping[str, Any], *, judged: Tensors | None = None
) -> str:
    """Write one model version into `folder`, made if missing, and return the sha256 of its manifest.

    All files go to a temporary name, are synced and renamed; the manifest comes last and makes the version
    valid. The same input gives the same bytes.

    Args:
        folder: of this version alone.
        tensors: name to array.
        manifest: what JSON can hold; the keys "format", "sha256" and "judged_sha256" are set here.
        judged: what the version was judged by, in a file of its own, so that serving need not read it.

    Raises:
        ArtifactError: if the manifest is not JSON, naming the file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     digest = save(Path(name), {"w": np.zeros(2, dtype=np.float32)}, {"tags": [1]})
    ...     tensors, manifest = load(Path(name), digest)
    >>> tensors["w"].tolist(), manifest["tags"]
    ([0.0, 0.0], [1])
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {TENSORS: _packed(tensors)}
    described = {**manifest, "format": FORMAT, "sha256": hashlib.sha256(files[TENSORS]).hexdigest()}
    if judged is not None:
        files[JUDGED] = _packed(judged)
        described["judged_sha256"] = hashlib.sha256(files[JUDGED]).hexdigest()
    try:
        text = json.dumps(described, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ArtifactError(
            folder / MANIFEST, f"expected plain JSON values, got: {error}; convert them"
        ) from error
    for name, data in files.items():
        write_whole(folder / name, data)
    write_whole(folder / MANIFEST, text)
    return hashlib.sha256(text).hexdigest()


def load(folder: Path, sha256: str | None = None) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read a model version back, checked, as (tensors, manifest).

    Args:
        folder: what `save` wrote to.
        sha256: what `save` returned; None reads a version whose digest is not known.

    Raises:
        ArtifactError: naming the file that is missing, cut, changed, or of another format.
    """
    manifest = read_manifest(folder, sha256)
    return _unpacked(folder / TENSORS, str(manifest.get("sha256"))), manifest


def load_judged(folder: Path, sha256: str | None = None) -> dict[str, NDArray[Any]]:
    """Read what a version was judged by; like `load`, and an ArtifactError where nothing was stored."""
    manifest = read_manifest(folder, sha256)
    if "judged_sha256" not in manifest:
        raise ArtifactError(folder / JUDGED, "expected the scores that the version was judged by, got none")
    return _unpacked(folder / JUDGED, str(manifest["judged_sha256"]))


def read_manifest(folder: Path, sha256: str | None = None) -> dict[str, Any]:
    """The manifest alone, checked; raises ArtifactError like `load`."""
    text = _read(folder / MANIFEST)
    if sha256 is not None:
        _compare(folder / MANIFEST, text, sha256)
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise ArtifactError(
            folder / MANIFEST, f"expected JSON, got: {error}; restore or retrain it"
        ) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise ArtifactError(folder / MANIFEST, f"expected format {FORMAT}, got {found}; retrain the model")
    return manifest


def _packed(tensors: Tensors) -> bytes:
    return save_tensors({name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)})


def _unpacked(path: Path, sha256: str) -> dict[str, NDArray[Any]]:
    data = _read(path)
    _compare(path, data, sha256)
    try:
        return load_tensors(data)
    except SafetensorError as error:
        raise ArtifactError(path, f"expected safetensors, got: {error}; retrain") from error


def _compare(path: Path, data: bytes, expected: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ArtifactError(
            path,
            f"expected sha256 {expected[:12]}…, got {found[:12]}…: cut or changed; restore or retrain it",
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            path, f"expected a readable file, got: {error.strerror}; restore or retrain it"
        ) from error
