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


@pytest.mark.parametrize("before", [1, 2])
def test_a_total_is_unbiased_where_images_came_between_the_draws(before: int) -> None:
    """Image 2, the largest, comes after so many draws; the queue has seen others by then."""
    expected = 0.0
    for taken in itertools.permutations(range(4), 3):
        if 2 in taken[:before]:
            continue
        chances = []
        for step, image in enumerate(taken):
            left = [n for n in range(4) if n not in taken[:step] and (n != 2 or step >= before)]
            chances.append(rates(taken[:step])[image] / rates(taken[:step])[left].sum())
        came = np.array([before if image == 2 else 0 for image in taken])
        found = estimates.total(Draws(np.array(chances), came=came), VALUES[list(taken)])
        expected += np.prod(chances) * found.point

    assert expected == pytest.approx(VALUES.sum())


def test_what_people_chose_is_known_from_then_on_and_is_no_draw() -> None:
    """Image 2 was sent to the front after the first draw, which might have been of it."""
    expected = 0.0
    for taken, chances in outcomes(3):
        order = [taken[0], 2, *(image for image in taken[1:] if image != 2)]
        if 2 in taken[1:] or len(set(order)) < 4:
            continue
        left = [n for n in range(4) if n not in (taken[0], 2)]
        second = rates((taken[0], 2))
        step = [chances[0], second[order[2]] / second[left].sum(), 1.0]
        draws = Draws(np.array([step[0], 0.0, step[1], step[2]]), is_draw=np.array([True, False, True, True]))
        expected += step[0] * step[1] * estimates.total(draws, VALUES[order]).point
    # Where the first draw was of image 2, nobody had to choose it.
    for first in [2]:
        chance = rates(())[first] / rates(()).sum()
        for second_image, third in itertools.permutations([0, 1, 3], 2):
            wanted = rates((2,))
            p2 = wanted[second_image] / wanted[[0, 1, 3]].sum()
            left = [n for n in (0, 1, 3) if n != second_image]
            p3 = wanted[third] / wanted[left].sum()
            found = estimates.total(Draws(np.array([chance, p2, p3])), VALUES[[first, second_image, third]])
            expected += chance * p2 * p3 * found.point

    assert expected == pytest.approx(VALUES.sum())


def test_an_image_that_no_draw_could_have_been_of_stands_for_nothing() -> None:
    draws = Draws(np.array([0.5, 0.0]), came=np.array([0, 1]), is_draw=np.array([True, False]))

    assert draws.weights().tolist() == [2.0, 0.0]
    assert draws.totals(np.array([1.0, 9.0])).tolist() == [2.0]


@pytest.mark.parametrize("count", [2, 3])
def test_its_variance_is_estimated_without_bias(count: int) -> None:
    variance = estimated = 0.0
    for taken, chances in outcomes(count):
        found = estimates.total(Draws(chances), VALUES[taken])
        variance += chances.prod() * (found.point - VALUES.sum()) ** 2
        each = Draws(chances).totals(VALUES[taken])
        estimated += chances.prod() * estimates.standard_error(each) ** 2

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
    found = estimates.proportion(Draws(np.full(20, 1e-6)), np.full(20, said), np.ones(20))

    assert found.point == said
    assert 0.0 <= found.lower < found.upper <= 1.0
    assert found.upper - found.lower == pytest.approx(0.1611, abs=1e-3)  # Wilson's for 20 of 20


def test_where_much_is_known_already_a_proportion_is_narrower() -> None:
    yes, among = np.tile([1.0, 1.0, 0.0], 40), np.ones(120)
    few, many = (estimates.proportion(Draws(1.0 / (N - np.arange(120.0))), yes, among) for N in (10_000, 160))

    assert many.half_width < 0.75 * few.half_width


def test_few_heavy_images_that_agree_do_not_make_a_proportion_sure() -> None:
    """Nine of ten weights are a hundredth of the tenth: the draws are worth hardly more than one."""
    chances = np.tile([1e-3] * 9 + [1e-5], 4)
    found = estimates.proportion(Draws(chances), np.ones(40), np.ones(40))

    assert (found.point, found.upper) == (1.0, 1.0)
    assert found.lower < 0.65  # Wilson's for 40 of 40: 0.91


def test_many_offers_of_an_image_count_as_many_unless_they_agree() -> None:
    rng = np.random.default_rng(1)
    among, draws = np.full(60, 5.0), Draws(np.full(60, 1e-6))
    apart = estimates.proportion(draws, rng.binomial(5, 0.6, 60).astype(float), among)
    alike = estimates.proportion(draws, 5.0 * rng.binomial(1, 0.6, 60), among)

    assert apart.half_width == pytest.approx(0.055, abs=0.008)  # Wilson's for 180 of 300
    assert alike.half_width == pytest.approx(0.12, abs=0.015)  # Wilson's for 36 of 60


@pytest.mark.parametrize(("freedom", "quantile"), [(2, 4.303), (5, 2.571), (10, 2.228), (30, 2.042)])
def test_students_t_is_that_of_the_tables(freedom: float, quantile: float) -> None:
    assert estimates.student_quantile(freedom) == pytest.approx(quantile, rel=0.04)


def test_a_ratio_is_less_sure_where_one_draw_brought_most_of_its_denominator() -> None:
    """The jackknife's, computed by leaving out each draw."""
    chances, part, whole = np.array([0.1, 0.2, 0.02, 0.3]), np.array([1.0, 0, 1, 1]), np.array([1.0, 1, 3, 1])
    draws = Draws(chances)
    parts, wholes = draws.totals(part), draws.totals(whole)
    left_out = (parts.sum() - parts) / (wholes.sum() - wholes)
    variance = 3 / 4 * ((left_out - left_out.mean()) ** 2).sum()

    _, deviations = estimates._ratio(draws, part, whole)

    assert estimates.standard_error(deviations) ** 2 == pytest.approx(variance)


def test_the_one_image_that_was_offered_anything_says_little_of_a_precision() -> None:
    chances, last = np.full(10, 1e-6), np.array([0.0] * 9 + [1.0])
    found = estimates.proportion(Draws(chances), last, last)

    assert (found.point, round(found.lower, 2), found.upper) == (1.0, 0.21, 1.0)  # Wilson's for 1 of 1
    assert estimates.share(Draws(chances), last, last).half_width == 0.0


def test_a_proportion_among_no_image_is_unknown() -> None:
    assert np.isnan(estimates.proportion(Draws(np.full(2, 0.5)), np.zeros(2), np.zeros(2)).point)
