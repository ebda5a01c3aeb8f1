"""Intervals that cover what they should, equal a bootstrap done by hand, and say nothing where there is nothing."""

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from mlmodels.core.evaluation import intervals, metrics

RNG = np.random.default_rng(0)
TRUTH = (RNG.random((60, 7)) < 0.3).astype(np.int8)
PROBABILITIES = np.clip(0.3 * TRUTH + 0.7 * RNG.random(TRUTH.shape), 0, 1)
THRESHOLDS = np.full(7, 0.5)


def test_an_interval_is_as_wide_as_theory_says() -> None:
    truth = (np.random.default_rng(0).random((400, 1)) < 0.3).astype(np.int8)
    nothing = np.zeros(truth.shape)
    interval = intervals.of_report(truth, nothing, np.ones(1), seed=0).overall["corrections"]

    assert interval.half_width == pytest.approx(1.96 * truth.std() / 20, rel=0.1)
    assert interval.point == pytest.approx(truth.mean())


def test_an_interval_is_the_same_for_the_same_seed() -> None:
    one, again, other = (
        intervals.of_report(TRUTH, PROBABILITIES, THRESHOLDS, seed=seed).overall["micro_f1"]
        for seed in (1, 1, 2)
    )

    assert one == again
    assert one != other


def test_every_figure_of_a_report_has_an_interval_around_its_point() -> None:
    weights = RNG.random(60) + 0.5
    report = metrics.report(TRUTH, PROBABILITIES, THRESHOLDS, weights)
    found = intervals.of_report(TRUTH, PROBABILITIES, THRESHOLDS, weights, seed=0)
    expected = {name for name in vars(report) if not name.startswith("tag_")} - {"images", "macro_tags"}

    assert set(found.overall) == expected
    for name, interval in found.overall.items():
        assert interval.point == pytest.approx(getattr(report, name)), name
        # A resample is less calibrated than the images it comes from: the bootstrap of that error lies higher.
        assert interval.lower < interval.point < interval.upper or name == "calibration_error", name
    assert tuple(one.point for one in found.tag_f1) == pytest.approx(report.tag_f1)
    assert tuple(one.point for one in found.tag_average_precision) == pytest.approx(
        report.tag_average_precision
    )


def test_the_bootstrap_equals_one_that_copies_the_images() -> None:
    found = intervals.of_report(TRUTH, PROBABILITIES, THRESHOLDS, seed=3)
    counts = intervals.resample_counts(60, seed=3, resamples=intervals.RESAMPLES_SHOWN[1])
    copies = [np.repeat(np.arange(60), times.astype(int)) for times in counts.T]

    def bounds(values: list[float]) -> list[float]:
        return np.quantile(values, [0.025, 0.975]).tolist()

    offered = PROBABILITIES >= 0.5
    f1 = bounds([f1_score(TRUTH[rows], offered[rows], average="micro") for rows in copies])
    assert [found.overall["micro_f1"].lower, found.overall["micro_f1"].upper] == pytest.approx(f1, rel=1e-5)
    ranked = bounds(
        [average_precision_score(TRUTH[rows], PROBABILITIES[rows], average="macro") for rows in copies]
    )
    interval = found.overall["macro_average_precision"]
    assert [interval.lower, interval.upper] == pytest.approx(ranked, rel=1e-5)
    wrong = bounds([float((TRUTH[rows] != offered[rows]).sum(axis=1).mean()) for rows in copies])
    interval = found.overall["corrections"]
    assert [interval.lower, interval.upper] == pytest.approx(wrong, rel=1e-5)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        truth = (rng.random((80, 3)) < 0.4).astype(np.int8)
        offered = np.where(rng.random(truth.shape) < 0.2, 1 - truth, truth)
        interval = intervals.of_report(truth, offered.astype(float), np.full(3, 0.5), seed=seed).overall
        covered += interval["corrections"].lower <= 3 * 0.2 <= interval["corrections"].upper

    assert 180 <= covered <= 198


def test_very_many_images_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = intervals.of_report(TRUTH, PROBABILITIES, THRESHOLDS, seed=0).overall["keystrokes"]
    monkeypatch.setattr(intervals, "MOST_IMAGES", 20)
    some = intervals.of_report(TRUTH, PROBABILITIES, THRESHOLDS, seed=0).overall["keystrokes"]

    assert some.point == whole.point
    assert some.half_width > 1.2 * whole.half_width


def test_no_images_have_no_interval() -> None:
    nothing = np.zeros((0, 2), dtype=np.int8)

    for interval in (
        *intervals.of_report(nothing, nothing.astype(float), np.full(2, 0.5), seed=0).tag_average_precision,
        intervals.of_report(nothing, nothing.astype(float), np.full(2, 0.5), seed=0).overall["keystrokes"],
        intervals.summarise(0.5, np.array([np.nan])),
    ):
        assert math.isnan(interval.lower)
        assert math.isnan(interval.upper)
