"""What stored scores say in detail, against cases worked out by hand; and what is said where none are stored."""

from dataclasses import replace

import numpy as np
import pytest

from mlmodels.services import evaluation_detail
from mlmodels.services.evaluation_detail import Error, Judged, Pair


@pytest.fixture
def judged():
    """Four images, three tags; one pair is unknown."""
    return Judged(
        image_ids=np.array([11, 12, 13, 14]),
        tag_ids=np.array([1, 2, 3]),
        truth=np.array([[1, 1, 0], [1, 0, 0], [0, 1, -1], [1, 1, 0]], dtype=np.int8),
        scores=np.array([[0.9, 0.8, 0.1], [0.2, 0.95, 0.3], [0.6, 0.05, 0.99], [0.7, 0.75, 1.0]]),
        thresholds=np.array([0.5, 0.5, 0.5]),
        weights=np.ones(4),
    )


def test_the_worst_errors_come_first_and_the_unknown_is_none(judged):
    assert evaluation_detail.highest_no(judged, 2) == [Error(14, 3, 1.0), Error(12, 2, 0.95)]
    assert evaluation_detail.lowest_yes(judged, 2) == [Error(13, 2, 0.05), Error(12, 1, 0.2)]


def test_what_the_threshold_gets_right_is_no_error(judged):
    assert evaluation_detail.highest_no(judged, 9) == [
        Error(14, 3, 1.0),
        Error(12, 2, 0.95),
        Error(13, 1, 0.6),
    ]
    assert evaluation_detail.lowest_yes(judged, 9) == [Error(13, 2, 0.05), Error(12, 1, 0.2)]
    strict = replace(judged, thresholds=np.array([0.65, 0.5, 0.5]))
    assert Error(13, 1, 0.6) not in evaluation_detail.highest_no(strict, 9)


def test_a_histogram_counts_every_known_pair_once(judged):
    steps = evaluation_detail.histogram(judged)
    assert [(step.low, step.high) for step in steps][:2] == [(0.0, 0.1), (0.1, 0.2)]
    assert (sum(step.yes for step in steps), sum(step.no for step in steps)) == (6, 5)
    assert (steps[-1].yes, steps[-1].no) == (1, 2)


def test_pairs_count_what_people_said_and_what_the_model_would(judged):
    assert evaluation_detail.pairs(judged, 10) == [
        Pair((1, 2), said=2, predicted=2),
        Pair((1, 3), said=0, predicted=1),
        Pair((2, 3), said=0, predicted=1),
    ]


def test_the_curves_of_a_tag_are_of_its_column_alone(judged):
    one = judged.of_tag(2)
    assert one.tag_ids.tolist() == [2]
    points = evaluation_detail.draw_curves(one)["precision_recall"]
    assert (points[0]["threshold"], points[0]["precision"]) == (0.95, 0.0)
    assert (points[-1]["threshold"], points[-1]["precision"], points[-1]["recall"]) == (0.05, 0.75, 1.0)


def test_a_tag_that_was_not_judged_has_nothing(judged):
    one = judged.of_tag(9)
    assert evaluation_detail.histogram(one) == [] and evaluation_detail.highest_no(one, 5) == []
    assert evaluation_detail.pairs(one, 5) == []
