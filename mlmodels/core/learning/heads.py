"""The head: one linear model of all tags over pixels, words and priors. Fitting is in `fitting`.

It starts at the prior and leaves it only as far as reviews say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.learning import encoding, fusion
from mlmodels.core.learning.dataset import HeadInputs
from mlmodels.core.learning.encoding import Encoding
from mlmodels.core.learning.fusion import SHIPPED, Scores
from mlmodels.core.learning.solver import sigmoid
from mlmodels.core.learning.terms import TermWeights

Floats = NDArray[np.float32]

DEFAULT_THRESHOLD = 0.5
ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Head:
    """Coefficients of K tags; logits are prior features x `prior` + `bias` + columns x coefficients.

    Attributes:
        tag_ids: K ids, the order of all columns of inputs and scores.
        thresholds: float32 [K]; a tag is offered from its threshold on.
        encoding: how inputs become columns.
        prior: float32 [P, K]; bias: float32 [K].
        vision: float32 [D, K]; words: float32 [V, K].
        caption: float32 [K, K] and pixels: float32 [K, K], what evidence for one tag (row) says of another.
    """

    tag_ids: tuple[int, ...]
    thresholds: Floats
    encoding: Encoding
    prior: Floats
    bias: Floats
    vision: Floats
    words: Floats
    caption: Floats
    pixels: Floats

    def score(self, inputs: HeadInputs) -> Scores:
        """Score N images for the head's tags; columns of `inputs` must be in the order of `tag_ids`.

        Raises:
            TrainingDataError: if features have another length than those of training.
        """
        parts = [
            self._score(inputs.rows(np.arange(start, min(start + ROWS_AT_ONCE, len(inputs)))))
            for start in range(0, max(1, len(inputs)), ROWS_AT_ONCE)
        ]
        return Scores(
            probability=np.concatenate([part.probability for part in parts]),
            vision=np.concatenate([part.vision for part in parts]),
            caption=np.concatenate([part.caption for part in parts]),
        )

    def _score(self, inputs: HeadInputs) -> Scores:
        features = fusion.prior_features(inputs)
        pixels = self.encoding.vision(inputs) @ self.vision + encoding.pixel_columns(inputs) @ self.pixels
        words = self.encoding.words(inputs) @ self.words + encoding.caption_columns(inputs) @ self.caption
        return Scores(
            probability=sigmoid(self._prior(features) + pixels + words),
            vision=sigmoid(self._prior(fusion.only_pixels(features)) + pixels),
            caption=sigmoid(self._prior(fusion.only_caption(features)) + words),
        )

    def _prior(self, features: Floats) -> Floats:
        return np.asarray(np.einsum("nkp,pk->nk", features, self.prior) + self.bias, dtype=np.float32)

    def align(self, tag_ids: Sequence[int]) -> "Head":
        """The same head for another list of tags: unknown ones score as `prior_scores`, the others unchanged.

        Evidence of a tag that is not in `tag_ids` is dropped with its column.
        """
        place = {tag: column for column, tag in enumerate(self.tag_ids)}
        known = np.array([tag in place for tag in tag_ids], dtype=bool)
        source = np.array([place.get(tag, 0) for tag in tag_ids], dtype=np.intp)

        def pick(array: Floats, fill: float = 0.0) -> Floats:
            return np.where(known, array[..., source] if len(place) else fill, np.float32(fill)).astype(
                np.float32
            )

        return Head(
            tag_ids=tuple(tag_ids),
            thresholds=pick(self.thresholds, DEFAULT_THRESHOLD),
            encoding=self.encoding,
            prior=np.where(known, self.prior[:, source] if len(place) else 0, SHIPPED[:, None]).astype(
                np.float32
            ),
            bias=pick(self.bias),
            vision=pick(self.vision),
            words=pick(self.words),
            caption=pick(pick(self.caption.T).T),
            pixels=pick(pick(self.pixels.T).T),
        )

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """Every array by name, for a model file."""
        return {
            "thresholds": self.thresholds,
            "mean": self.encoding.mean,
            "deviation": self.encoding.deviation,
            "inverse_frequency": self.encoding.terms.inverse_frequency,
            "prior": self.prior,
            "bias": self.bias,
            "vision": self.vision,
            "words": self.words,
            "caption": self.caption,
            "pixels": self.pixels,
        }

    def to_manifest(self) -> dict[str, Any]:
        """What JSON has to keep beside the tensors."""
        return {"tag_ids": list(self.tag_ids), "words": list(self.encoding.terms.words)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], manifest: Mapping[str, Any]) -> "Head":
        """The head that `to_tensors` and `to_manifest` described."""
        return cls(
            tag_ids=tuple(int(tag) for tag in manifest["tag_ids"]),
            thresholds=tensors["thresholds"],
            encoding=Encoding(
                mean=tensors["mean"],
                deviation=tensors["deviation"],
                terms=TermWeights(tuple(manifest["words"]), tensors["inverse_frequency"]),
            ),
            prior=tensors["prior"],
            bias=tensors["bias"],
            vision=tensors["vision"],
            words=tensors["words"],
            caption=tensors["caption"],
            pixels=tensors["pixels"],
        )
