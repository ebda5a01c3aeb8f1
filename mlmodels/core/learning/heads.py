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
from mlmodels.core.learning.encoding import NO_TEXT, Encoding, TextScale
from mlmodels.core.learning.fusion import Scores
from mlmodels.core.learning.solver import sigmoid
from mlmodels.core.learning.terms import TermWeights

Floats = NDArray[np.float32]

DEFAULT_THRESHOLD = 0.5
NEVER_OFFERED = 2.0
ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Head:
    """Coefficients of K tags; logits are prior features x `prior` + `bias` + columns x coefficients.

    Attributes:
        tag_ids: K ids, the order of all columns of inputs and scores.
        thresholds: float32 [K]; a tag is offered from its threshold on.
        encoding: how inputs become columns.
        prior: float32 [P, K]; bias: float32 [K].
        vision: float32 [D, K]; words: float32 [V, K]; text: float32 [T, K], T = 0 without a text encoder.
        meaning: float32 [K, K], what nearness of the caption to one tag (row) says of another; [0, K] where that is
            not read.
        caption: float32 [K, K] and pixels: float32 [K, K], what other evidence for one tag says of another.
    """

    tag_ids: tuple[int, ...]
    thresholds: Floats
    encoding: Encoding
    prior: Floats
    bias: Floats
    vision: Floats
    words: Floats
    text: Floats
    meaning: Floats
    caption: Floats
    pixels: Floats

    def score(self, inputs: HeadInputs) -> Scores:
        """Score N images for the head's tags; columns of `inputs` must be in the order of `tag_ids`.

        Raises:
            TrainingDataError: if features have another length than those of training, or captions were not read
                by the text encoder of training.
        """
        inputs = self.encoding.seen(inputs)
        if len(inputs) <= ROWS_AT_ONCE:
            return self._score(inputs)
        parts = [
            self._score(inputs.rows(np.arange(start, min(start + ROWS_AT_ONCE, len(inputs)))))
            for start in range(0, len(inputs), ROWS_AT_ONCE)
        ]
        return Scores(
            probability=np.concatenate([part.probability for part in parts]),
            vision=np.concatenate([part.vision for part in parts]),
            caption=np.concatenate([part.caption for part in parts]),
        )

    def _score(self, inputs: HeadInputs) -> Scores:
        everything, pixels_alone, caption_alone = fusion.prior_logits(inputs, self.prior)
        pixels = self.encoding.vision(inputs) @ self.vision + encoding.pixel_columns(inputs) @ self.pixels
        words = self.encoding.words(inputs) @ self.words + encoding.caption_columns(inputs) @ self.caption
        if self.encoding.text.encoder:
            words = words + self.encoding.texts(inputs) @ self.text
        if len(self.meaning):
            words = words + self.encoding.meaning(inputs) @ self.meaning
        return Scores(
            probability=sigmoid(everything + self.bias + pixels + words),
            vision=sigmoid(pixels_alone + self.bias + pixels),
            caption=sigmoid(caption_alone + self.bias + words),
        )

    def align(self, tag_ids: Sequence[int], origins: Mapping[int, int] | None = None) -> "Head":
        """The same head for another list of tags: unknown ones score as `prior_scores`, the others unchanged.

        Evidence of a tag that is not in `tag_ids` is dropped with its column. An unknown tag that `origins` derives
        from a known one starts with the coefficients of that one; it is never offered, since nobody has said yet
        which images of the origin are its own.
        """
        place = {tag: column for column, tag in enumerate(self.tag_ids)}
        derived = {
            tag: place[origin]
            for tag, origin in (origins or {}).items()
            if tag not in place and origin in place
        }
        place |= derived
        known = np.array([tag in place for tag in tag_ids], dtype=bool)
        source = np.array([place.get(tag, 0) for tag in tag_ids], dtype=np.intp)

        def pick(array: Floats, fill: float = 0.0) -> Floats:
            return np.where(known, array[..., source] if len(place) else fill, np.float32(fill)).astype(
                np.float32
            )

        thresholds = pick(self.thresholds, DEFAULT_THRESHOLD)
        thresholds[[tag in derived for tag in tag_ids]] = NEVER_OFFERED
        return Head(
            tag_ids=tuple(tag_ids),
            thresholds=thresholds,
            encoding=self.encoding,
            prior=np.where(
                known, self.prior[:, source] if len(place) else 0, fusion.shipped(len(self.prior))[:, None]
            ).astype(np.float32),
            bias=pick(self.bias),
            vision=pick(self.vision),
            words=pick(self.words),
            text=pick(self.text),
            meaning=pick(pick(self.meaning.T).T) if len(self.meaning) else _nothing(len(tag_ids)),
            caption=pick(pick(self.caption.T).T),
            pixels=pick(pick(self.pixels.T).T),
        )

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """Every array by name, for a model file; those of a text encoder only if there was one."""
        text = {
            "text": self.text,
            "meaning": self.meaning,
            "text_mean": self.encoding.text.mean,
            "text_deviation": self.encoding.text.deviation,
        }
        return (text if self.encoding.text.encoder else {}) | {
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
        encoder = {"text_encoder": self.encoding.text.encoder} if self.encoding.text.encoder else {}
        return {"tag_ids": list(self.tag_ids), "words": list(self.encoding.terms.words)} | encoder

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], manifest: Mapping[str, Any]) -> "Head":
        """The head that `to_tensors` and `to_manifest` described."""
        text = NO_TEXT
        if encoder := manifest.get("text_encoder"):
            text = TextScale(encoder, tensors["text_mean"], tensors["text_deviation"])
        nothing = _nothing(len(tensors["bias"]))
        return cls(
            tag_ids=tuple(int(tag) for tag in manifest["tag_ids"]),
            thresholds=tensors["thresholds"],
            encoding=Encoding(
                mean=tensors["mean"],
                deviation=tensors["deviation"],
                terms=TermWeights(tuple(manifest["words"]), tensors["inverse_frequency"]),
                text=text,
            ),
            prior=tensors["prior"],
            bias=tensors["bias"],
            vision=tensors["vision"],
            words=tensors["words"],
            text=tensors["text"] if text.encoder else nothing,
            meaning=tensors.get("meaning", nothing),  # earlier heads do not read it
            caption=tensors["caption"],
            pixels=tensors["pixels"],
        )


def _nothing(tags: int) -> Floats:
    """Coefficients of columns that are not there."""
    return np.zeros((0, tags), dtype=np.float32)
