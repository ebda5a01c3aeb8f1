"""Discriminants: by features or by images they are the same, and what is left out has not been seen."""

from dataclasses import replace

import numpy as np
import pytest

from mlmodels.core.learning import fitting, teaching
from mlmodels.core.learning.discriminants import PIXEL_PART, PIXEL_RIDGE, RIDGE, fit_both, fit_discriminants
from mlmodels.core.learning.reference import fit_reference
from tests.mlmodels.core.learning.planted import planted

IMAGES, TAGS = 40, 3
FOLDS = np.arange(IMAGES) % 4


def some(width: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((IMAGES, width)).astype(np.float32)


def some_truth() -> np.ndarray:
    """Yes, no and unknown; of the first two images nothing is known."""
    truth = np.random.default_rng(5).integers(-1, 2, (IMAGES, TAGS)).astype(np.int8)
    truth[:2] = -1
    return truth


@pytest.mark.parametrize("width", [7, 90], ids=["fewer features than images", "more features than images"])
def test_each_fold_is_judged_by_a_fit_without_it(width: int) -> None:
    everything, pixels, truth = some(width), some(width, seed=1), some_truth()

    both, unseen = fit_both(everything, pixels, truth, FOLDS)

    answered = (truth >= 0).any(axis=1)
    expected = fit_discriminants(everything[answered], truth[answered], RIDGE)
    np.testing.assert_allclose(both.everything, expected, atol=1e-4)
    by_hand = np.empty((2, IMAGES, TAGS))
    for fold in range(4):
        own = np.equal(FOLDS, fold)
        others = answered & ~own
        for which, (features, ridge) in enumerate([(everything, RIDGE), (pixels, PIXEL_RIDGE)]):
            by_hand[which, own] = features[own] @ fit_discriminants(features[others], truth[others], ridge)
    assert both.pixel_part == pytest.approx(PIXEL_PART * by_hand[0].std() / by_hand[1].std(), rel=1e-3)
    np.testing.assert_allclose(unseen, by_hand[0] + both.pixel_part * by_hand[1], atol=1e-4)


def test_the_order_of_images_changes_nothing_but_their_order() -> None:
    everything, pixels, truth = some(90), some(60, seed=1), some_truth()
    mixed = np.random.default_rng(2).permutation(IMAGES)

    one, said = fit_both(everything, pixels, truth, FOLDS)
    other, said_mixed = fit_both(everything[mixed], pixels[mixed], truth[mixed], FOLDS[mixed])

    np.testing.assert_allclose(other.everything, one.everything, atol=1e-4)
    np.testing.assert_allclose(said_mixed, said[mixed], atol=1e-4)


def test_without_pixels_the_captions_speak() -> None:
    everything, truth = some(90), some_truth()

    both, unseen = fit_both(everything, np.zeros((IMAGES, 5), dtype=np.float32), truth, FOLDS)

    assert both.pixel_part == 0
    assert not both.pixels.any()
    assert unseen.std() > 0


@pytest.mark.parametrize("whole", [True, False], ids=["all columns", "the basis of the fits"])
def test_a_head_adds_the_discriminants_to_what_else_it_says(whole: bool) -> None:
    training = planted(120)
    reference = fit_reference(training, None, seed=0, whole=whole)
    both, silent = reference.discriminants, np.zeros_like(reference.discriminants.everything)
    without = replace(
        reference, discriminants=replace(both, everything=silent, pixels=np.zeros_like(both.pixels))
    )

    scores = [fitting._assemble(training, one).score(training.inputs) for one in (reference, without)]

    added = np.subtract(*[np.log(score.probability / (1 - score.probability)) for score in scores])
    columns = reference.encoded.columns(training.inputs)
    seen = teaching.taught_columns(columns, dimensions=len(reference.encoded.mean), tags=4)
    if not whole:
        columns, seen = columns @ reference.turn, seen @ reference.taught.turn
    expected = reference.mixture[-1] * (columns @ both.everything + seen @ both.pixels)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(added, expected, atol=2e-3)
