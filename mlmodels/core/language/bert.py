"""BERT's forward pass over a plain mapping of tensors. Which tensors those are is in `encoder_layout`.

Devlin et al. 2019, arXiv 1810.04805; layer normalisation after each block, absolute positions, exact GELU.
"""

import torch
from torch.nn import functional

from mlmodels.core.language.encoder_layout import Layout

State = dict[str, torch.Tensor]


def forward(state: State, layout: Layout, ids: torch.Tensor) -> torch.Tensor:
    """Pooled vectors of texts of one length, float32 [N, T].

    Args:
        state: every tensor of `layout`, by name.
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
