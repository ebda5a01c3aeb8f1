"""Alpha against a published example, the field's library and what it must be; intervals that hold the truth."""

import itertools

import krippendorff
import numpy as np
import pytest

from mlmodels.core.errors import TrainingDataError
from mlmodels.core.evaluation import agreement
from mlmodels.core.evaluation.agreement import Cells
from mlmodels.core.evaluation.intervals import Interval

# How many of two people said yes, and of up to five.
PAIR = Cells(np.array([0, 1, 2]), np.array([2, 2, 2]))
KINDS = [(yes, values) for values in range(2, 6) for yes in range(values + 1)]
ANY = Cells(*np.array(KINDS).T)


def counted(answers):
    """Counts by kind of answers [people, images], NaN where somebody was not asked."""
    values = np.isfinite(answers).sum(axis=0)
    yes = np.nansum(answers, axis=0).astype(int)
    pairs = list(zip(yes.tolist(), values.tolist(), strict=True))
    return np.array([pairs.count(kind) for kind in KINDS])


def test_the_published_example_of_two_observers_and_ten_units():
    """Krippendorff 2011, "Computing Krippendorff's alpha-reliability", part A."""
    answers = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], dtype=float)
    assert agreement.alpha(counted(answers), ANY) == pytest.approx(0.095, abs=5e-4)


@pytest.mark.parametrize("seed", range(20))
def test_the_library_of_the_field_says_the_same(seed):
    rng = np.random.default_rng(seed)
    truth = rng.random(60) < rng.uniform(0.05, 0.9)
    answers = np.where(rng.random((5, 60)) < rng.uniform(0, 0.4), ~truth, truth).astype(float)
    answers[rng.random(answers.shape) < rng.uniform(0, 0.7)] = np.nan
    expected = krippendorff.alpha(reliability_data=answers, level_of_measurement="nominal")
    assert agreement.alpha(counted(answers), ANY) == pytest.approx(expected)


def test_yes_and_no_are_alike():
    counts = np.random.default_rng(1).integers(0, 9, (50, len(KINDS)))
    turned = [KINDS.index((values - yes, values)) for yes, values in KINDS]
    assert agreement.alpha(counts[:, turned], ANY) == pytest.approx(agreement.alpha(counts, ANY))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([5, 0, 3], 1.0),
        ([0, 9, 0], -17 * 9 / 81 + 1),
        ([0, 1, 0], 0.0),
        ([8, 0, 0], np.nan),
        ([0, 0, 8], np.nan),
        ([0, 0, 0], np.nan),
    ],
    ids=["all alike", "none alike", "one image", "nobody says yes", "everybody does", "no image"],
)
def test_where_alpha_is_one_below_zero_or_nothing(counts, expected):
    found = agreement.alpha(np.array(counts), PAIR)
    assert found == pytest.approx(expected, nan_ok=True)
    interval = agreement.intervals(np.array([counts]), PAIR, seed=0)[0]
    assert np.isnan(interval.lower) == np.isnan(expected)


def test_kinds_that_no_image_can_be_of_are_refused():
    for yes, values in (([1], [1]), ([3], [2]), ([-1], [2]), ([0, 1], [2])):
        with pytest.raises(TrainingDataError):
            Cells(np.array(yes), np.array(values))


def test_an_interval_hangs_on_a_tags_own_counts_and_the_seed_alone():
    counts = np.array([[40, 6, 9], [90, 3, 12], [5, 1, 1]])
    together = agreement.intervals(counts, PAIR, seed=3)
    assert together == agreement.intervals(counts, PAIR, seed=3)
    assert together[1:] == agreement.intervals(counts[1:], PAIR, seed=3)
    assert together != agreement.intervals(counts, PAIR, seed=4)


def test_few_images_without_a_difference_are_no_proof():
    few, many = agreement.intervals(np.array([[20, 0, 5], [2000, 0, 500]]), PAIR, seed=0)
    assert few.point == many.point == 1.0
    assert few.lower < 0.85 < 0.99 < many.lower


def simulated(rng, images, share, reliability):
    """Pairs of answers to one tag whose alpha, were there all images of the world, is `reliability`."""
    differ = 2 * share * (1 - share) * (1 - reliability)
    return rng.multinomial(images, [1 - share - differ / 2, differ, share - differ / 2])


@pytest.mark.parametrize("images", [30, 100, 1000])
def test_intervals_hold_the_truth_about_as_often_as_they_say(images):
    rng = np.random.default_rng(images)
    held, made = 0, 0
    for share, reliability in itertools.product((0.05, 0.15, 0.4), (0.5, 0.75, 0.95)):
        counts = np.array([simulated(rng, images, share, reliability) for _ in range(60)])
        for interval in agreement.intervals(counts, PAIR, seed=1, resamples=400):
            if not np.isnan(interval.point):
                held += interval.lower <= reliability <= interval.upper
                made += 1
    assert 0.92 <= held / made <= 0.99


# -- all tags together


def in_groups(rng, counts, groups=64):
    """Counts [K, G, J] of images that fall into groups by chance, each tag by itself."""
    return (
        np.stack([rng.multinomial(images, np.full(groups, 1 / groups)) for images in counts.reshape(-1)])
        .reshape(*counts.shape, groups)
        .swapaxes(1, 2)
    )


def test_over_tags_chance_is_worked_out_tag_by_tag():
    """A frequent and a rare tag, both guessed: thrown together they would look reliable."""
    guessed = np.array([[1, 18, 81], [81, 18, 1]])
    thrown_together = agreement.alpha(guessed.sum(axis=0), PAIR)
    overall = agreement.overall(guessed[:, None, :], PAIR, seed=0).point
    assert thrown_together > 0.6
    assert abs(overall) < 0.02


def test_over_one_tag_it_is_that_tags_figure_and_tags_without_yes_add_nothing():
    counts = np.array([[40, 6, 9], [55, 0, 0], [0, 0, 0]])
    overall = agreement.overall(counts[:, None, :], PAIR, seed=0)
    assert overall.point == pytest.approx(agreement.alpha(counts[0], PAIR))
    assert np.isnan(agreement.overall(counts[1:, None, :], PAIR, seed=0).point)
    assert np.isnan(agreement.overall(counts[:0, None, :], PAIR, seed=0).point)


def test_the_interval_over_tags_knows_that_an_image_has_all_of_them():
    """Ten tags that always come together say no more than one of them."""
    rng = np.random.default_rng(5)
    one = in_groups(rng, np.array([[400, 40, 60]]))
    apart = in_groups(rng, np.repeat([[400, 40, 60]], 10, axis=0))
    alone = agreement.overall(one, PAIR, seed=0)
    together = agreement.overall(np.repeat(one, 10, axis=0), PAIR, seed=0)
    assert together.half_width == pytest.approx(alone.half_width, rel=0.15)
    assert agreement.overall(apart, PAIR, seed=0).half_width < alone.half_width / 2


def test_the_interval_over_tags_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(200):
        counts = np.stack([simulated(rng, 300, share, 0.7) for share in (0.05, 0.1, 0.2, 0.4)])
        found = agreement.overall(in_groups(rng, counts), PAIR, seed=1, resamples=400)
        held += found.lower <= 0.7 <= found.upper
    assert 180 <= held <= 198


def sure(point):
    return Interval(point, point - 0.01, point + 0.01)


def test_readings_are_the_customary_ones_and_none_is_given_from_too_few_images():
    points = (1.0, 0.8, 0.799, 0.667, 0.66, -0.2)
    found = [agreement.reading(sure(point), rare=10) for point in points]
    assert found == ["reliable"] * 2 + ["tentative"] * 2 + ["unreliable"] * 2
    assert {agreement.reading(sure(point), rare=9) for point in points} == {""}
    assert agreement.reading(sure(np.nan), rare=50) == ""


def test_a_figure_that_may_well_be_unreliable_is_not_called_reliable():
    assert agreement.reading(Interval(0.9, 0.66, 0.99), rare=50) == "tentative"
    assert agreement.reading(Interval(0.5, 0.2, 0.99), rare=50) == "unreliable"
