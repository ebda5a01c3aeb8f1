"""BERT's forward pass over a plain mapping of tensors, and the check that a file fits it. No text here.

Devlin et al. 2019, arXiv 1810.04805; layer normalisation after each block, absolute positions, exact GELU.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from mlmodels.core.errors import TextEncoderError
from mlmodels.core.vision.weights import State

CONFIG = "config.json"
POOLING, SENTENCE, MODULES = "1_Pooling/config.json", "sentence_bert_config.json", "modules.json"
POOLINGS = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
}
KNOWN_MODULES = frozenset({"Transformer", "Pooling", "Normalize"})
UNUSED = frozenset({"embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias"})
TAKE_ANOTHER = "use a BERT sentence encoder such as all-MiniLM-L6-v2"


@dataclass(frozen=True)
class Layout:
    """Sizes of a BERT, how many tokens it reads at most, and how token vectors become one."""

    hidden_size: int
    layers: int
    heads: int
    intermediate_size: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float
    most_tokens: int
    pooling: str  # "mean", "cls" or "max"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every tensor that the forward pass reads."""
        width, wide = self.hidden_size, self.intermediate_size
        shapes: dict[str, tuple[int, ...]] = {
            "embeddings.word_embeddings.weight": (self.vocabulary, width),
            "embeddings.position_embeddings.weight": (self.positions, width),
            "embeddings.token_type_embeddings.weight": (self.token_types, width),
            "embeddings.LayerNorm.weight": (width,),
            "embeddings.LayerNorm.bias": (width,),
        }
        for layer in range(self.layers):
            for name, out, into in (
                ("attention.self.query", width, width),
                ("attention.self.key", width, width),
                ("attention.self.value", width, width),
                ("attention.output.dense", width, width),
                ("intermediate.dense", wide, width),
                ("output.dense", width, wide),
            ):
                shapes[f"encoder.layer.{layer}.{name}.weight"] = (out, into)
                shapes[f"encoder.layer.{layer}.{name}.bias"] = (out,)
            for name in ("attention.output.LayerNorm", "output.LayerNorm"):
                shapes[f"encoder.layer.{layer}.{name}.weight"] = (width,)
                shapes[f"encoder.layer.{layer}.{name}.bias"] = (width,)
        return shapes


def read_layout(folder: Path) -> Layout:
    """Read the configuration files of a folder; raises TextEncoderError, naming the one that is at fault."""
    path = folder / CONFIG
    config = _read_json(path)
    for key, value in (
        ("model_type", "bert"),
        ("hidden_act", "gelu"),
        ("position_embedding_type", "absolute"),
    ):
        if config.get(key, value) != value:
            raise TextEncoderError(path, f"expected {key} {value!r}, got {config[key]!r}; {TAKE_ANOTHER}")
    hidden_size, heads = _size(path, config, "hidden_size"), _size(path, config, "num_attention_heads")
    if hidden_size % heads:
        raise TextEncoderError(path, f"expected a hidden_size that {heads} heads divide, got {hidden_size}")
    positions = _size(path, config, "max_position_embeddings")
    return Layout(
        hidden_size=hidden_size,
        layers=_size(path, config, "num_hidden_layers"),
        heads=heads,
        intermediate_size=_size(path, config, "intermediate_size"),
        vocabulary=_size(path, config, "vocab_size"),
        positions=positions,
        token_types=_size(path, config, "type_vocab_size"),
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
        most_tokens=min(positions, _most_tokens(folder / SENTENCE, default=positions)),
        pooling=_read_pooling(folder),
    )


def _most_tokens(path: Path, default: int) -> int:
    """How many tokens of a text sentence-transformers reads."""
    config = _read_json(path) if path.is_file() else {}
    return _size(path, config, "max_seq_length") if "max_seq_length" in config else default


def _read_pooling(folder: Path) -> str:
    """How sentence-transformers pools; the mean where the folder does not say."""
    if (folder / MODULES).is_file():
        modules = [str(module.get("type", "")) for module in _read_json(folder / MODULES, list)]
        strange = [name for name in modules if name.rpartition(".")[2] not in KNOWN_MODULES]
        if strange:
            raise TextEncoderError(
                folder / MODULES,
                f"expected Transformer, Pooling and Normalize, got {strange[0]}; {TAKE_ANOTHER}",
            )
    path = folder / POOLING
    if not path.is_file():
        return "mean"
    config = _read_json(path)
    chosen = sorted(key for key, value in config.items() if key.startswith("pooling_mode_") and value is True)
    if len(chosen) != 1 or chosen[0] not in POOLINGS:
        raise TextEncoderError(
            path, f"expected one of {', '.join(POOLINGS)}, got {', '.join(chosen) or 'none'}; {TAKE_ANOTHER}"
        )
    return POOLINGS[chosen[0]]


def fitted(path: Path, state: State, layout: Layout) -> State:
    """The tensors that the forward pass reads, as float32; raises TextEncoderError unless the file fits exactly."""
    state = {key.removeprefix("bert."): value for key, value in state.items()}
    expected = layout.shapes()
    missing, strange = sorted(expected.keys() - state), sorted(state.keys() - expected.keys() - UNUSED)
    if missing or strange:
        found = f"no {missing[0]!r}" if missing else f"an unknown {strange[0]!r}"
        raise TextEncoderError(
            path, f"expected the {len(expected)} tensors of {CONFIG}, got {found}; {TAKE_ANOTHER}"
        )
    for name, shape in expected.items():
        if tuple(state[name].shape) != shape:
            raise TextEncoderError(
                path,
                f"expected {name} of shape {shape} as in {CONFIG}, got {tuple(state[name].shape)}; "
                "take both files from one model",
            )
        if not torch.isfinite(state[name]).all():
            raise TextEncoderError(
                path, f"expected numbers in {name}, got NaN or infinity; download it again"
            )
    return {name: state[name].float().contiguous() for name in expected}


def forward(state: State, layout: Layout, ids: torch.Tensor) -> torch.Tensor:
    """Pooled vectors of texts of one length, float32 [N, T].

    Args:
        state: what `fitted` returned.
        layout: of the same model.
        ids: token ids, int64 [N, L], without padding, L at most the model's positions.
    """
    hidden = functional.embedding(ids, state["embeddings.word_embeddings.weight"])  # [N, L, T]
    hidden = hidden + state["embeddings.position_embeddings.weight"][: ids.shape[1]]
    hidden = _norm(
        state, "embeddings.LayerNorm", hidden + state["embeddings.token_type_embeddings.weight"][0], layout
    )
    for layer in range(layout.layers):
        prefix = f"encoder.layer.{layer}"
        attended = _linear(state, f"{prefix}.attention.output.dense", _attend(state, prefix, hidden, layout))
        hidden = _norm(state, f"{prefix}.attention.output.LayerNorm", hidden + attended, layout)
        widened = functional.gelu(_linear(state, f"{prefix}.intermediate.dense", hidden))
        narrowed = _linear(state, f"{prefix}.output.dense", widened)
        hidden = _norm(state, f"{prefix}.output.LayerNorm", hidden + narrowed, layout)
    if layout.pooling == "cls":
        return hidden[:, 0]
    return hidden.amax(dim=1) if layout.pooling == "max" else hidden.mean(dim=1)


def _attend(state: State, prefix: str, hidden: torch.Tensor, layout: Layout) -> torch.Tensor:
    texts, length, width = hidden.shape

    def part(name: str) -> torch.Tensor:
        values = _linear(state, f"{prefix}.attention.self.{name}", hidden)
        return values.view(texts, length, layout.heads, width // layout.heads).transpose(1, 2)

    mixed = functional.scaled_dot_product_attention(part("query"), part("key"), part("value"))
    return mixed.transpose(1, 2).reshape(texts, length, width)


def _linear(state: State, name: str, values: torch.Tensor) -> torch.Tensor:
    return functional.linear(values, state[f"{name}.weight"], state[f"{name}.bias"])


def _norm(state: State, name: str, values: torch.Tensor, layout: Layout) -> torch.Tensor:
    return functional.layer_norm(
        values, (layout.hidden_size,), state[f"{name}.weight"], state[f"{name}.bias"], layout.epsilon
    )


def _read_json(path: Path, kind: type = dict) -> Any:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TextEncoderError(path, f"expected JSON, got: {error}; download it again") from error
    if not isinstance(value, kind):
        raise TextEncoderError(
            path, f"expected a JSON {kind.__name__}, got {type(value).__name__}; download it again"
        )
    return value


def _size(path: Path, config: dict[str, Any], name: str) -> int:
    value = config.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise TextEncoderError(
            path, f"expected {name} as a whole number above 0, got {value!r}; {TAKE_ANOTHER}"
        )
    return value
