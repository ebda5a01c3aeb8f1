"""Who the gate lets through: clear cases, undecided ones, chance, and the same model twice."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from mlmodels.core.evaluation import gate
from mlmodels.core.evaluation.chance import deviations_from_chance
from mlmodels.core.evaluation.gate import Comparison, Verdict, judge
from mlmodels.core.evaluation.intervals import Interval

THRESHOLDS = np.full(12, 0.5)


def evidence(images: int, seed: int = 0) -> tuple[NDArray[np.int8], np.random.Generator]:
    rng = np.random.default_rng(seed)
    return (rng.random((images, 12)) < 0.2).astype(np.int8), rng


def model(truth: NDArray[np.int8], rng: np.random.Generator, noise: float) -> NDArray[np.float64]:
    """Probabilities that know the truth up to `noise`."""
    return 1 / (1 + np.exp(-(4.0 * truth - 2.5 + noise * rng.standard_normal(truth.shape))))


def verdict(
    truth: NDArray[np.int8],
    candidate: NDArray[np.float64],
    *others: NDArray[np.float64],
    holdout: bool = True,
    frozen: NDArray[np.float64] | None = None,
) -> Verdict:
    return judge(
        truth=truth,
        candidate=candidate,
        candidate_thresholds=THRESHOLDS,
        incumbents=[(other, THRESHOLDS) for other in others],
        holdout=holdout,
        seed=0,
        frozen=None if frozen is None else (frozen, THRESHOLDS),
    )


def test_a_clearly_better_candidate_is_promoted() -> None:
    truth, rng = evidence(300)
    result = verdict(truth, model(truth, rng, 0.5), model(truth, rng, 2.0))

    assert result.outcome == "promoted"
    assert result.details["better"] == 1.0
    assert result.details["incumbent_0_average_precision_lower"] > 0


def test_a_clearly_worse_candidate_is_refused_with_its_figures() -> None:
    truth, rng = evidence(300)
    result = verdict(truth, model(truth, rng, 2.0), model(truth, rng, 0.5))

    assert result.outcome == "refused"
    assert "macro average precision -0." in result.reasons[0]
    assert result.details["incumbent_0_average_precision_upper"] < 0


def test_the_best_of_the_last_days_counts_as_the_live_version_does() -> None:
    truth, rng = evidence(300)
    candidate, weak, strong = (model(truth, rng, noise) for noise in (1.5, 2.5, 0.5))

    assert verdict(truth, candidate, weak).outcome == "promoted"
    assert verdict(truth, candidate, weak, strong).outcome == "refused"


def test_the_same_scores_are_no_loss() -> None:
    truth, rng = evidence(100)
    scores = model(truth, rng, 1.0)
    result = verdict(truth, scores, scores)

    assert result.outcome == "promoted"
    assert result.details["better"] == 0.0


def test_a_tuned_backbone_has_to_rank_better_than_the_one_before_under_the_same_answers() -> None:
    truth, rng = evidence(300)
    old, candidate, better, worse = (model(truth, rng, noise) for noise in (2.5, 1.5, 1.0, 2.0))

    assert verdict(truth, candidate, old, frozen=worse).outcome == "promoted"
    for frozen in (better, candidate):
        refused = verdict(truth, candidate, old, frozen=frozen)
        assert (refused.outcome, refused.reasons[-1]) == ("refused", gate.NOT_BETTER)
        assert refused.reasons[1].startswith(f"against {gate.FROZEN}: macro average precision")
    assert refused.details["frozen_average_precision_point"] == 0


def compared(gain: tuple[float, float, float], saved: tuple[float, float, float]) -> Comparison:
    return Comparison(average_precision=Interval(*gain), keystrokes=Interval(*saved))


NO_KEYS = (0.0, -0.05, 0.05)


@pytest.mark.parametrize(
    ("gain", "saved", "no_loss", "may_teach"),
    [
        ((0.0, -0.019, 0.019), NO_KEYS, True, False),
        ((0.0, -0.021, 0.021), NO_KEYS, False, True),
        ((0.0, -0.019, 0.019), (0.0, -0.11, 0.11), False, True),
        ((0.0, -0.019, 0.019), (0.0, -0.1, 0.1), False, True),
        ((0.0, -0.019, 0.019), (0.0, -0.1 - 1e-12, 0.1 - 1e-11), False, True),
        ((0.0, -0.019, 0.019), (0.0, -0.11, 0.08), False, False),
        ((-0.004, -0.04, 0.03), NO_KEYS, False, True),
        ((-0.006, -0.04, 0.03), NO_KEYS, False, False),
        ((-0.004, -0.05, -0.001), NO_KEYS, False, False),
        ((0.01, -0.03, 0.05), (-0.3, -0.6, -0.1), False, False),
        ((-0.015, -0.03, 0.0), NO_KEYS, False, False),
    ],
    ids=[
        "within both margins",
        "too wide, no visible loss",
        "too wide in keystrokes",
        "as wide as the margin in keystrokes",
        "as wide as the margin but for rounding",
        "narrow, and keystrokes are lost",
        "a small loss may be chance",
        "a visible loss",
        "surely a loss, however small",
        "keystrokes are surely lost",
        "narrow, and a loss",
    ],
)
def test_the_rules_by_their_numbers(
    gain: tuple[float, float, float], saved: tuple[float, float, float], no_loss: bool, may_teach: bool
) -> None:
    comparison = compared(gain, saved)

    assert comparison.is_no_loss == no_loss
    assert (comparison.is_undecided and comparison.may_teach) == may_teach


@pytest.mark.parametrize(
    ("gain", "keys", "better"), [(0.006, 0.0, True), (0.004, 0.5, False), (0.006, -0.01, False)]
)
def test_better_is_a_gain_beyond_a_small_one_without_a_key_lost(
    gain: float, keys: float, better: bool
) -> None:
    assert compared((0.02, gain, 0.03), (keys, -0.2, 0.6)).is_better == better


def test_training_images_never_promote_for_good() -> None:
    truth, rng = evidence(300)

    assert (
        verdict(truth, model(truth, rng, 0.5), model(truth, rng, 2.0), holdout=False).outcome == "provisional"
    )


def test_too_few_images_let_a_candidate_without_visible_loss_teach() -> None:
    truth, rng = evidence(30)
    good, other = model(truth, rng, 1.4), model(truth, rng, 1.5)
    result = verdict(truth, good, other)

    width = (
        result.details["incumbent_0_average_precision_upper"]
        - result.details["incumbent_0_average_precision_lower"]
    )
    assert width / 2 > gate.AP_MARGIN
    assert result.details["incumbent_0_average_precision_point"] > 0
    assert result.outcome == "provisional"


def test_too_few_images_do_not_hide_a_loss() -> None:
    truth, rng = evidence(30)

    assert verdict(truth, model(truth, rng, 2.5), model(truth, rng, 1.0)).outcome == "refused"


def test_more_keystrokes_are_a_loss_even_at_the_same_ranking() -> None:
    truth, rng = evidence(300)
    scores = model(truth, rng, 1.0)
    result = judge(
        truth=truth,
        candidate=scores,
        candidate_thresholds=np.full(12, 0.999),
        incumbents=[(scores, THRESHOLDS)],
        holdout=True,
        seed=0,
    )

    assert result.outcome == "refused"
    assert result.details["incumbent_0_keystrokes_upper"] < 0


def test_deviations_from_chance_equal_those_over_every_permutation() -> None:
    truth, rng = evidence(5)
    truth[rng.random(truth.shape) < 0.2] = -1
    scores = model(truth, rng, 1.0)
    known = truth >= 0
    share = (truth == 1).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, (truth == 1) - share, 0.0)
    every = [float((scores[list(order)] * centred).sum()) for order in itertools.permutations(range(5))]
    own = float((scores * centred).sum())

    expected = (own - np.mean(every)) / np.std(every)
    assert deviations_from_chance(truth, scores) == pytest.approx(expected)


def test_nothing_deviates_from_chance_where_nothing_varies() -> None:
    truth = np.ones((6, 2), dtype=np.int8)
    assert deviations_from_chance(truth, np.full((6, 2), 0.4)) == 0.0
    assert deviations_from_chance(truth[:1], np.full((1, 2), 0.4)) == 0.0


@pytest.mark.parametrize("images", [10, 20, 60, 200])
@pytest.mark.parametrize("holdout", [True, False])
def test_candidates_of_shuffled_truth_are_refused(images: int, holdout: bool) -> None:
    for seed in range(50):
        truth, rng = evidence(images, seed)
        candidate = model(rng.permutation(truth), rng, 1.0)
        # Against an incumbent that knows nothing either, only chance can tell.
        ignorant = np.full(truth.shape, 0.2)
        assert verdict(truth, candidate, ignorant, holdout=holdout).outcome == "refused"


def test_who_learnt_nothing_is_refused_although_the_prior_it_kept_ranks_the_holdout_well() -> None:
    truth, rng = evidence(60)
    prior = model(truth, rng, 1.0)
    said, _ = evidence(100, seed=1)
    out_of_fold = model(rng.permutation(said), rng, 1.0)

    def judged(taught: tuple[NDArray[np.int8], NDArray[np.float64]]) -> Verdict:
        return judge(
            truth=truth,
            candidate=prior,
            candidate_thresholds=THRESHOLDS,
            incumbents=[(prior, THRESHOLDS)],
            holdout=True,
            seed=0,
            taught=taught,
        )

    mistaught, honest = judged((said, out_of_fold)), judged((said, model(said, rng, 1.0)))

    assert mistaught.outcome == "refused"
    assert "training answers dealt to the wrong images" in mistaught.reasons[0]
    assert mistaught.details["deviations_from_chance"] > gate.CHANCE_DEVIATIONS
    assert honest.outcome == "promoted"


def test_an_image_of_weight_three_counts_as_three_images() -> None:
    truth, rng = evidence(80)
    candidate, other = model(truth, rng, 1.0), model(truth, rng, 1.4)
    weights = rng.integers(1, 4, size=80)
    rows = np.repeat(np.arange(80), weights)

    def judged(at: NDArray[np.intp], weights: NDArray[np.generic] | None) -> dict[str, float]:
        return judge(
            truth=truth[at],
            candidate=candidate[at],
            candidate_thresholds=THRESHOLDS,
            incumbents=[(other[at], THRESHOLDS)],
            holdout=True,
            seed=0,
            weights=weights,
        ).details

    weighted, repeated, plain = (
        judged(np.arange(80), weights),
        judged(rows, None),
        judged(np.arange(80), None),
    )

    for figure in ("average_precision", "keystrokes"):
        point = f"incumbent_0_{figure}_point"
        assert weighted[point] == pytest.approx(repeated[point], abs=1e-5)
        assert weighted[point] != pytest.approx(plain[point], abs=1e-4)
        assert weighted[f"incumbent_0_{figure}_lower"] < weighted[point]
    assert judged(np.arange(80), 5 * weights) == pytest.approx(weighted, abs=1e-5)


def test_of_equal_models_few_are_called_better() -> None:
    better = 0
    for seed in range(40):
        truth, rng = evidence(120, seed)
        better += verdict(truth, model(truth, rng, 1.5), model(truth, rng, 1.5)).details["better"] == 1.0

    assert better <= 3


def test_unknown_pairs_decide_nothing() -> None:
    truth, rng = evidence(100)
    scores, other = model(truth, rng, 1.0), model(truth, rng, 1.0)
    masked = truth.copy()
    masked[:, 3] = -1
    changed = scores.copy()
    changed[:, 3] = 0.001

    assert verdict(masked, changed, changed).details["macro_tags"] == 11
    one = verdict(masked, scores, other).details["incumbent_0_average_precision_point"]
    two = verdict(masked, changed, other).details["incumbent_0_average_precision_point"]
    assert one == pytest.approx(two)


def test_a_verdict_can_be_computed_again() -> None:
    truth, rng = evidence(50)
    candidate, other = model(truth, rng, 1.0), model(truth, rng, 1.2)

    assert verdict(truth, candidate, other) == verdict(truth, candidate, other)


def test_very_many_images_are_judged_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MOST_IMAGES", 100)
    truth, rng = evidence(300)

    assert verdict(truth, model(truth, rng, 0.5), model(truth, rng, 2.0)).details["images"] == 100


def test_no_yes_is_nothing_to_judge_by() -> None:
    truth = np.zeros((20, 12), dtype=np.int8)
    result = verdict(truth, np.zeros((20, 12)), np.zeros((20, 12)))

    assert result.outcome == "refused"
    assert "no tag has a yes" in result.reasons[0]


def test_scores_that_do_not_fit_are_refused_with_both_shapes() -> None:
    truth, _ = evidence(20)
    with pytest.raises(ValueError, match=r"expected scores \(20, 12\).*got \(20, 11\)"):
        verdict(truth, np.zeros((20, 11)))
    with pytest.raises(ValueError, match="NaN"):
        verdict(truth, np.full((20, 12), np.nan))
