"""Files of a tiny BERT sentence encoder with random weights, as sentence-transformers lays them out."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

WORDS = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "a",
    "dog",
    "cat",
    "run",
    "##s",
    "there",
    "is",
    "in",
    "the",
    "picture",
    ".",
)
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "vocab_size": len(WORDS),
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}


def make(folder: Path, *, pooling: str = "pooling_mode_mean_tokens", seed: int = 0, **config: object) -> Path:
    """Write every file of an encoder into `folder`, and return it."""
    sizes = CONFIG | config
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", sizes)
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 8, pooling: True})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 12})
    kinds = ("Transformer", "Pooling", "Normalize")
    write_json(folder / "modules.json", [{"type": f"sentence_transformers.models.{kind}"} for kind in kinds])
    tokenizer().save(str(folder / "tokenizer.json"))
    save_file(weights(seed), folder / "model.safetensors")
    return folder


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def tokenizer() -> Tokenizer:
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    made = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = BertNormalizer(lowercase=True)
    made.pre_tokenizer = BertPreTokenizer()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.enable_padding(length=16)
    return made


def weights(seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Every tensor of CONFIG by its name in a BERT file; the pooler that such files carry included."""
    rng = np.random.default_rng(seed)
    width, wide = 8, 12

    def draw(*shape: int) -> NDArray[np.float32]:
        return rng.normal(scale=0.7, size=shape).astype(np.float32)

    state = {
        "embeddings.word_embeddings.weight": draw(len(WORDS), width),
        "embeddings.position_embeddings.weight": draw(16, width),
        "embeddings.token_type_embeddings.weight": draw(2, width),
        "embeddings.LayerNorm.weight": draw(width),
        "embeddings.LayerNorm.bias": draw(width),
        "pooler.dense.weight": draw(width, width),
        "pooler.dense.bias": draw(width),
    }
    for layer in range(2):
        for name, out, into in (
            ("attention.self.query", width, width),
            ("attention.self.key", width, width),
            ("attention.self.value", width, width),
            ("attention.output.dense", width, width),
            ("intermediate.dense", wide, width),
            ("output.dense", width, wide),
        ):
            state[f"encoder.layer.{layer}.{name}.weight"] = draw(out, into)
            state[f"encoder.layer.{layer}.{name}.bias"] = draw(out)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            state[f"encoder.layer.{layer}.{name}.weight"] = draw(width)
            state[f"encoder.layer.{layer}.{name}.bias"] = draw(width)
    return state
