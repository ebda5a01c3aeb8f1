"""Points of the evaluation page's curves, against scikit-learn and by hand."""

import numpy as np
from sklearn.metrics import precision_recall_curve

from mlmodels.services import curves


def test_precision_and_recall_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    scores = np.ceil(rng.permutation(200).reshape(100, 2) / 3) / 67  # three of a kind
    truth = (rng.random((100, 2)) < scores).astype(np.int8)

    weights = rng.choice([1.0, 7.0], size=100)

    points = curves.draw(truth, scores, weights)["precision_recall"]

    precision, recall, thresholds = precision_recall_curve(
        truth.ravel(), scores.ravel(), sample_weight=np.repeat(weights, 2)
    )
    at = {round(float(t), 4): (p, r) for p, r, t in zip(precision, recall, thresholds, strict=False)}
    assert len(points) > 10
    for point in points:
        expected = at[point["threshold"]]
        assert np.allclose((point["precision"], point["recall"]), expected, atol=1e-4)


def test_calibration_is_how_often_a_score_came_true_and_unknown_pairs_do_not_count():
    truth = np.array([[1, 0, -1], [1, 1, -1]], dtype=np.int8)
    scores = np.array([[0.91, 0.11, 0.55], [0.93, 0.13, 0.55]])

    assert curves.draw(truth, scores, np.ones(2))["calibration"] == [
        {"score": 0.12, "came_true": 0.5, "pairs": 2},
        {"score": 0.92, "came_true": 1.0, "pairs": 2},
    ]
    assert curves.draw(truth, scores, np.array([1.0, 3.0]))["calibration"][0] == {
        "score": 0.125,
        "came_true": 0.75,
        "pairs": 2,
    }


def test_nothing_known_draws_nothing():
    empty = curves.draw(np.full((2, 2), -1, dtype=np.int8), np.full((2, 2), 0.5), np.ones(2))
    assert empty == {"calibration": [], "precision_recall": []}
