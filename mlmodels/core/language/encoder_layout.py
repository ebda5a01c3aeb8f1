"""The sizes of a sentence encoder, read from the configuration files of its folder. No weights here, and no torch."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlmodels.core.errors import TextEncoderError

CONFIG = "config.json"
POOLING, SENTENCE, MODULES = "1_Pooling/config.json", "sentence_bert_config.json", "modules.json"
POOLINGS = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
}
KNOWN_MODULES = frozenset({"Transformer", "Pooling", "Normalize"})
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
