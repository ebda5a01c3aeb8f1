"""Both sources in one score: the prior that needs no labels, and the regression that all tags share over it.

A tag's prior logit is linear in a few figures of the caption and the pixels. The shipped coefficients are
rounded from what such figures were worth on photographs with captions; every project refits them from its
own reviews, pulled towards the shipped ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlmodels.core.evaluation.ranking import macro_average_precision
from mlmodels.core.learning.dataset import HeadInputs
from mlmodels.core.learning.newton import newton, newton_columns
from mlmodels.core.learning.solver import sigmoid

Floats = NDArray[np.float32]

PRIOR_COLUMNS = (
    "base",
    "mentioned",
    "prominent",
    "pixels",
    "sure_pixels",
    "no_caption",
    "no_pixels",
    "no_caption_pixels",
)
CAPTION_COLUMNS, PIXEL_COLUMNS = [1, 2], [3, 4, 7]
TAUGHT_COLUMN = -1
MEANING_COLUMNS = [8, 9]
"""With a text encoder these follow: how near the caption comes to the tag, and that where it also mentions it.
What captions taught the pixels is always last."""

SHIPPED = np.array([-4.3, 4.1, 1.9, 1.1, 3.0, 0.1, 0.0, 0.0], dtype=np.float32)
"""The tag's own word alone: 0.85, an implied one under 0.5, pixels alone under 0.5: never an offer."""

SHIPPED_WITH_MEANING = np.array([-4.3, 3.4, 1.4, 1.1, 3.0, 0.1, 0.0, 0.0, 12.0, -7.5], dtype=np.float32)
"""With a text encoder: where a word is mentioned, nearness of the whole caption adds less."""

MENTIONED, PROMINENT = (0.0, 0.3), (0.7, 0.85)
"""Match scores between which the two caption figures rise from 0 to 1."""

TAUGHT = 0.6
"""Trust in what captions taught the pixels, until reviews say more."""

PRIOR_PULL = 20.0
"""The shipped coefficients count as much as a few dozen pairs whose outcome was open."""


MOST_PAIRS = 200_000
"""More pairs than this do not make the few coefficients that all tags share any surer."""

DISCRIMINANT_PARTS = (1.5, 1.0, 0.5, 0.0)
"""Spreads of the discriminant's part of a score, in that of the regressions' part; the first was best on photos."""

SURELY_BETTER = 0.005
"""Macro average precision that another part must gain over the first: less is chance in a small training set."""

PRIOR_PARTS = (1.0, 0.8, 0.65)
"""Parts of the prior's trust: the likelihood, which frequent tags decide, holds on to it when reviews know better."""

BETTER = 0.001
"""The same for these, which are worth less and do less harm."""

TAG_PULLS = (3.0, 10.0, 10.0)
"""Pull of a tag's own bias, caption slope and pixel slope: a few yes for the first, more for the others."""


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


EVERYTHING = slice(None)


def prior_features(inputs: HeadInputs, rows: slice = EVERYTHING, tags: slice = EVERYTHING) -> Floats:
    """Figures that every prior logit is linear in, float32 [N, K, P] in the order of PRIOR_COLUMNS, then of meaning.

    Of the images and tags at `rows` and `tags` alone, if given.
    """
    pixels, caption = pixel_evidence(inputs.class_prior[rows, tags]), inputs.caption_prior[rows, tags]
    no_caption, no_pixels = ~inputs.has_caption[rows, None], ~inputs.has_vision[rows, None]
    mentioned = _rise(caption, MENTIONED)
    columns = [
        1,
        mentioned,
        _rise(caption, PROMINENT),
        pixels,
        pixels**3,
        no_caption,
        no_pixels,
        no_caption * pixels,
    ]
    if inputs.text is not None:
        meaning = inputs.text.meaning[rows, tags]
        columns += [meaning, meaning * mentioned]
    result = np.empty((*pixels.shape, len(columns)), dtype=np.float32)
    for place, column in enumerate(columns):
        result[..., place] = column
    return result


def shipped(figures: int) -> Floats:
    """The coefficients of so many figures, before any review."""
    return SHIPPED if figures == len(SHIPPED) else SHIPPED_WITH_MEANING


def _caption_columns(figures: int) -> list[int]:
    """Those of the first `figures` columns that a caption fills."""
    return [*CAPTION_COLUMNS, *MEANING_COLUMNS] if figures > len(PRIOR_COLUMNS) else CAPTION_COLUMNS


def _rise(values: Floats, between: tuple[float, float]) -> Floats:
    low, high = between
    return np.asarray(np.clip((values - low) / (high - low), 0, 1), dtype=np.float32)


def only_caption(features: Floats) -> Floats:
    """The same pairs as if there were no pixels; [N, K, P]."""
    result = features.copy()
    result[..., PIXEL_COLUMNS] = 0
    return result


def prior_logits(inputs: HeadInputs, coefficients: Floats) -> tuple[Floats, Floats, Floats]:
    """Prior logits of everything, as if there were no caption, and as if there were no pixels; float32 [N, K] each.

    The same as `prior_features` times the coefficients, but in a few passes over pairs instead of P figures of each.

    Args:
        inputs: N images, K tags.
        coefficients: float32 [P] of all tags, or [P, K].
    """
    base, mention, prominence, pixel, sure_pixel, no_caption, no_pixels, no_caption_pixel, *near = (
        coefficients
    )
    mentioned, pixels = _rise(inputs.caption_prior, MENTIONED), pixel_evidence(inputs.class_prior)
    said = mention * mentioned + prominence * _rise(inputs.caption_prior, PROMINENT)
    meaning = [] if inputs.text is None else [inputs.text.meaning, inputs.text.meaning * mentioned]
    for figure, coefficient in zip(meaning, near, strict=True):
        said += coefficient * figure
    shown = pixel * pixels + sure_pixel * (pixels * pixels * pixels)
    without_caption = no_caption + no_caption_pixel * pixels
    start = base + no_pixels * ~inputs.has_vision[:, None]
    silent = ~inputs.has_caption[:, None]
    return (
        start + said + shown + silent * without_caption,
        start + shown + without_caption,
        start + said + silent * no_caption,
    )


def prior_scores(inputs: HeadInputs) -> Scores:
    """Scores without a single review, from the shipped coefficients.

    Args:
        inputs: N images, K tags.

    >>> empty, one = np.zeros((1, 2), dtype=np.float32), np.ones(1, dtype=bool)
    >>> inputs = HeadInputs(empty, one, empty, np.array([[1, 0]], dtype=np.float32), (("dog",),), one)
    >>> [f"{p:.2f}" for p in prior_scores(inputs).probability[0]]
    ['0.85', '0.01']
    """
    coefficients = SHIPPED if inputs.text is None else SHIPPED_WITH_MEANING
    everything, pixels, caption = prior_logits(inputs, coefficients)
    return Scores(probability=sigmoid(everything), vision=sigmoid(pixels), caption=sigmoid(caption))


def fit_prior(features: Floats, truth: NDArray[np.int8], weights: Floats) -> Floats:
    """Coefficients [P + 1] of the prior from all known pairs of all tags, pulled towards the shipped ones.

    Args:
        features: float32 [N, K, P + 1], the last what captions taught the pixels.
        truth: int8 [N, K]; -1 is left out.
        weights: float32 [N], with mean 1.
    """
    known = _sampled(truth)
    centre = np.append(shipped(features.shape[-1] - 1), TAUGHT).astype(np.float64)
    return newton(
        features[known].astype(np.float64),
        truth[known].astype(np.float64),
        np.broadcast_to(weights[:, None], truth.shape)[known].astype(np.float64),
        centre,
        np.full(len(centre), PRIOR_PULL),
    ).astype(np.float32)


def fit_biases(logits: Floats, truth: Floats, weights: Floats, *, pull: float) -> Floats:
    """How much more or less frequent each column is than its logits say, [C], pulled towards 0.

    Args:
        logits: [N, C]; truth: [N, C] in [0, 1]; weights: [N, C], 0 masks.
        pull: about the number of yes at which the evidence weighs as much as the pull.
    """
    return newton_columns(np.ones_like(logits)[None], logits, truth, weights, np.array([pull]))[0]


def fit_slopes(
    parts: Floats, base: Floats, truth: Floats, weights: Floats, start: Floats | None = None
) -> Floats:
    """How each column departs from the shared prior: more or less frequent, captions and pixels more or less telling.

    A hierarchical regression with three coefficients a column, each pulled to 0: a tag keeps the order in which
    the shared prior ranks matches, and learns how far to trust them.

    Args:
        parts: float32 [3, N, C], of `tag_parts`; base: [N, C], logits of the shared prior.
        truth: [N, C] in [0, 1]; weights: [N, C], 0 masks.
        start: [3, C], zeros by default.

    Returns:
        Coefficients [3, C]: bias, what is added to 1 before the caption's part, and before the pixels' part.
    """
    return newton_columns(parts, base, truth, weights, np.array(TAG_PULLS), start)


def with_slopes(parts: Floats, base: Floats, slopes: Floats) -> Floats:
    """Prior logits [N, C] of columns that depart from the shared prior by `slopes` [3, C]."""
    return np.asarray(base + (parts * slopes[:, None, :]).sum(axis=0), dtype=np.float32)


def _sampled(truth: NDArray[np.int8]) -> NDArray[np.bool_]:
    """The known pairs, bool [N, K], of evenly spaced images if all would be more than a few numbers need."""
    known = truth >= 0
    step = -(-int(known.sum()) // MOST_PAIRS)
    if step > 1:
        kept = np.zeros(len(known), dtype=bool)
        kept[np.flatnonzero(known.any(axis=1))[::step]] = True
        known &= kept[:, None]
    return known


def tag_parts(features: Floats, shared: Floats) -> Floats:
    """What a tag may scale of its prior logit: 1, the caption's part, the pixels' part; float32 [3, N, K]."""
    said = _caption_columns(len(shared) - 1)
    caption = features[..., said] @ shared[said]
    columns = [*PIXEL_COLUMNS, TAUGHT_COLUMN]
    pixels = features[..., columns] @ shared[columns]
    return np.stack([np.ones_like(caption), caption, pixels]).astype(np.float32)


def sloped(shared: Floats, slopes: Floats) -> Floats:
    """Prior coefficients of every tag, float32 [P + 1, K], from the shared ones [P + 1] and `fit_slopes`'s [3, K]."""
    result = np.repeat(shared[:, None], slopes.shape[1], axis=1)
    result[_caption_columns(len(shared) - 1)] *= 1 + slopes[1]
    result[[*PIXEL_COLUMNS, TAUGHT_COLUMN]] *= 1 + slopes[2]
    return result.astype(np.float32)


def fit_mixture(
    logits: Floats, deviations: list[Floats], truth: NDArray[np.int8], weights: Floats, pull: float
) -> Floats:
    """Coefficients (base, prior logit, one per deviation) that all tags share, from out-of-fold values.

    First the likelihood says how far prior and regressions are trusted. Then the discriminant, the last
    deviation, joins the regressions in the proportion that ranks best, and the likelihood says how far the sum is
    trusted: left to the likelihood, which frequent tags decide, a discriminant gets too little for the rare ones, and
    the prior too much. So that one is last taken back as far as ranks best.

    Without evidence they say: the prior logit as it is, and the mean of the regressions' deviations from it.

    Args:
        logits: prior logits [N, K]; deviations: E arrays [N, K], out of fold.
        truth: int8 [N, K]; weights: [N] with mean 1.
        pull: strength of the pull to that centre.
    """
    known = _sampled(truth)
    weighed = np.broadcast_to(weights[:, None], truth.shape)[known].astype(np.float64)

    def fit(values: list[Floats], centre: list[float]) -> NDArray[np.float64]:
        columns = np.stack([np.ones(len(weighed)), *(value[known] for value in values)], axis=-1)
        pulls = np.full(len(centre), pull)
        return newton(
            columns.astype(np.float64), truth[known].astype(np.float64), weighed, np.array(centre), pulls
        )

    *regressions, discriminant = deviations
    base, trust, *shares = fit([logits, *regressions], [0.0, 1.0, *[1 / len(regressions)] * len(regressions)])
    together = np.asarray(np.tensordot(shares, np.stack(regressions), axes=1), dtype=np.float32)
    share = _discriminant_share(trust * logits + together, together, discriminant, truth)
    if share == 0:
        return np.array([base, trust, *shares, 0.0], dtype=np.float32)
    together += np.float32(share) * discriminant
    base, trust, scale = fit([logits, together], [base, trust, 1.0])
    part = _prior_part(trust * logits, scale * together, truth)
    trust *= part
    if part != 1:
        base, again = fit([trust * logits + scale * together], [base, 1.0])
        trust, scale = again * trust, again * scale
    return np.array([base, trust, *scale * np.array([*shares, share])], dtype=np.float32)


def _prior_part(prior: Floats, deviation: Floats, truth: NDArray[np.int8]) -> float:
    """How much of the prior's logits, beside the deviations from it, ranks best out of fold; all [N, K]."""
    ranked = [macro_average_precision(truth, part * prior + deviation) for part in PRIOR_PARTS]
    return PRIOR_PARTS[_first_unless(ranked, BETTER)]


def _discriminant_share(
    logits: Floats, together: Floats, discriminant: Floats, truth: NDArray[np.int8]
) -> float:
    """How much of the discriminant, added to `logits`, ranks best out of fold; all [N, K]."""
    known = truth >= 0
    spread = float(discriminant[known].std()) if known.any() else 0.0
    if spread == 0:
        return 0.0
    unit = float(together[known].std()) / spread
    shares = [part * unit for part in DISCRIMINANT_PARTS]
    ranked = [macro_average_precision(truth, logits + share * discriminant) for share in shares]
    if not np.isfinite(ranked).all():
        return 0.0
    return shares[_first_unless(ranked, SURELY_BETTER)]


def _first_unless(ranked: list[float], margin: float) -> int:
    """The place of the best, if it is better than the first by more than the margin."""
    best = int(np.argmax(ranked))
    return best if ranked[best] > ranked[0] + margin else 0
