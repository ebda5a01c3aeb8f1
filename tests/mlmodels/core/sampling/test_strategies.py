"""Each strategy against a case computed by hand or an independent reference."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from mlmodels.core.evaluation import effort
from mlmodels.core.sampling.chance import uniform
from mlmodels.core.sampling.disagreement import Disagreeing
from mlmodels.core.sampling.diversity import Diverse, spread
from mlmodels.core.sampling.rarity import RareTags
from mlmodels.core.sampling.uncertainty import Uncertain, expected_keystrokes
from tests.mlmodels.core.sampling.waiting import candidates, rows


@pytest.mark.parametrize("chips", [2, 4, 6])
def test_expected_keystrokes_are_the_mean_over_all_truths(chips: int) -> None:
    rng = np.random.default_rng(3)
    probability, thresholds = rng.random((4, 6)), rng.uniform(0.3, 0.7, 6)
    expected = np.zeros(4)
    for said in itertools.product((0, 1), repeat=6):
        truth = np.tile(np.array(said, dtype=np.int8), (4, 1))
        chance = np.where(truth == 1, probability, 1 - probability).prod(axis=1)
        expected += chance * effort.keystrokes(truth, probability, thresholds, chips=chips)

    assert np.allclose(expected_keystrokes(probability, thresholds, chips=chips), expected)


def test_the_uncertain_images_are_those_of_most_keystrokes_and_name_the_tag_nearest_to_even() -> None:
    found = replace(
        candidates(images=3, tags=2), probability=np.array([[0.99, 0.02], [0.52, 0.9], [0.3, 0.1]])
    )

    appeal = Uncertain().appeal(found, size=1, salt="a")

    assert appeal.weights.tolist() == [0.0, 3.0, 0.0]
    assert appeal.reasons == ("", "uncertain: dog 0.52", "")


def test_equals_are_chosen_by_chance() -> None:
    found = replace(candidates(images=4, tags=1), probability=np.full((4, 1), 0.5))
    chosen = [int(Uncertain().appeal(found, size=1, salt=str(n)).weights.argmax()) for n in range(400)]

    assert np.bincount(chosen).min() > 70


def test_diverse_images_are_what_a_plain_loop_of_k_means_plus_plus_finds() -> None:
    rng = np.random.default_rng(5)
    features, reviewed = rng.normal(size=(30, 4)), rng.normal(size=(3, 4))
    ids = list(range(30))
    centres: list[int] = []
    for step in range(8):
        waits = []
        for n in ids:
            near = [*reviewed, *(features[c] for c in centres)]
            squared = min(float(((features[n] - other) ** 2).sum()) for other in near)
            waits.append(-np.log(uniform([n], f"a:{step}")[0]) / squared if squared > 1e-6 else np.inf)
        centres.append(int(np.argmin(waits)))

    assert spread(features, reviewed, 8, ids, salt="a").tolist() == centres


def test_a_centre_is_drawn_in_proportion_to_its_squared_distance() -> None:
    features = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    first = [int(spread(features, np.zeros((1, 2)), 1, [1, 2, 3], salt=str(n))[0]) for n in range(3000)]

    assert np.bincount(first) / 3000 == pytest.approx([1 / 14, 4 / 14, 9 / 14], abs=0.03)


def test_copies_of_what_was_reviewed_are_not_diverse() -> None:
    found = replace(candidates(images=3), features=np.eye(8)[:3], reviewed=np.eye(8)[:2])

    appeal = Diverse().appeal(found, size=3, salt="a")

    assert appeal.weights.tolist() == [0.0, 0.0, 3.0]
    assert appeal.reasons[2] == "unlike what was reviewed so far"


def test_each_rare_tag_is_hunted_in_turn_where_it_is_likeliest() -> None:
    # dog has enough yes; of boat and tree the best places are images 1 and 2, then 3 and 0.
    found = replace(
        candidates(images=5, tags=3),
        probability=np.array([[0.9, 0.1, 0.6], [0.9, 0.8, 0.1], [0.9, 0.1, 0.9], [0, 0.3, 0], [0, 0.01, 0]]),
        yes=np.array([10, 2, 9]),
    )

    two, all_of_them = (RareTags().appeal(found, size=size, salt="a") for size in (2, 5))

    assert two.weights.tolist() == [0.0, 2.5, 2.5, 0.0, 0.0]
    assert two.reasons[1:3] == ("may show the rare tag boat", "may show the rare tag tree")
    assert (all_of_them.weights > 0).tolist() == [True, True, True, True, False]


def test_without_a_rare_tag_nothing_is_hunted() -> None:
    assert not RareTags().appeal(replace(candidates(), yes=np.full(5, 10)), size=5, salt="a").weights.any()


def test_the_widest_gap_between_pixels_and_caption_is_asked_about_in_words() -> None:
    found = replace(
        candidates(images=4, tags=2),
        vision=np.array([[0.1, 0.2], [0.9, 0.0], [0.5, 0.5], [0.0, 0.0]]),
        caption=np.array([[0.1, 0.9], [0.1, 0.0], [0.5, 0.5], [1.0, 1.0]]),
        has_caption=np.array([True, True, True, False]),
    )

    appeal = Disagreeing().appeal(found, size=4, salt="a")

    assert appeal.weights.tolist() == [2.0, 2.0, 0.0, 0.0]
    assert appeal.reasons[:2] == (
        "caption says boat, pixels do not",
        "pixels show dog, caption does not say so",
    )


def test_chance_belongs_to_the_image_and_is_even() -> None:
    ids = list(range(20_000))
    one, other = uniform(ids, "a"), uniform(ids, "b")

    assert one.min() > 0 and one.max() < 1
    assert np.abs(np.histogram(one, bins=10, range=(0, 1))[0] / 20_000 - 0.1).max() < 0.01
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.03
    assert abs(np.corrcoef(one[:-1], one[1:])[0, 1]) < 0.03


def test_rows_helper_keeps_images_and_their_figures_together() -> None:
    found = candidates()
    turned = rows(found, np.array([4, 2]))

    assert turned.image_ids.tolist() == found.image_ids[[4, 2]].tolist()
    assert np.array_equal(turned.features, found.features[[4, 2]])
