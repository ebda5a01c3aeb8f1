"""What every strategy keeps, whatever it looks at: a new one joins by standing in `mixture.STRATEGIES`."""

from dataclasses import replace

import numpy as np
import pytest

from mlmodels.core.errors import SamplingError
from mlmodels.core.sampling.base import Strategy
from mlmodels.core.sampling.candidates import Candidates
from mlmodels.core.sampling.mixture import STRATEGIES
from tests.mlmodels.core.sampling.waiting import candidates, rows

SIZE = 6


def broken_row() -> Candidates:
    found = candidates()
    probability = found.probability.copy()
    probability[3, 1] = np.nan
    features = np.asarray(found.features).copy()
    features[5, 0] = np.nan
    return replace(found, probability=probability, features=features)


def without_sources() -> Candidates:
    nobody = np.zeros(60, dtype=bool)
    found = candidates()
    return replace(found, has_vision=nobody, has_caption=nobody, features=0 * found.features)


CASES = {
    "many": candidates(),
    "one image": candidates(images=1),
    "one tag": candidates(tags=1),
    "no image": candidates(images=0),
    "alike": replace(candidates(), features=np.full((60, 8), 8**-0.5), reviewed=np.full((1, 8), 8**-0.5)),
    "sure": replace(candidates(), probability=np.zeros((60, 5))),
    "nothing reviewed": replace(candidates(), reviewed=np.zeros((0, 0))),
    "broken rows": broken_row(),
    "no sources": without_sources(),
}


@pytest.fixture(params=STRATEGIES, ids=lambda strategy: strategy.name)
def strategy(request: pytest.FixtureRequest) -> Strategy:
    found: Strategy = request.param
    return found


@pytest.mark.parametrize("case", CASES)
def test_weights_are_shares_of_a_draw_or_all_nothing(strategy: Strategy, case: str) -> None:
    found = CASES[case]
    appeal = strategy.appeal(found, size=SIZE, salt="a")

    assert appeal.weights.shape == (len(found),)
    assert np.isfinite(appeal.weights).all()
    assert (appeal.weights >= 0).all()
    assert not appeal.weights.any() or np.isclose(appeal.weights.mean(), 1.0)
    assert (appeal.weights > 0).sum() <= SIZE


@pytest.mark.parametrize("case", CASES)
def test_what_is_wanted_has_a_reason_and_nothing_else_has(strategy: Strategy, case: str) -> None:
    appeal = strategy.appeal(CASES[case], size=SIZE, salt="a")

    assert [bool(reason) for reason in appeal.reasons] == (appeal.weights > 0).tolist()
    assert all(len(reason) <= 200 for reason in appeal.reasons)


@pytest.mark.parametrize("case", CASES)
def test_the_order_of_rows_changes_nothing(strategy: Strategy, case: str) -> None:
    found = CASES[case]
    turned = np.random.default_rng(7).permutation(len(found))
    straight = strategy.appeal(found, size=SIZE, salt="a")
    other = strategy.appeal(rows(found, turned), size=SIZE, salt="a")

    assert other.weights.tolist() == straight.weights[turned].tolist()
    assert list(other.reasons) == [straight.reasons[row] for row in turned]


def test_an_ordinary_set_of_images_is_always_worth_asking_about(strategy: Strategy) -> None:
    assert (strategy.appeal(candidates(), size=SIZE, salt="a").weights > 0).sum() == SIZE


def test_a_row_with_nan_is_left_to_chance(strategy: Strategy) -> None:
    weights = strategy.appeal(broken_row(), size=60, salt="a").weights

    assert (weights[3], weights[5]) == (0.0, 0.0)
    assert weights.any()


def test_nothing_that_is_handed_in_is_changed(strategy: Strategy) -> None:
    found, untouched = candidates(), candidates()
    strategy.appeal(found, size=SIZE, salt="a")

    for name in ("probability", "vision", "caption", "features", "yes", "image_ids", "thresholds"):
        assert np.array_equal(getattr(found, name), getattr(untouched, name))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("probability", np.zeros((60, 4))),
        ("caption", np.zeros((59, 5))),
        ("features", np.zeros((59, 8))),
        ("yes", np.zeros(4, dtype=int)),
        ("has_caption", np.zeros(59, dtype=bool)),
        ("image_ids", np.zeros(60, dtype=np.int64)),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused_by_name(field: str, wrong: np.ndarray) -> None:
    with pytest.raises(SamplingError) as refused:
        replace(candidates(), **{field: wrong})
    assert refused.value.field == field
