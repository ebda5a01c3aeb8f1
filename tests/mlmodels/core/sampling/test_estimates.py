"""Estimates from unequal draws, against every outcome of small draws and against plain sampling."""

import itertools

import numpy as np
import pytest

from mlmodels.core.errors import SamplingError
from mlmodels.core.sampling import estimates
from mlmodels.core.sampling.estimates import Draws

VALUES = np.array([3.0, 0.0, 8.0, 1.0])


def rates(taken: tuple[int, ...]) -> np.ndarray:
    """What the queue wants depends on what it has seen: after image 2 it wants image 0 most."""
    return np.array([5.0, 1.0, 1.0, 2.0]) if 2 in taken else np.array([1.0, 2.0, 3.0, 1.0])


def outcomes(count: int):
    """Every ordered draw of `count` images with its probability and the chance of each step."""
    for taken in itertools.permutations(range(4), count):
        chances = []
        for step, image in enumerate(taken):
            left = [n for n in range(4) if n not in taken[:step]]
            wanted = rates(taken[:step])
            chances.append(wanted[image] / wanted[left].sum())
        yield list(taken), np.array(chances)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_total_is_unbiased_whatever_the_queue_learns(count: int) -> None:
    expected = sum(
        chances.prod() * estimates.total(Draws(chances), VALUES[taken]).point
        for taken, chances in outcomes(count)
    )

    assert expected == pytest.approx(VALUES.sum())


@pytest.mark.parametrize("count", [2, 3])
def test_its_variance_is_estimated_without_bias(count: int) -> None:
    variance = estimated = 0.0
    for taken, chances in outcomes(count):
        found = estimates.total(Draws(chances), VALUES[taken])
        variance += chances.prod() * (found.point - VALUES.sum()) ** 2
        estimated += chances.prod() * (found.half_width / estimates.Z) ** 2

    assert estimated == pytest.approx(variance)


def test_a_share_of_equal_draws_with_replacement_is_the_plain_share() -> None:
    """One draw each from four fresh populations: nothing is known before."""
    part = np.array([1.0, 0.0, 0.0, 1.0])
    found = estimates.share(Draws(np.full(1, 0.25)), part[:1], np.ones(1))

    assert found.point == 1.0
    assert np.isnan(found.lower)


def test_the_scale_of_all_chances_cancels_in_a_share_of_first_draws() -> None:
    part, whole = np.array([1.0]), np.array([2.0])
    one, other = (estimates.share(Draws(np.array([chance])), part, whole).point for chance in (0.2, 0.1))

    assert one == other == 0.5


def test_a_share_of_everything_has_no_width() -> None:
    chances = 1.0 / np.arange(10, 0, -1)
    found = estimates.share(Draws(chances), np.ones(10), np.ones(10))

    assert (found.point, found.lower, found.upper) == (1.0, 1.0, 1.0)


def test_intervals_of_a_prevalence_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        truth = rng.random(600) < 0.3
        wanted = np.where(truth, 3.0, 1.0) * rng.uniform(0.5, 2.0, 600)
        waits = rng.exponential(size=600) / wanted
        taken = np.argsort(waits)[:150]
        left = wanted.sum() - np.concatenate([[0.0], np.cumsum(wanted[taken])[:-1]])
        found = estimates.share(Draws(wanted[taken] / left), truth[taken].astype(float), np.ones(150))
        held += found.lower <= truth.mean() <= found.upper

    assert 0.92 <= held / 400 <= 0.98


def test_nothing_offered_has_no_precision() -> None:
    assert np.isnan(estimates.share(Draws(np.full(2, 0.5)), np.zeros(2), np.zeros(2)).point)


@pytest.mark.parametrize("chance", [0.0, 1.1, np.nan])
def test_what_is_no_probability_is_refused(chance: float) -> None:
    with pytest.raises(SamplingError):
        Draws(np.array([chance]))


def test_a_proportion_of_equal_draws_has_wilsons_interval() -> None:
    """Textbook: 8 of 10 gives 0.490 to 0.943. Few of a large population, so that what is known weighs little."""
    yes = np.array([1.0] * 8 + [0.0] * 2)
    found = estimates.proportion(Draws(1 / (1_000_000 - np.arange(10.0))), yes, np.ones(10))

    assert found.point == pytest.approx(0.8, abs=1e-4)
    assert (found.lower, found.upper) == pytest.approx((0.4902, 0.9433), abs=0.02)


@pytest.mark.parametrize("said", [0.0, 1.0])
def test_a_proportion_that_nobody_contradicted_still_has_a_width(said: float) -> None:
    found = estimates.proportion(Draws(np.full(20, 0.01)), np.full(20, said), np.ones(20))

    assert found.point == said
    assert 0.0 <= found.lower < found.upper <= 1.0
    assert found.upper - found.lower == pytest.approx(0.1611, abs=1e-3)  # Wilson's for 20 of 20


def test_a_proportion_among_no_image_is_unknown() -> None:
    assert np.isnan(estimates.proportion(Draws(np.full(2, 0.5)), np.zeros(2), np.zeros(2)).point)
