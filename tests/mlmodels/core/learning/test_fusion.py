"""The prior's logits are what its figures and coefficients say, though scoring never writes the figures down."""

from dataclasses import replace

import numpy as np
import pytest

from mlmodels.core.learning import fusion
from mlmodels.core.learning.dataset import CaptionText, HeadInputs


def some_inputs(*, with_text: bool, images: int = 40, tags: int = 5) -> HeadInputs:
    """Images of every kind: with and without picture, with and without caption."""
    rng = np.random.default_rng(0)
    has_vision, has_caption = rng.random((2, images)) > 0.3
    seen, said, near = rng.random((3, images, tags), dtype=np.float32)
    text = CaptionText("encoder", np.zeros((images, 3), dtype=np.float32), near * has_caption[:, None])
    return HeadInputs(
        vision=np.zeros((images, 2), dtype=np.float32),
        has_vision=has_vision,
        class_prior=seen**6 * has_vision[:, None],
        caption_prior=said * has_caption[:, None],
        terms=((),) * images,
        has_caption=has_caption,
        text=text if with_text else None,
    )


def by_figures(inputs: HeadInputs, coefficients: np.ndarray) -> np.ndarray:
    return (fusion.prior_features(inputs) * coefficients.T).sum(axis=-1)


@pytest.mark.parametrize("with_text", [False, True])
@pytest.mark.parametrize("of_each_tag", [False, True])
def test_prior_logits_are_the_figures_times_the_coefficients(with_text: bool, of_each_tag: bool) -> None:
    inputs = some_inputs(with_text=with_text)
    figures = fusion.prior_features(inputs).shape[-1]
    rng = np.random.default_rng(1)
    coefficients = rng.standard_normal((figures, 5) if of_each_tag else figures).astype(np.float32)
    nothing = np.zeros_like(inputs.caption_prior)
    silent = replace(inputs, caption_prior=nothing, has_caption=np.zeros(len(inputs), dtype=bool))
    if inputs.text:
        silent = replace(silent, text=replace(inputs.text, meaning=nothing))

    everything, pixels, caption = fusion.prior_logits(inputs, coefficients)

    np.testing.assert_allclose(everything, by_figures(inputs, coefficients), atol=1e-5)
    np.testing.assert_allclose(pixels, by_figures(silent, coefficients), atol=1e-5)
    np.testing.assert_allclose(
        caption, by_figures(replace(inputs, class_prior=nothing), coefficients), atol=1e-5
    )


def test_coefficients_of_another_number_of_figures_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        fusion.prior_logits(some_inputs(with_text=False), fusion.SHIPPED_WITH_MEANING)
    with pytest.raises(ValueError, match="zip"):
        fusion.prior_logits(some_inputs(with_text=True), fusion.SHIPPED)


def pairs_of(*, rare_prior: float) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """A frequent tag whose prior is right, and eleven rare ones whose prior is worth `rare_prior` beside noise.

    What the deviations say is worth the same for all of them.
    """
    rng = np.random.default_rng(3)
    truth = (rng.random((400, 12)) < np.array([0.5, *[0.05] * 11])).astype(np.int8)
    signal = 2.0 * truth - 1
    worth = np.array([2.0, *[rare_prior] * 11])
    prior = worth * signal + 1.5 * rng.standard_normal(truth.shape) - np.array([0, *[2.0] * 11])
    deviations = [0.8 * signal + 0.8 * rng.standard_normal(truth.shape) for _ in range(3)]
    return prior.astype(np.float32), [each.astype(np.float32) for each in deviations], truth


def trust_in_prior(monkeypatch: pytest.MonkeyPatch, *, rare_prior: float, parts: tuple[float, ...]) -> float:
    """How far the mixture trusts the prior, in its trust in the discriminant."""
    monkeypatch.setattr(fusion, "PRIOR_PARTS", parts)
    mixture = fusion.fit_mixture(*pairs_of(rare_prior=rare_prior), np.ones(400, dtype=np.float32), 20.0)
    return float(mixture[1] / mixture[-1])


def test_a_prior_that_misleads_rare_tags_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    as_likely = trust_in_prior(monkeypatch, rare_prior=0.0, parts=(1.0,))
    as_ranked = trust_in_prior(monkeypatch, rare_prior=0.0, parts=(1.0, 0.8, 0.65))

    assert as_ranked == pytest.approx(0.65 * as_likely, rel=1e-3)


def test_a_prior_that_ranks_well_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    as_likely = trust_in_prior(monkeypatch, rare_prior=2.0, parts=(1.0,))
    as_ranked = trust_in_prior(monkeypatch, rare_prior=2.0, parts=(1.0, 0.8, 0.65))

    assert as_ranked == pytest.approx(as_likely)
