"""Suspects against cleanlab, which the authors of confident learning keep; and hand-computed cases."""

import numpy as np
import pytest
from cleanlab.count import compute_confident_joint

from mlmodels.core.errors import TrainingDataError
from mlmodels.core.evaluation.suspects import Ranked, find, self_confidence

IMAGES, TAGS = 400, 6


def noisy(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers of which a tenth were turned round, and scores that know the truth half-way."""
    rng = np.random.default_rng(seed)
    right = rng.random((IMAGES, TAGS)) < np.linspace(0.05, 0.6, TAGS)
    scores = 1 / (1 + np.exp(-(4 * right - 2 + 1.5 * rng.standard_normal(right.shape))))
    said = right ^ (rng.random(right.shape) < 0.1)
    return said.astype(np.int8), scores


def pairs(found: Ranked) -> list[tuple[int, int]]:
    return list(zip(found.rows.tolist(), found.columns.tolist(), strict=True))


def of_cleanlab(truth: np.ndarray, scores: np.ndarray) -> set[tuple[int, int]]:
    """Tag by tag: the known pairs off the diagonal of the confident joint."""
    found = set()
    for column in range(truth.shape[1]):
        known = np.flatnonzero(truth[:, column] >= 0)
        yes = scores[known, column]
        _, off = compute_confident_joint(
            truth[known, column].astype(int),
            np.stack([1 - yes, yes], axis=1),
            return_indices_of_off_diagonals=True,
            calibrate=False,
        )
        found |= {(int(known[index]), column) for index in off}
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("masked", [False, True], ids=["all known", "a third unknown"])
def test_the_suspects_are_those_of_cleanlab(seed: int, masked: bool) -> None:
    truth, scores = noisy(seed)
    if masked:
        truth[np.random.default_rng([seed, 1]).random(truth.shape) < 1 / 3] = -1

    found = find(truth, scores, most=IMAGES * TAGS)

    expected = of_cleanlab(truth, scores)
    assert len(expected) > 30
    assert set(pairs(found.wrong) + pairs(found.missing)) == expected
    assert all(truth[pair] == 1 for pair in pairs(found.wrong))
    assert all(truth[pair] == 0 for pair in pairs(found.missing))


def test_the_likeliest_mistake_comes_first_and_the_list_ends_where_it_is_told_to() -> None:
    truth, scores = noisy(0)

    everything, few = find(truth, scores, most=IMAGES * TAGS), find(truth, scores, most=7)

    assert (np.diff(everything.wrong.scores) >= 0).all()
    assert (np.diff(everything.missing.scores) <= 0).all()
    assert pairs(few.wrong) == pairs(everything.wrong)[:7]
    assert pairs(few.missing) == pairs(everything.missing)[:7]


def test_many_images_are_ranked_as_if_they_were_looked_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, scores = noisy(1)
    at_once = find(truth, scores, most=20)

    monkeypatch.setattr("mlmodels.core.evaluation.suspects.ROWS_AT_ONCE", 33)
    in_chunks = find(truth, scores, most=20)

    assert pairs(in_chunks.wrong) == pairs(at_once.wrong)
    assert pairs(in_chunks.missing) == pairs(at_once.missing)


def test_the_order_of_images_does_not_matter() -> None:
    truth, scores = noisy(2)
    order = np.random.default_rng(0).permutation(IMAGES)

    here, there = find(truth, scores), find(truth[order], scores[order])

    assert {(int(order[n]), k) for n, k in pairs(there.wrong)} == set(pairs(here.wrong))
    assert {(int(order[n]), k) for n, k in pairs(there.missing)} == set(pairs(here.missing))


def test_a_tag_without_a_yes_or_without_a_no_is_never_suspected() -> None:
    truth = np.array([[0, 1, -1], [0, 1, -1]], dtype=np.int8)
    scores = np.array([[0.99, 0.01, 0.5], [0.98, 0.02, 0.5]])

    found = find(truth, scores)

    assert len(found.wrong) == len(found.missing) == 0
    yes, no = self_confidence(truth, scores)
    assert np.isnan(yes).tolist() == [True, False, True]
    assert np.isnan(no).tolist() == [False, True, True]


def test_where_both_answers_are_likely_the_larger_score_decides() -> None:
    # The mean score of yes is 0.5, that of no 0.55: 0.52 reaches both sides, and says yes.
    truth = np.array([[1], [1], [0], [0]], dtype=np.int8)
    scores = np.array([[0.52], [0.48], [0.52], [0.58]])

    found = find(truth, scores)

    assert pairs(found.wrong) == [(1, 0)]
    assert pairs(found.missing) == [(3, 0), (2, 0)]


def test_nothing_at_all_has_no_suspects() -> None:
    found = find(np.empty((0, 3), dtype=np.int8), np.empty((0, 3)))

    assert len(found.wrong) == len(found.missing) == 0


def test_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(TrainingDataError, match="shape"):
        find(np.zeros((2, 3), dtype=np.int8), np.zeros((3, 2)))
