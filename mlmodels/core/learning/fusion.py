"""Both sources in one score: the prior that needs no labels, and the regression that all tags share over it.

A tag's prior logit is linear in a few figures of the caption and the pixels. The shipped coefficients are
rounded from what such figures were worth on photographs with captions; every project refits them from its
own reviews, pulled towards the shipped ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.learning.dataset import HeadInputs
from mlmodels.core.learning.solver import newton, sigmoid

Floats = NDArray[np.float32]

PRIOR_COLUMNS = ("base", "caption", "pixels", "no_caption", "no_pixels", "no_caption_pixels")
SHIPPED = np.array([-4.0, 4.5, 2.0, 0.7, 0.0, 1.0], dtype=np.float32)
"""Caption match alone: 0.62. Pixels alone at most 0.12, and 0.43 without any caption: never an offer."""

PRIOR_PULL = 20.0
"""The shipped coefficients count as much as a few dozen pairs whose outcome was open."""


@dataclass(frozen=True)
class Scores:
    """What a head says of N images and K tags, float32 [N, K] each, in [0, 1].

    `probability` uses everything; `vision` and `caption` are what each source says alone, to explain it.
    """

    probability: Floats
    vision: Floats
    caption: Floats


def pixel_evidence(class_prior: Floats) -> Floats:
    """Summed class probability on a scale that a logit can be linear in: 0 to 1, steep near 0.

    >>> pixel_evidence(np.array([0.0, 1.0], dtype=np.float32)).tolist()
    [0.0, 1.0]
    """
    return np.asarray(np.log1p(50 * class_prior) / np.log(51), dtype=np.float32)


def prior_features(inputs: HeadInputs) -> Floats:
    """Figures that every prior logit is linear in, float32 [N, K, P] in the order of PRIOR_COLUMNS."""
    pixels = pixel_evidence(inputs.class_prior)
    no_caption = np.broadcast_to(~inputs.has_caption[:, None], pixels.shape)
    no_pixels = np.broadcast_to(~inputs.has_vision[:, None], pixels.shape)
    columns = [
        np.ones_like(pixels),
        inputs.caption_prior,
        pixels,
        no_caption,
        no_pixels,
        no_caption * pixels,
    ]
    return np.stack(columns, axis=-1).astype(np.float32)


def only_caption(features: Floats) -> Floats:
    """The same pairs as if there were no pixels; [N, K, P]."""
    result = features.copy()
    result[..., 2] = result[..., 5] = 0
    return result


def only_pixels(features: Floats) -> Floats:
    """The same pairs as if there were no caption; [N, K, P]."""
    result = features.copy()
    result[..., 1] = 0
    result[..., 3] = 1
    result[..., 5] = result[..., 2]
    return result


def prior_scores(inputs: HeadInputs) -> Scores:
    """Scores without a single review, from the shipped coefficients.

    Args:
        inputs: N images, K tags.

    >>> empty, one = np.zeros((1, 2), dtype=np.float32), np.ones(1, dtype=bool)
    >>> inputs = HeadInputs(empty, one, empty, np.array([[1, 0]], dtype=np.float32), (("dog",),), one)
    >>> [f"{p:.2f}" for p in prior_scores(inputs).probability[0]]
    ['0.62', '0.02']
    """
    features = prior_features(inputs)
    return Scores(
        probability=sigmoid(features @ SHIPPED),
        vision=sigmoid(only_pixels(features) @ SHIPPED),
        caption=sigmoid(only_caption(features) @ SHIPPED),
    )


def fit_prior(features: Floats, truth: NDArray[np.int8], weights: Floats) -> Floats:
    """Coefficients [P] of the prior from all known pairs of all tags, pulled towards the shipped ones.

    Args:
        features: float32 [N, K, P].
        truth: int8 [N, K]; -1 is left out.
        weights: float32 [N], with mean 1.
    """
    known = truth >= 0
    return newton(
        features[known].astype(np.float64),
        truth[known].astype(np.float64),
        np.broadcast_to(weights[:, None], truth.shape)[known].astype(np.float64),
        SHIPPED.astype(np.float64),
        np.full(len(SHIPPED), PRIOR_PULL),
    ).astype(np.float32)


def fit_biases(
    logits: Floats, truth: NDArray[np.floating], weights: Floats, *, pull: float, rounds: int = 20
) -> Floats:
    """How much more or less frequent each column is than its logits say, [C], pulled towards 0.

    Args:
        logits: [N, C]; truth: [N, C] in [0, 1]; weights: [N, C], 0 masks.
        pull: about the number of yes at which the evidence weighs as much as the pull.
    """
    biases = np.zeros(logits.shape[1], dtype=np.float32)
    for _ in range(rounds):
        p = sigmoid(logits + biases)
        gradient = (weights * (p - truth)).sum(axis=0) + pull * biases
        hessian = (weights * p * (1 - p)).sum(axis=0) + pull
        biases = biases - np.clip(gradient / hessian, -1, 1).astype(np.float32)
    return biases


def fit_mixture(
    logits: Floats, deviations: list[Floats], truth: NDArray[np.int8], weights: Floats, pull: float
) -> Floats:
    """Coefficients (base, prior logit, one per deviation) that all tags share, from out-of-fold values.

    Without evidence they say: the prior logit as it is, and the mean of the deviations from it.

    Args:
        logits: prior logits [N, K]; deviations: E arrays [N, K], out of fold.
        truth: int8 [N, K]; weights: [N] with mean 1.
        pull: strength of the pull to that centre.
    """
    known = truth >= 0
    columns = [np.ones_like(logits), logits, *deviations]
    centre = np.array([0.0, 1.0, *[1 / len(deviations)] * len(deviations)])
    return newton(
        np.stack([column[known] for column in columns], axis=-1).astype(np.float64),
        truth[known].astype(np.float64),
        np.broadcast_to(weights[:, None], truth.shape)[known].astype(np.float64),
        centre,
        np.full(len(centre), pull),
    ).astype(np.float32)
