"""Pixels to probabilities as one torch module: what the extractor and the head say of a picture without a caption.

Everything that reads a caption is left out: words cannot be computed by a graph of tensors.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mlmodels.core.errors import TrainingDataError
from mlmodels.core.learning import encoding, fusion
from mlmodels.core.learning.heads import Head
from mlmodels.core.learning.merged_heads import MergedHead
from mlmodels.core.vision.backbones import Backbone
from mlmodels.core.vision.reduction import MAX_DIMENSIONS, shorten

Floats = NDArray[np.float32]

_LEAST_NORM = 1e-12


class PictureScores(nn.Module):
    """Standardised pixels [N, 3, side, side] to probabilities [N, K], K as the head's tags.

    The same numbers as `Extractor.embed` and `Head.score` give for images without a caption.
    """

    def __init__(
        self, backbone: Backbone, head: Head | MergedHead, class_map: Floats, *, mirror: bool
    ) -> None:
        """Put the parts together.

        Args:
            backbone: its module is shared, and stays on the CPU.
            head: of the tags that are scored.
            class_map: float32 [classes, K], which classes of the backbone speak for which tag.
            mirror: whether the extractor averages in the mirror image.

        Raises:
            TrainingDataError: the head was trained on features of another length.
        """
        super().__init__()
        # A backbone of other classes than those that are mapped says nothing of tags by their names.
        has_classes = backbone.spec.class_count == len(class_map) and bool(class_map.any())
        self.features = _Features(backbone, mirror=mirror, has_classes=has_classes)
        self.head = _HeadWithoutCaption(head, class_map)
        if len(self.head.mean) != self.features.dimensions:
            raise TrainingDataError(
                "vision",
                f"expected {len(self.head.mean)} dimensions as in training, got {self.features.dimensions}; "
                "use the head's own extractor",
            )
        self.eval()

    def forward(self, pixels: Tensor) -> Tensor:
        """Map pixels [N, 3, side, side] to probabilities [N, K]."""
        scores: Tensor = self.head(*self.features(pixels))
        return scores


class _Features(nn.Module):
    """Pixels to unit features [N, D] and class probabilities [N, classes] or None, as `Extractor.embed`."""

    def __init__(self, backbone: Backbone, *, mirror: bool, has_classes: bool) -> None:
        super().__init__()
        self.backbone, self.mirror, self.has_classes = backbone.module, mirror, has_classes
        given = backbone.spec.feature_dim
        self.dimensions = min(given, MAX_DIMENSIONS)
        self.turn: Tensor | None
        # The map that shortens is linear: its matrix is what it makes of the unit vectors.
        turn = torch.from_numpy(shorten(np.eye(given, dtype=np.float32))) if given > MAX_DIMENSIONS else None
        self.register_buffer("turn", turn)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor | None]:
        views = torch.cat([pixels, pixels.flip(3)]) if self.mirror else pixels
        features, logits = self.backbone(views)
        features = self._mean(features)
        classes = self._mean(logits.softmax(dim=1)) if self.has_classes else None
        if self.turn is not None:
            features = features @ self.turn
        return features / _length(features), classes

    def _mean(self, values: Tensor) -> Tensor:
        """Over a picture and its mirror image: [2 N, C] to [N, C]."""
        return values.reshape(2, -1, values.shape[1]).mean(dim=0) if self.mirror else values


class _HeadWithoutCaption(nn.Module):
    """Features and class probabilities to probabilities of tags, as `Head.score` without a caption."""

    mean: Tensor
    deviation: Tensor
    vision: Tensor
    class_map: Tensor
    telling: Tensor
    pixels: Tensor
    bias: Tensor
    shown: Tensor
    sure: Tensor

    def __init__(self, head: Head | MergedHead, class_map: Floats) -> None:
        super().__init__()
        joined = head.into if isinstance(head, MergedHead) else np.zeros(0, dtype=np.intp)
        inner = head.head if isinstance(head, MergedHead) else head
        tags = class_map.shape[1]
        columns = np.concatenate([np.arange(tags), joined])
        prior = dict(zip(fusion.PRIOR_COLUMNS, inner.prior, strict=False))
        mapped = class_map[:, columns]
        telling = np.flatnonzero(mapped.any(axis=0))
        for name, array in (
            ("mean", inner.encoding.mean),
            ("deviation", inner.encoding.deviation),
            ("vision", inner.vision),
            ("class_map", mapped),
            ("telling", telling),
            # Rows of tags that no class speaks for are multiplied by nothing but zeros.
            ("pixels", encoding.PIXEL_SCALE * inner.pixels[telling]),
            ("bias", inner.bias + prior["base"] + prior["no_caption"]),
            ("shown", prior["pixels"] + prior["no_caption_pixels"]),
            ("sure", prior["sure_pixels"]),
        ):
            kind = np.int64 if name == "telling" else np.float32
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array, dtype=kind)))
        self.tags = tags
        self.rounds = len(rounds := joining(joined, tags))
        for number, places in enumerate(rounds):
            self.register_buffer(f"round_{number}", torch.from_numpy(places))

    def forward(self, features: Tensor, classes: Tensor | None) -> Tensor:
        values = (features - self.mean) / self.deviation
        logits = encoding.VISION_SCALE * values / _length(values) @ self.vision + self.bias
        if classes is not None:
            evidence = torch.log(1 + 50 * (classes @ self.class_map)) / float(np.log(51))
            logits = logits + self.shown * evidence + self.sure * evidence * evidence * evidence
            logits = logits + evidence.index_select(1, self.telling) @ self.pixels
        scores = torch.sigmoid(logits)
        own = scores[:, : self.tags]
        for number in range(self.rounds):
            own = torch.maximum(own, scores.index_select(1, getattr(self, f"round_{number}")))
        return own


def joining(into: Sequence[int] | NDArray[np.intp], tags: int) -> list[NDArray[np.int64]]:
    """Columns to take the maximum with, round by round, int64 [K] each; a tag without one takes its own.

    Args:
        into: [S], the tag that each column from K on was merged into.
        tags: K.

    >>> [places.tolist() for places in joining([0, 0, 2], 3)]
    [[3, 1, 5], [4, 1, 2]]
    """
    found: list[NDArray[np.int64]] = []
    seen = [0] * tags
    for column, tag in enumerate(into, start=tags):
        if seen[tag] == len(found):
            found.append(np.arange(tags, dtype=np.int64))
        found[seen[tag]][tag] = column
        seen[tag] += 1
    return found


def _length(rows: Tensor) -> Tensor:
    """Lengths [N, 1], never 0."""
    return rows.norm(dim=1, keepdim=True).clamp(min=_LEAST_NORM)
