"""How a head turns inputs into columns: pixels, words, caption vectors, and the priors of all tags."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.errors import TrainingDataError
from mlmodels.core.learning.dataset import CaptionText, HeadInputs
from mlmodels.core.learning.fusion import pixel_evidence
from mlmodels.core.learning.terms import TermWeights, count_terms

Floats = NDArray[np.float32]

VISION_SCALE, TERM_SCALE, TEXT_SCALE = 2.0, 1.5, 1.5
MEANING_SCALE, CAPTION_SCALE, PIXEL_SCALE = 1.0, 0.7, 0.5
"""Relative trust: under one ridge, a block with twice the scale is shrunk a quarter as much."""

DEVIATION_FLOOR = 0.1
"""Share of the mean deviation added to every deviation, so that a nearly constant feature stays small."""


@dataclass(frozen=True)
class TextScale:
    """Mean and deviation of a text encoder's vectors, float32 [T] each; T = 0 and no `encoder` without one."""

    encoder: str
    mean: Floats
    deviation: Floats


NO_TEXT = TextScale("", np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.float32))


@dataclass(frozen=True)
class Encoding:
    """Mean and deviation of the vision feature, float32 [D] each, the words that count, and the text encoder."""

    mean: Floats
    deviation: Floats
    terms: TermWeights
    text: TextScale = NO_TEXT

    def seen(self, inputs: HeadInputs) -> HeadInputs:
        """What this encoding reads of the inputs: a text encoder that was not there in training is left out.

        Raises:
            TrainingDataError: if the captions have not been read by the encoder of training.
        """
        return inputs.read_by(self.text.encoder) if self.text.encoder else inputs.without_text()

    def vision(self, inputs: HeadInputs) -> Floats:
        """Standardised features of one length, float32 [N, D]; zeros for an image without."""
        if inputs.vision.shape[1] != len(self.mean):
            raise TrainingDataError(
                "vision",
                f"expected {len(self.mean)} dimensions as in training, got {inputs.vision.shape[1]}; "
                "use features of the head's own extractor",
            )
        values = _standardised(inputs.vision, self.mean, self.deviation)
        values[~inputs.has_vision] = 0
        return _scaled_to(values, VISION_SCALE)

    def words(self, inputs: HeadInputs) -> Floats:
        """Weighted words, float32 [N, V]."""
        values = self.terms.encode(inputs.terms)
        values *= np.float32(TERM_SCALE)
        return values

    def texts(self, inputs: HeadInputs) -> Floats:
        """Standardised vectors of the captions, of one length, float32 [N, T]; zeros where there is none."""
        if inputs.text is None:
            return np.zeros((len(inputs), len(self.text.mean)), dtype=np.float32)
        vector = inputs.text.vector
        values = _standardised(vector, self.text.mean, self.text.deviation)
        values[~vector.any(axis=1)] = 0
        return _scaled_to(values, TEXT_SCALE)

    def meaning(self, inputs: HeadInputs) -> Floats:
        """Nearness of the caption to every tag as evidence for every other, float32 [N, K]; [N, 0] if unread."""
        if inputs.text is None:
            return np.zeros((len(inputs), self.meanings(inputs.class_prior.shape[1])), dtype=np.float32)
        return np.asarray(MEANING_SCALE * inputs.text.meaning, dtype=np.float32)

    def meanings(self, tags: int) -> int:
        """How many columns `meaning` has of so many tags."""
        return tags if self.text.encoder else 0

    def columns(self, inputs: HeadInputs) -> Floats:
        """All columns, float32 [N, D + V + T + M + 2 K]: vision, words, texts, meaning, caption and pixel priors."""
        blocks = [
            self.vision(inputs),
            self.words(inputs),
            self.texts(inputs),
            self.meaning(inputs),
            caption_columns(inputs),
            pixel_columns(inputs),
        ]
        return np.concatenate(blocks, axis=1)


def caption_columns(inputs: HeadInputs) -> Floats:
    """Caption evidence of every tag as evidence for every other, float32 [N, K]."""
    return np.asarray(CAPTION_SCALE * inputs.caption_prior, dtype=np.float32)


def pixel_columns(inputs: HeadInputs) -> Floats:
    """Pixel evidence of every tag as evidence for every other, float32 [N, K]."""
    return np.asarray(PIXEL_SCALE * pixel_evidence(inputs.class_prior), dtype=np.float32)


def fit_encoding(inputs: HeadInputs) -> Encoding:
    """Learn mean, deviation and words; constant features and missing sources are harmless."""
    mean, deviation = _spread(inputs.vision[inputs.has_vision])
    terms = [caption for caption, has in zip(inputs.terms, inputs.has_caption, strict=True) if has]
    return Encoding(mean, deviation, count_terms(terms), _fit_text(inputs.text))


def _fit_text(text: CaptionText | None) -> TextScale:
    if text is None:
        return NO_TEXT
    return TextScale(text.encoder, *_spread(text.vector[text.vector.any(axis=1)]))


def _spread(seen: Floats) -> tuple[Floats, Floats]:
    """Mean and deviation of the rows, float32 [D] each; the deviation is never 0."""
    width = seen.shape[1]
    if len(seen):
        mean, deviation = seen.mean(axis=0), seen.std(axis=0)
    else:
        mean, deviation = np.zeros(width), np.zeros(width)
    floor = DEVIATION_FLOOR * float(deviation.mean()) if width else 0.0
    deviation = deviation + floor
    deviation[deviation <= 0] = 1
    return mean.astype(np.float32), deviation.astype(np.float32)


def _standardised(values: Floats, mean: Floats, deviation: Floats) -> Floats:
    result = np.asarray(values - mean, dtype=np.float32)
    result /= deviation
    return result


def _scaled_to(values: Floats, length: float) -> Floats:
    """The rows in place, each of this length; zeros stay."""
    lengths = np.sqrt(np.einsum("nd,nd->n", values, values))
    values *= np.divide(length, lengths, out=np.zeros_like(lengths), where=lengths > 0)[:, None]
    return values
