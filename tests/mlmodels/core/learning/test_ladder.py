"""Fits on fewer images: which, how many, and that what judges is never learnt from."""

import numpy as np
import pytest

from mlmodels.core.learning import ladder
from mlmodels.core.learning.ladder import Judged, Rung
from tests.mlmodels.core.learning.planted import planted, rows_of


@pytest.fixture(scope="module")
def sides():
    training = planted(240, 3)
    aside = np.flatnonzero(np.isin(training.image_ids, ladder.set_aside(training.image_ids, seed=0)))
    judged = Judged(training.inputs.rows(aside), training.truth[aside], training.weights[aside])
    return rows_of(training, np.setdiff1d(np.arange(240), aside)), judged


def test_a_quarter_is_set_aside_whatever_the_order_and_at_most_a_thousand():
    ids = list(range(5, 205))

    chosen = ladder.set_aside(ids, seed=1)

    assert len(chosen) == 50
    assert ladder.set_aside(ids[::-1], seed=1) == chosen
    assert ladder.set_aside(ids, seed=2) != chosen
    assert len(ladder.set_aside(range(10_000), seed=0)) == ladder.MOST_SET_ASIDE


def test_the_rungs_double_and_none_has_fewer_than_ten_images():
    assert sorted({rung.images for rung in ladder.rungs(800)}) == [100, 200, 400, 800]
    assert sorted({rung.images for rung in ladder.rungs(60)}) == [15, 30, 60]
    assert ladder.rungs(9) == []
    assert len(set(ladder.rungs(800))) == len(ladder.rungs(800)) == 10


def test_more_images_judge_better_and_chance_is_beaten(sides):
    training, judged = sides

    few, many = (
        np.nanmean([ladder.climb(training, judged, Rung(images, draw), seed=0) for draw in range(2)])
        for images in (12, 160)
    )

    assert many > few
    assert many > (judged.truth == 1).mean() + 0.2


def test_a_rung_has_the_same_bits_again_and_draws_differ(sides):
    training, judged = sides
    reverse = rows_of(training, np.arange(len(training.image_ids))[::-1])

    once, again = (ladder.climb(one, judged, Rung(40, 0), seed=0) for one in (training, training))

    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(ladder.climb(reverse, judged, Rung(40, 0), seed=0), once, atol=0.02)
    assert not np.array_equal(ladder.climb(training, judged, Rung(40, 1), seed=0), once)
