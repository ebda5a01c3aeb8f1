"""Thresholds leave 0.5 only on evidence."""

import numpy as np

from mlmodels.core.learning.calibration import choose_thresholds
from mlmodels.core.learning.splits import assign_folds


def test_few_yes_keep_the_threshold_at_a_half() -> None:
    truth = np.repeat(np.array([[1], [0]], dtype=np.int8), 29, axis=0)

    assert choose_thresholds(np.where(truth == 1, 0.4, 0.1), truth, np.ones(58)).tolist() == [0.5]


def test_a_saving_within_chance_keeps_the_threshold_at_a_half() -> None:
    truth = np.repeat(np.array([[1], [0]], dtype=np.int8), 100, axis=0)
    probabilities = np.where(truth == 1, 0.9, 0.1)
    probabilities[:3] = 0.47

    assert choose_thresholds(probabilities, truth, np.ones(200)).tolist() == [0.5]


def test_unknown_pairs_do_not_count() -> None:
    truth = np.repeat(np.array([[1], [-1]], dtype=np.int8), 60, axis=0)
    truth[40:60] = 0
    probabilities = np.full((120, 1), 0.4)
    probabilities[40:60] = 0.1

    assert choose_thresholds(probabilities, truth, np.ones(120))[0] < 0.4


def test_folds_follow_the_image_and_are_even() -> None:
    ids = list(range(500, 603))
    folds = assign_folds(ids, 5, seed=1)
    back = assign_folds(ids[::-1], 5, seed=1)

    assert folds.tolist() == back[::-1].tolist()
    assert sorted(np.bincount(folds).tolist()) == [20, 20, 21, 21, 21]
    assert folds.tolist() != assign_folds(ids, 5, seed=2).tolist()
