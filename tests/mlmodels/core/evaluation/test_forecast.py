"""Forecasts against curves that are known, and against a least-squares fit of scikit-learn and a search by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from mlmodels.core.errors import TrainingDataError
from mlmodels.core.evaluation.forecast import (
    Curve,
    Forecast,
    Point,
    fit_curve,
    forecast,
    would_help,
)

SIZES = (50, 50, 50, 50, 100, 100, 100, 200, 200, 400)


def points_on(curve: Curve, *, scatter: float = 0.0, seed: int = 0) -> list[Point]:
    rng = np.random.default_rng(seed)
    return [
        Point(size, float(np.clip(curve.at(size) + scatter * rng.standard_normal(), 0, 1))) for size in SIZES
    ]


@pytest.mark.parametrize("curve", [Curve(0.8, 1.5, 0.5), Curve(0.7, 0.6, 0.3), Curve(0.95, 2.0, 0.8)])
def test_points_on_a_power_law_foretell_what_it_says(curve: Curve) -> None:
    [later] = forecast(points_on(curve), now=400, then=[800], seed=0)

    assert later.value == pytest.approx(curve.at(800), abs=0.012)
    assert later.now == pytest.approx(curve.at(400), abs=0.006)
    assert later.lower <= curve.at(800) <= later.upper


@pytest.mark.parametrize("exponent", [0.1, 0.5, 1.0])
def test_a_given_exponent_leaves_a_weighted_line_as_scikit_learn_fits_it(exponent: float) -> None:
    points = points_on(Curve(0.8, 1.0, 0.4), scatter=0.01)
    images = np.array([point.images for point in points], dtype=float)
    line = LinearRegression().fit(
        (images**-exponent)[:, None], [point.value for point in points], sample_weight=images
    )

    fitted = fit_curve(points, exponent=exponent)

    if line.intercept_ <= 1.0:
        assert fitted.limit == pytest.approx(line.intercept_)
        assert fitted.scale == pytest.approx(-line.coef_[0])
    else:
        assert fitted.limit == 1.0


def test_what_falls_is_taken_as_level_and_nothing_passes_one() -> None:
    falling = fit_curve([Point(size, 0.6 - size / 4000) for size in SIZES])
    steep = fit_curve([Point(size, min(1.0, 0.3 + 0.11 * np.log2(size / 20))) for size in SIZES])

    assert falling.scale == 0.0
    assert steep.limit <= 1.0
    assert steep.at(1e12) <= 1.0


def test_nine_of_ten_truths_lie_within_the_bounds() -> None:
    curve, within = Curve(0.75, 1.2, 0.4), 0
    for seed in range(100):
        [later] = forecast(points_on(curve, scatter=0.015, seed=seed), now=400, then=[800], seed=seed)
        seen = curve.at(800) + 0.015 * np.random.default_rng([seed, 2]).standard_normal()
        within += later.lower <= seen <= later.upper

    assert 82 <= within <= 99


def test_more_scatter_makes_wider_bounds() -> None:
    curve = Curve(0.8, 1.0, 0.5)
    widths = []
    for scatter in (0.0, 0.02, 0.05):
        [later] = forecast(points_on(curve, scatter=scatter), now=400, then=[800], seed=0)
        widths.append(later.upper - later.lower)

    assert widths == sorted(widths)
    assert widths[0] < widths[2] / 2


def test_two_numbers_of_images_are_too_few_to_say_anything() -> None:
    assert forecast([Point(50, 0.5), Point(100, 0.6)], now=100, then=[200], seed=0) == []
    with pytest.raises(TrainingDataError, match="numbers of images"):
        fit_curve([Point(50, 0.5), Point(50, 0.6)])


def test_a_value_that_is_no_share_is_refused() -> None:
    with pytest.raises(TrainingDataError, match="values"):
        fit_curve([Point(50, 0.5), Point(100, float("nan"))])


def test_the_same_seed_gives_the_same_bounds_whatever_the_order_of_points() -> None:
    points = points_on(Curve(0.8, 1.0, 0.5), scatter=0.01)

    once, again = (forecast(points, now=400, then=[500, 800], seed=3) for _ in range(2))

    assert once == again


@pytest.mark.parametrize(
    ("gain", "lower", "upper", "expected"),
    [(0.04, 0.01, 0.07, True), (0.002, 0.0, 0.008, False), (0.03, 0.0, 0.09, None), (0.004, 0.0, 0.05, None)],
    ids=["sure to gain", "learnt", "too unsure", "hardly, but unsure"],
)
def test_a_tag_would_gain_is_learnt_or_cannot_be_told(
    gain: float, lower: float, upper: float, expected: bool | None
) -> None:
    doubled = Forecast(200, 0.6, 0.6 + gain, 0.0, 1.0, gain_lower=lower, gain_upper=upper)

    assert would_help(doubled) is expected
