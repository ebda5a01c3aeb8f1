"""Intervals that cover what they should, and say nothing where there is nothing."""

import math

import numpy as np
import pytest

from mlmodels.core.evaluation import intervals
from mlmodels.core.evaluation.ranking import macro_average_precision


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(0).standard_normal(400)
    interval = intervals.of_mean(values, seed=0)

    assert interval.half_width == pytest.approx(1.96 * values.std() / 20, rel=0.1)
    assert interval.point == pytest.approx(values.mean())


def test_an_interval_is_the_same_for_the_same_seed() -> None:
    values = np.random.default_rng(0).random(50)

    assert intervals.of_mean(values, seed=1) == intervals.of_mean(values, seed=1)
    assert intervals.of_mean(values, seed=1) != intervals.of_mean(values, seed=2)


def test_the_interval_of_average_precision_holds_its_point() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random((200, 5)) < 0.3).astype(np.int8)
    scores = truth + rng.standard_normal(truth.shape)

    interval = intervals.of_macro_average_precision(truth, scores, seed=0)

    assert interval.point == pytest.approx(macro_average_precision(truth, scores), abs=1e-6)
    assert interval.lower < interval.point < interval.upper


def test_the_bootstrap_of_any_figure_agrees_with_that_of_the_mean() -> None:
    values = np.random.default_rng(0).random(200)
    interval = intervals.of_any(lambda rows: float(values[rows].mean()), 200, seed=0, resamples=1000)

    assert interval.half_width == pytest.approx(intervals.of_mean(values, seed=0).half_width, rel=0.15)


def test_no_images_have_no_interval() -> None:
    nothing = np.zeros((0, 2), dtype=np.int8)

    for interval in (
        intervals.of_mean(np.zeros(0), seed=0),
        intervals.of_macro_average_precision(nothing, nothing.astype(float), seed=0),
        intervals.of_any(lambda rows: 1.0, 0, seed=0),
        intervals.summarise(0.5, np.array([np.nan])),
    ):
        assert math.isnan(interval.lower)
        assert math.isnan(interval.upper)
