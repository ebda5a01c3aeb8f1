"""Offers and probabilities against scikit-learn and hand-computed cases."""

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from mlmodels.core.evaluation import effort, metrics

RNG = np.random.default_rng(0)
TRUTH = (RNG.random((80, 6)) < 0.3).astype(np.int8)
PROBABILITIES = RNG.random((80, 6))
THRESHOLDS = np.full(6, 0.5)
OFFERED = PROBABILITIES >= 0.5


def test_a_report_equals_scikit_learn() -> None:
    report = metrics.report(TRUTH, PROBABILITIES, THRESHOLDS)

    assert report.micro_precision == pytest.approx(precision_score(TRUTH, OFFERED, average="micro"))
    assert report.micro_recall == pytest.approx(recall_score(TRUTH, OFFERED, average="micro"))
    assert report.micro_f1 == pytest.approx(f1_score(TRUTH, OFFERED, average="micro"))
    assert report.macro_f1 == pytest.approx(f1_score(TRUTH, OFFERED, average="macro"))
    assert report.tag_f1 == pytest.approx(f1_score(TRUTH, OFFERED, average=None))
    assert report.subset_accuracy == pytest.approx(accuracy_score(TRUTH, OFFERED))
    assert report.tag_support == tuple(TRUTH.sum(axis=0))


def test_weights_equal_scikit_learn() -> None:
    weights = RNG.random(80) + 0.1
    report = metrics.report(TRUTH, PROBABILITIES, THRESHOLDS, weights)

    assert report.micro_f1 == pytest.approx(f1_score(TRUTH, OFFERED, average="micro", sample_weight=weights))
    assert report.corrections == pytest.approx(np.average((TRUTH != OFFERED).sum(axis=1), weights=weights))


def test_masked_pairs_take_part_in_nothing() -> None:
    masked = TRUTH.copy()
    masked[RNG.random(TRUTH.shape) < 0.3] = -1
    opposite = np.where(masked < 0, 1 - PROBABILITIES, PROBABILITIES)

    for figure in (metrics.calibration_error, lambda t, p: metrics.count(t, p >= 0.5).hits.sum()):
        assert figure(masked, PROBABILITIES) == pytest.approx(figure(masked, opposite))
    assert (
        effort.corrections(masked, OFFERED).tolist() == effort.corrections(masked, opposite >= 0.5).tolist()
    )


def test_everything_masked_is_no_figure_rather_than_a_good_one() -> None:
    nothing = np.full((4, 3), -1, dtype=np.int8)
    report = metrics.report(nothing, np.full((4, 3), 0.6), np.full(3, 0.5))

    assert math.isnan(report.macro_average_precision)
    assert math.isnan(report.macro_f1)
    assert math.isnan(report.calibration_error)
    assert (report.micro_f1, report.corrections, report.macro_tags) == (0.0, 0.0, 0)


def test_calibration_error_by_hand() -> None:
    truth = np.array([[1, 0, 1, 0, 1]], dtype=np.int8)
    probabilities = np.array([[0.85, 0.85, 0.25, 0.25, 0.05]])

    assert metrics.calibration_error(truth, probabilities) == pytest.approx((0.35 + 0.25) / 2)


def test_calibrated_probabilities_have_little_error() -> None:
    probabilities = RNG.random((3000, 4))
    truth = (RNG.random((3000, 4)) < probabilities).astype(np.int8)

    assert metrics.calibration_error(truth, probabilities) < 0.02
    assert metrics.calibration_error(truth, probabilities**2) > 0.1


def test_corrections_and_keystrokes_by_hand() -> None:
    truth = np.array([[1, 0, 1, 1], [0, 0, 0, 0]], dtype=np.int8)
    probabilities = np.array([[0.9, 0.8, 0.3, 0.1], [0.2, 0.1, 0.0, 0.0]])
    offered = probabilities >= 0.5

    assert effort.corrections(truth, offered).tolist() == [3.0, 0.0]
    # Three chips: two selected (one wrongly), one to switch on; the fourth tag has to be typed.
    assert effort.keystrokes(truth, probabilities, np.full(4, 0.5), chips=3).tolist() == [7.0, 1.0]
    assert effort.keystrokes(truth, probabilities, np.full(4, 0.5)).tolist() == [4.0, 1.0]


def test_an_empty_form_costs_every_yes() -> None:
    report = metrics.report(TRUTH, PROBABILITIES, THRESHOLDS)

    assert report.empty_form_corrections == pytest.approx(TRUTH.sum(axis=1).mean())
    assert report.empty_form_keystrokes == pytest.approx(1 + 4 * TRUTH.sum(axis=1).mean())


def test_ratios_of_nothing_are_zero() -> None:
    assert metrics.precision(0, 0) == 0
    assert metrics.recall(0, 0) == 0
    assert metrics.f1(np.zeros(1), np.zeros(1), np.zeros(1)).tolist() == [0.0]
