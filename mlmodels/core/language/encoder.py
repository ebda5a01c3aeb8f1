"""Sentences as vectors: a small BERT read from a local folder, as sentence-transformers lays it out.

Nothing is downloaded and no package is imported; what the vectors are used for is elsewhere.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.nn import functional

from mlmodels.core.errors import TextEncoderError
from mlmodels.core.language import bert, encoder_files
from mlmodels.core.language.bert import State
from mlmodels.core.language.encoder_files import PREFIX, TOKENIZER, WEIGHTS
from mlmodels.core.language.encoder_layout import CONFIG, Layout, read_layout

Floats = NDArray[np.float32]

MOST_TOKENS = 4096
"""In one forward pass: enough to fill two cores; more only takes memory."""

CHARS_A_TOKEN = 32
"""More of a text is not even cut into tokens: few words are as long, and what lies behind is not read."""

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
        longest = CHARS_A_TOKEN * self.layout.most_tokens
        cleaned = [SURROGATES.sub("\ufffd", text[:longest]) for text in texts]
        tokens = [encoding.ids for encoding in self.tokenizer.encode_batch(cleaned)]
        result = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for rows in _batches(tokens):
            ids = torch.tensor([tokens[row] for row in rows], dtype=torch.long)
            with torch.inference_mode():
                pooled = bert.forward(self.state, self.layout, ids)
                result[rows] = functional.normalize(pooled, dim=1).numpy()
        return result


def load_encoder(source: str | Path) -> TextEncoder:
    """Load an encoder from its files; a package is found and read, and not imported.

    Args:
        source: a folder with config.json, tokenizer.json and model.safetensors, or the name of the pip package that
            carries them (`encoder_files.PACKAGE`).

    Raises:
        TextEncoderError: naming the file that is missing, cut, changed, or of another architecture.
    """
    folder = encoder_files.find_folder(source)
    layout = read_layout(folder)
    tokenizer = _read_tokenizer(folder / TOKENIZER, layout)
    path = folder / WEIGHTS
    digest = encoder_files.checked_digest(path)
    encoder_files.check_weights(path, layout)
    return TextEncoder(
        key=f"bert-{layout.hidden_size}-{layout.pooling}-{digest[:16]}",
        layout=layout,
        tokenizer=tokenizer,
        state=_read_weights(path, layout),
    )


def _read_weights(path: Path, layout: Layout) -> State:
    """The tensors that the forward pass reads, as float32."""
    stored = safetensors.torch.load_file(path)
    state = {
        name.removeprefix(PREFIX): tensor.float().contiguous()
        for name, tensor in stored.items()
        if name.removeprefix(PREFIX) in layout.shapes()
    }
    for name, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise TextEncoderError(
                path, f"expected numbers in {name}, got NaN or infinity; download it again"
            )
    return state


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
            f"expected token ids below {layout.vocabulary} as in {CONFIG}, got {largest}; "
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
