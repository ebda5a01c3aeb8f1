"""How a head turns inputs into columns: pixels, words, and the priors of all tags."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.errors import TrainingDataError
from mlmodels.core.learning.dataset import HeadInputs
from mlmodels.core.learning.fusion import pixel_evidence
from mlmodels.core.learning.terms import TermWeights, count_terms

Floats = NDArray[np.float32]

VISION_SCALE, TERM_SCALE, CAPTION_SCALE, PIXEL_SCALE = 2.0, 1.5, 0.7, 0.5
"""Relative trust: under one ridge, a block with twice the scale is shrunk a quarter as much."""

DEVIATION_FLOOR = 0.1
"""Share of the mean deviation added to every deviation, so that a nearly constant feature stays small."""


@dataclass(frozen=True)
class Encoding:
    """Mean and deviation of the vision feature, float32 [D] each, and the words that count."""

    mean: Floats
    deviation: Floats
    terms: TermWeights

    def vision(self, inputs: HeadInputs) -> Floats:
        """Standardised features of one length, float32 [N, D]; zeros for an image without."""
        if inputs.vision.shape[1] != len(self.mean):
            raise TrainingDataError(
                "vision",
                f"expected {len(self.mean)} dimensions as in training, got {inputs.vision.shape[1]}; "
                "use features of the head's own extractor",
            )
        values = np.asarray((inputs.vision - self.mean) / self.deviation, dtype=np.float32)
        values[~inputs.has_vision] = 0
        return _scaled_to(values, VISION_SCALE)

    def words(self, inputs: HeadInputs) -> Floats:
        """Weighted words, float32 [N, V]."""
        return TERM_SCALE * self.terms.encode(inputs.terms)

    def columns(self, inputs: HeadInputs) -> Floats:
        """All columns, float32 [N, D + V + 2 K]: vision, words, caption priors, pixel priors."""
        blocks = [self.vision(inputs), self.words(inputs), caption_columns(inputs), pixel_columns(inputs)]
        return np.concatenate(blocks, axis=1)


def caption_columns(inputs: HeadInputs) -> Floats:
    """Caption evidence of every tag as evidence for every other, float32 [N, K]."""
    return np.asarray(CAPTION_SCALE * inputs.caption_prior, dtype=np.float32)


def pixel_columns(inputs: HeadInputs) -> Floats:
    """Pixel evidence of every tag as evidence for every other, float32 [N, K]."""
    return np.asarray(PIXEL_SCALE * pixel_evidence(inputs.class_prior), dtype=np.float32)


def fit_encoding(inputs: HeadInputs) -> Encoding:
    """Learn mean, deviation and words; constant features and missing sources are harmless."""
    seen = inputs.vision[inputs.has_vision]
    width = inputs.vision.shape[1]
    if len(seen):
        mean, deviation = seen.mean(axis=0), seen.std(axis=0)
    else:
        mean, deviation = np.zeros(width), np.zeros(width)
    floor = DEVIATION_FLOOR * float(deviation.mean()) if width else 0.0
    deviation = deviation + floor
    deviation[deviation <= 0] = 1
    terms = [caption for caption, has in zip(inputs.terms, inputs.has_caption, strict=True) if has]
    return Encoding(mean.astype(np.float32), deviation.astype(np.float32), count_terms(terms))


def _scaled_to(values: Floats, length: float) -> Floats:
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    result = np.zeros_like(values)
    np.divide(length * values, lengths, out=result, where=lengths > 0)
    return result
