"""The solver against scikit-learn, column by column."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mlmodels.core.learning import basis
from mlmodels.core.learning.basis import directions
from mlmodels.core.learning.newton import newton
from mlmodels.core.learning.solver import Problem, solve

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((80, 12)).astype(np.float32)
TRUTH = (RNG.random((80, 3)) < 1 / (1 + np.exp(-FEATURES[:, :3]))).astype(np.float32)


def reference(column: int, rows: np.ndarray, ridge: float) -> np.ndarray:
    model = LogisticRegression(C=1 / ridge, fit_intercept=False, tol=1e-8, max_iter=1000)
    return model.fit(FEATURES[rows], TRUTH[rows, column]).coef_[0]


@pytest.mark.parametrize("ridge", [0.3, 5.0])
def test_every_column_equals_its_own_regression(ridge: float) -> None:
    weights = np.ones_like(TRUTH)
    weights[:40, 1] = 0
    found = solve(Problem(FEATURES, TRUTH, weights, 0 * TRUTH, ridge), tolerance=1e-4)

    rows = np.arange(80)
    for column, kept in enumerate([rows, rows[40:], rows]):
        np.testing.assert_allclose(found[:, column], reference(column, kept, ridge), atol=2e-3)


@pytest.mark.parametrize("distance", [0.1, 5.0])
def test_wherever_it_starts_it_ends_within_a_ten_thousandth(distance: float) -> None:
    problem = Problem(FEATURES, TRUTH, np.ones_like(TRUTH), 0 * TRUTH, 1.0)
    start = distance * RNG.standard_normal((12, 3)).astype(np.float32)

    cold, warm = solve(problem), solve(problem, start)

    assert np.linalg.norm(warm - cold) <= 1e-4 * np.linalg.norm(cold)


def test_a_finished_column_does_not_move_while_others_go_on() -> None:
    easy = np.zeros_like(TRUTH[:, :1])
    alone = solve(Problem(FEATURES, easy, np.ones_like(easy), easy - 3, 50.0))
    beside = np.concatenate([easy, TRUTH], axis=1)
    together = solve(Problem(FEATURES, beside, np.ones_like(beside), 0 * beside - 3, 50.0))

    np.testing.assert_allclose(together[:, 0], alone[:, 0], rtol=1e-5, atol=1e-7)


def test_an_offset_that_explains_everything_leaves_nothing_to_learn() -> None:
    offsets = (40 * TRUTH - 20).astype(np.float32)
    found = solve(Problem(FEATURES, TRUTH, np.ones_like(TRUTH), offsets, 1.0))

    np.testing.assert_allclose(found, 0, atol=1e-4)


def test_newton_equals_scikit_learn_around_zero() -> None:
    found = newton(
        FEATURES[:, :4].astype(float), TRUTH[:, 0].astype(float), np.ones(80), np.zeros(4), np.full(4, 2.0)
    )
    model = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-10, max_iter=1000)

    np.testing.assert_allclose(found, model.fit(FEATURES[:, :4], TRUTH[:, 0]).coef_[0], atol=1e-4)


def test_a_strong_pull_keeps_newton_at_the_centre() -> None:
    centre = np.array([1.0, -2.0])
    found = newton(
        FEATURES[:, :2].astype(float), TRUTH[:, 0].astype(float), np.ones(80), centre, np.full(2, 1e8)
    )

    np.testing.assert_allclose(found, centre, atol=1e-5)


@pytest.mark.parametrize(("rows", "most"), [(10, 100), (80, 8), (10, 4)])
def test_directions_are_orthonormal_and_keep_what_they_can(rows: int, most: int) -> None:
    features = FEATURES[:rows]
    found = directions(features, seed=0, most=most)

    np.testing.assert_allclose(found.T @ found, np.eye(found.shape[1]), atol=1e-4)
    kept = np.linalg.norm(features @ found) ** 2
    best = (np.linalg.svd(features, compute_uv=False)[:most] ** 2).sum()
    np.testing.assert_allclose(kept, best, rtol=1e-4)


def test_a_basis_of_many_images_comes_from_a_sample_that_the_seed_decides(monkeypatch) -> None:
    monkeypatch.setattr(basis, "MOST_IMAGES", 40)
    found = directions(FEATURES, seed=0, most=6)

    assert found.tobytes() == directions(FEATURES, seed=0, most=6).tobytes()
    best = (np.linalg.svd(FEATURES, compute_uv=False)[:6] ** 2).sum()
    assert np.linalg.norm(FEATURES @ found) ** 2 > 0.9 * best
