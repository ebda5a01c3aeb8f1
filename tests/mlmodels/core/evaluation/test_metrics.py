"""Every figure of a report against scikit-learn or a person counting by hand, and what must not change it."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    hamming_loss,
    precision_score,
    recall_score,
)

from mlmodels.core.evaluation import effort, figures, metrics
from mlmodels.core.evaluation.metrics import Report

RNG = np.random.default_rng(0)
TRUTH = (RNG.random((80, 6)) < 0.3).astype(np.int8)
PROBABILITIES = RNG.random((80, 6))
THRESHOLDS = np.full(6, 0.5)
OFFERED = PROBABILITIES >= 0.5
WEIGHTS = RNG.random(80) + 0.1
COUNTS = ("images", "macro_tags", "tag_support")


def ranked(truth: NDArray[np.int8], probabilities: NDArray[np.float64], row: int) -> list[int]:
    """The verdicts of one image's known tags, best score first."""
    known = [tag for tag in range(truth.shape[1]) if truth[row, tag] >= 0]
    return [int(truth[row, tag]) for tag in sorted(known, key=lambda tag: -probabilities[row, tag])]


def keys_of_a_person(truth: NDArray[np.int8], probabilities: NDArray[np.float64], row: int) -> int:
    """Six tags have six chips: one key to accept, one a chip that is wrong."""
    return 1 + sum((probabilities[row, tag] >= 0.5) != truth[row, tag] for tag in range(6))


def calibration_by_scikit_learn(weights: NDArray[np.float64] | None) -> float:
    """The curve is scikit-learn's; it takes no weights, so pairs are repeated for them."""
    used = PROBABILITIES >= figures.CALIBRATION_FLOOR
    times = np.ones(used.sum(), int) if weights is None else np.repeat(weights, used.sum(axis=1)).astype(int)
    truth, probability = np.repeat(TRUTH[used], times), np.repeat(PROBABILITIES[used], times)
    came_true, said = calibration_curve(truth, probability, n_bins=10)
    pairs = np.histogram(probability, np.linspace(0, 1, 11))[0]
    return float((np.abs(came_true - said) * pairs[pairs > 0]).sum() / pairs.sum())


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_a_report_equals_scikit_learn(weights: NDArray[np.float64] | None) -> None:
    report = metrics.report(TRUTH, PROBABILITIES, THRESHOLDS, weights)
    weighed = {"sample_weight": weights}
    expected = {
        "micro_precision": precision_score(TRUTH, OFFERED, average="micro", **weighed),
        "micro_recall": recall_score(TRUTH, OFFERED, average="micro", **weighed),
        "micro_f1": f1_score(TRUTH, OFFERED, average="micro", **weighed),
        "macro_f1": f1_score(TRUTH, OFFERED, average="macro", **weighed),
        "macro_average_precision": average_precision_score(TRUTH, PROBABILITIES, average="macro", **weighed),
        "subset_accuracy": accuracy_score(TRUTH, OFFERED, **weighed),
        "corrections": 6 * hamming_loss(TRUTH, OFFERED, **weighed),
        "empty_form_corrections": np.average(TRUTH.sum(axis=1), weights=weights),
        "empty_form_keystrokes": 1 + 4 * np.average(TRUTH.sum(axis=1), weights=weights),
    }
    per_tag = {
        "tag_f1": f1_score(TRUTH, OFFERED, average=None, **weighed),
        "tag_average_precision": average_precision_score(TRUTH, PROBABILITIES, average=None, **weighed),
        "tag_support": TRUTH.sum(axis=0),
    }

    for name, value in expected.items():
        assert getattr(report, name) == pytest.approx(value, rel=1e-5), name
    for name, values in per_tag.items():
        assert getattr(report, name) == pytest.approx(tuple(values), rel=1e-5), name
    assert (report.images, report.macro_tags) == (80, 6)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_ranked_lists_and_keystrokes_equal_a_person_counting(weights: NDArray[np.float64] | None) -> None:
    report = metrics.report(TRUTH, PROBABILITIES, THRESHOLDS, weights)
    lists = [ranked(TRUTH, PROBABILITIES, row) for row in range(80)]
    some = [row for row in range(80) if sum(lists[row])]
    assert len(some) < 80, "an image without a yes has no recall"

    def mean(rows: list[int], value: Callable[[int], float]) -> float:
        return float(
            np.average([value(row) for row in rows], weights=None if weights is None else weights[rows])
        )

    every = list(range(80))
    assert report.precision_at_3 == pytest.approx(mean(every, lambda row: sum(lists[row][:3]) / 3))
    assert report.recall_at_5 == pytest.approx(mean(some, lambda row: sum(lists[row][:5]) / sum(lists[row])))
    keys = mean(every, lambda row: keys_of_a_person(TRUTH, PROBABILITIES, row))
    assert report.keystrokes == pytest.approx(keys)


@pytest.mark.parametrize("weights", [None, RNG.integers(1, 4, size=80)], ids=["plain", "weighted"])
def test_calibration_error_equals_scikit_learns_curve(weights: NDArray[np.int64] | None) -> None:
    found = metrics.calibration_error(TRUTH, PROBABILITIES, weights=weights)
    assert found == pytest.approx(calibration_by_scikit_learn(weights))


def test_calibration_error_by_hand() -> None:
    truth = np.array([[1, 0, 1, 0, 1]], dtype=np.int8)
    probabilities = np.array([[0.85, 0.85, 0.25, 0.25, 0.05]])

    assert metrics.calibration_error(truth, probabilities) == pytest.approx((0.35 + 0.25) / 2)
    # A score of 1 belongs to the last step.
    assert metrics.calibration_error(np.array([[0, 1]], dtype=np.int8), np.ones((1, 2))) == pytest.approx(0.5)


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
    dear = effort.keystrokes(truth, probabilities, np.full(4, 0.5), chips=3, keys_per_typed_tag=6.5)
    assert dear.tolist() == [9.5, 1.0]


def test_beyond_twenty_chips_a_tag_is_typed() -> None:
    truth = np.zeros((1, 25), dtype=np.int8)
    truth[0, [19, 20]] = 1
    falling = np.linspace(0.4, 0.1, 25)[None]

    assert effort.keystrokes(truth, falling, np.full(25, 0.5)).tolist() == [1 + 1 + 4]
    level = np.full((1, 25), 0.2)
    assert effort.keystrokes(truth, level, np.full(25, 0.5)).tolist() == [1 + 1 + 4], "ties by position"


def as_dict(report: Report) -> dict[str, object]:
    return {name: value for name, value in vars(report).items() if name not in COUNTS}


def same(one: Report, other: Report) -> bool:
    return all(
        np.allclose(value, as_dict(other)[name], equal_nan=True, rtol=1e-5)  # type: ignore[arg-type]
        for name, value in as_dict(one).items()
    )


def test_the_order_of_images_and_tags_does_not_matter() -> None:
    masked = np.where(RNG.random(TRUTH.shape) < 0.2, -1, TRUTH).astype(np.int8)
    images, tags = RNG.permutation(80), RNG.permutation(6)
    plain = metrics.report(masked, PROBABILITIES, THRESHOLDS, WEIGHTS)
    mixed = metrics.report(
        masked[images][:, tags], PROBABILITIES[images][:, tags], THRESHOLDS, WEIGHTS[images]
    )

    for name, value in as_dict(plain).items():
        back = np.argsort(tags) if name.startswith("tag_") else slice(None)
        found = np.asarray(getattr(mixed, name))
        assert np.allclose(found[back] if found.ndim else found, value, rtol=1e-5), name


def test_an_image_of_weight_three_counts_as_three_images() -> None:
    weights = RNG.integers(1, 4, size=80)
    rows = np.repeat(np.arange(80), weights)
    weighted = metrics.report(TRUTH, PROBABILITIES, THRESHOLDS, weights)

    assert same(weighted, metrics.report(TRUTH[rows], PROBABILITIES[rows], THRESHOLDS))
    assert same(weighted, metrics.report(TRUTH, PROBABILITIES, THRESHOLDS, 7.0 * weights))
    assert not same(weighted, metrics.report(TRUTH, PROBABILITIES, THRESHOLDS))


def test_masked_pairs_take_part_in_nothing() -> None:
    masked = TRUTH.copy()
    masked[:, 4] = -1
    masked[:7] = -1
    opposite = np.where(masked < 0, 1 - PROBABILITIES, PROBABILITIES)
    report = metrics.report(masked, PROBABILITIES, THRESHOLDS)
    kept = np.ix_(range(7, 80), [0, 1, 2, 3, 5])

    assert same(report, metrics.report(masked, opposite, THRESHOLDS))
    without = metrics.report(TRUTH[kept], PROBABILITIES[kept], THRESHOLDS[:5])
    for name in ("micro_f1", "macro_f1", "macro_average_precision", "precision_at_3", "recall_at_5"):
        assert getattr(report, name) == pytest.approx(getattr(without, name)), name
    assert report.calibration_error == pytest.approx(without.calibration_error)
    assert report.subset_accuracy == pytest.approx(without.subset_accuracy)


def test_everything_masked_is_no_figure_rather_than_a_good_one() -> None:
    nothing = np.full((4, 3), -1, dtype=np.int8)
    report = metrics.report(nothing, np.full((4, 3), 0.6), np.full(3, 0.5))

    for name in ("macro_average_precision", "macro_f1", "calibration_error", "subset_accuracy"):
        assert math.isnan(getattr(report, name)), name
    assert math.isnan(report.precision_at_3) and math.isnan(report.recall_at_5)
    assert (report.micro_f1, report.corrections, report.macro_tags) == (0.0, 0.0, 0)


def cases() -> Iterator[tuple[str, NDArray[np.int8], NDArray[np.float64]]]:
    yield "one tag", TRUTH[:, :1], PROBABILITIES[:, :1]
    yield "one image", TRUTH[:1], PROBABILITIES[:1]
    yield "tied scores", TRUTH, np.full(TRUTH.shape, 0.7)


@pytest.mark.parametrize(("_", "truth", "probabilities"), list(cases()), ids=[case[0] for case in cases()])
def test_small_and_tied_evidence_equals_scikit_learn(
    _: str, truth: NDArray[np.int8], probabilities: NDArray[np.float64]
) -> None:
    report = metrics.report(truth, probabilities, np.full(truth.shape[1], 0.5))
    offered, flat = (probabilities >= 0.5).ravel(), truth.ravel()

    assert report.micro_f1 == pytest.approx(f1_score(flat, offered))
    assert report.corrections == pytest.approx((flat != offered).sum() / len(truth))
    expected = [
        average_precision_score(truth[:, tag], probabilities[:, tag]) if truth[:, tag].any() else math.nan
        for tag in range(truth.shape[1])
    ]
    np.testing.assert_allclose(report.tag_average_precision, expected, rtol=1e-5)


def test_without_a_yes_only_false_offers_are_left_to_count() -> None:
    truth = np.zeros((10, 3), dtype=np.int8)
    report = metrics.report(truth, np.full((10, 3), 0.6), np.full(3, 0.5))

    assert (report.micro_precision, report.micro_recall, report.micro_f1) == (0.0, 0.0, 0.0)
    assert math.isnan(report.macro_average_precision) and math.isnan(report.recall_at_5)
    assert (report.corrections, report.keystrokes, report.empty_form_keystrokes) == (3.0, 4.0, 1.0)
    assert report.calibration_error == pytest.approx(0.6)


def test_ratios_of_nothing_are_zero() -> None:
    assert metrics.precision(0, 0) == 0
    assert metrics.recall(0, 0) == 0
    assert figures.f1(np.zeros(1), np.zeros(1), np.zeros(1)).tolist() == [0.0]
