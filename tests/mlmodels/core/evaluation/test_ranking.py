"""Average precision against scikit-learn; ranked lists against hand-computed cases."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from mlmodels.core.evaluation.ranking import (
    AveragePrecision,
    average_precision,
    evaluated_tags,
    macro_average_precision,
    precisions_at,
    recalls_at,
)

RNG = np.random.default_rng(0)
TRUTH = (RNG.random((60, 5)) < 0.3).astype(np.int8)
SCORES = RNG.random((60, 5))


def reference(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> list[float]:
    values = []
    for column in range(truth.shape[1]):
        known = truth[:, column] >= 0
        values.append(
            average_precision_score(truth[known, column], scores[known, column], sample_weight=weights[known])
        )
    return values


@pytest.mark.parametrize("decimals", [1, 9], ids=["tied", "distinct"])
def test_average_precision_equals_scikit_learn(decimals: int) -> None:
    scores = SCORES.round(decimals)
    weights = RNG.integers(1, 5, size=60).astype(float)
    masked = TRUTH.copy()
    masked[::7] = -1

    for truth in (TRUTH, masked):
        for w in (np.ones(60), weights):
            np.testing.assert_allclose(
                average_precision(truth, scores, w), reference(truth, scores, w), rtol=1e-6
            )


def test_counts_of_a_resample_equal_the_resample_itself() -> None:
    rows = RNG.integers(0, 60, size=60)
    counts = np.bincount(rows, minlength=60).astype(float)

    counted = AveragePrecision(TRUTH, SCORES.round(1)).per_tag(np.stack([counts, np.ones(60)], axis=1))

    np.testing.assert_allclose(
        counted[:, 0], average_precision(TRUTH[rows], SCORES[rows].round(1)), rtol=1e-5
    )


def test_order_of_images_does_not_matter() -> None:
    order = RNG.permutation(60)

    np.testing.assert_allclose(
        average_precision(TRUTH[order], SCORES[order]), average_precision(TRUTH, SCORES), rtol=1e-6
    )


def test_a_tag_without_yes_has_no_average_precision() -> None:
    truth = np.array([[0, -1], [0, -1]], dtype=np.int8)

    assert np.isnan(average_precision(truth, np.zeros((2, 2)))).all()
    assert np.isnan(macro_average_precision(truth, np.zeros((2, 2))))


def test_macro_counts_only_tags_with_enough_yes() -> None:
    truth = np.zeros((10, 2), dtype=np.int8)
    truth[:5, 0], truth[:4, 1] = 1, 1

    assert evaluated_tags(truth).tolist() == [True, False]
    assert macro_average_precision(truth, np.stack([truth[:, 0], -truth[:, 1]], axis=1)) == 1.0


def test_ranked_lists_by_hand() -> None:
    truth = np.array([[1, 0, 1, 0], [0, 0, -1, 1], [0, 0, 0, 0]], dtype=np.int8)
    scores = np.array([[0.9, 0.8, 0.7, 0.1], [0.4, 0.3, 0.9, 0.2], [0.4, 0.3, 0.2, 0.1]])

    assert precisions_at(truth, scores, 3).tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    assert recalls_at(truth, scores, 2)[:2].tolist() == [1 / 2, 0]
    assert np.isnan(recalls_at(truth, scores, 2)[2]), "there is no yes to find"
    assert precisions_at(truth, scores, 9).tolist() == pytest.approx([2 / 4, 1 / 3, 0])


def test_nothing_known_has_no_rank() -> None:
    nothing = np.full((2, 3), -1, dtype=np.int8)

    assert np.isnan(precisions_at(nothing, np.zeros((2, 3)), 3)).all()
    assert np.isnan(recalls_at(nothing, np.zeros((2, 3)), 3)).all()
