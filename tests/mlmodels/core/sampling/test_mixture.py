"""The order that the mixture makes: shares, chances that are what they are said to be, and a part left to chance."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mlmodels.core.errors import SamplingError
from mlmodels.core.sampling import mixture
from mlmodels.core.sampling.chance import waits
from mlmodels.core.sampling.mixture import STRATEGIES, Shares
from tests.mlmodels.core.sampling.waiting import candidates, rows

EVERYTHING = Shares(uncertain=0.3, diverse=0.2, rare=0.2, disagreement=0.1)


def order(found=None, shares=EVERYTHING, salt="a"):
    found = candidates() if found is None else found
    return mixture.order(found, shares, waiting=len(found), salt=salt)


def test_shortest_waits_are_a_weighted_draw_without_replacement() -> None:
    rates = np.array([1.0, 2.0, 5.0])
    drawn = Counter(tuple(np.argsort(waits(rates, [1, 2, 3], str(n)))[:2].tolist()) for n in range(6000))

    for first in range(3):
        for second in {0, 1, 2} - {first}:
            expected = rates[first] / 8 * rates[second] / (8 - rates[first])
            assert drawn[first, second] / 6000 == pytest.approx(expected, abs=0.02)


def test_the_next_image_is_drawn_as_often_as_its_rate_says() -> None:
    """Strategies that chance has no part in want the same images each time."""
    shares = Shares(uncertain=0.4, disagreement=0.3)
    firsts = Counter(int(order(shares=shares, salt=str(n)).waits.argmin()) for n in range(4000))
    rates = order(shares=shares).rates / 60

    assert np.abs(np.array([firsts[n] / 4000 for n in range(60)]) - rates).max() < 0.02


def test_components_come_first_as_often_as_their_shares() -> None:
    firsts: Counter[str] = Counter()
    for n in range(3000):
        found = order(salt=str(n))
        firsts[found.components[int(found.waits.argmin())]] += 1

    for name in ("uncertain", "diverse", "rare", "disagreement", "random"):
        assert firsts[name] / 3000 == pytest.approx(getattr(EVERYTHING, name), abs=0.03)


def test_rates_have_mean_one_and_none_is_below_the_share_of_chance() -> None:
    found = order()

    assert found.rates.mean() == pytest.approx(1.0)
    assert found.rates.min() >= EVERYTHING.random - 1e-9


def test_a_strategy_with_nothing_to_ask_leaves_its_share_to_chance() -> None:
    found = order(replace(candidates(), yes=np.full(5, 99)), Shares(rare=0.9))

    assert set(found.components) == {"random"}
    assert found.rates.tolist() == [1.0] * 60
    assert set(found.reasons) == {"random"}


def test_the_order_of_rows_changes_nothing() -> None:
    turned = np.random.default_rng(1).permutation(60)
    straight, other = order(), order(rows(candidates(), turned))

    assert other.waits.tolist() == straight.waits[turned].tolist()
    assert other.rates == pytest.approx(straight.rates[turned])
    assert list(other.reasons) == [straight.reasons[row] for row in turned]


@pytest.mark.parametrize("images", [0, 1, 2])
def test_hardly_any_images_are_ordered_too(images: int) -> None:
    found = order(candidates(images=images))

    assert len(found.reasons) == len(found.components) == images
    assert np.isfinite(found.waits).all()


def test_of_many_images_that_wait_a_strategy_wants_a_bounded_number() -> None:
    assert mixture.wanted(2_000, 2_000) == 200
    assert 50 * mixture.wanted(2_000, 100_000) == mixture.MOST_WANTED


def test_one_batch_costs_no_more_where_many_wait() -> None:
    """Diversity compares within its pool alone, which a larger queue makes smaller."""
    found = candidates(images=2_000)
    few = mixture.order(found, Shares(diverse=0.9), waiting=100_000, salt="a")

    assert (few.rates > 1).sum() == 10


@pytest.mark.parametrize("shares", [{"uncertain": 0.91}, {"rare": -0.1}, {"diverse": 0.5, "rare": 0.5}])
def test_shares_that_leave_too_little_to_chance_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(SamplingError):
        Shares(**shares)


def test_every_strategy_has_a_share() -> None:
    assert {strategy.name for strategy in STRATEGIES} == set(vars(Shares()))
