"""What a fit must do on planted data, and what it must survive."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from mlmodels.core.errors import TrainingDataError
from mlmodels.core.evaluation.ranking import macro_average_precision
from mlmodels.core.learning import fitting, parallel, reference, splits
from mlmodels.core.learning.dataset import HeadInputs, TrainingSet
from mlmodels.core.learning.fitting import FitResult, fit
from mlmodels.core.learning.fusion import prior_scores
from tests.mlmodels.core.learning.planted import planted, rows_of, with_truth

UNSEEN = planted(300, seed=5)


def quality(training: TrainingSet) -> float:
    scores = fit(training, seed=0).head.score(UNSEEN.inputs)
    return macro_average_precision(UNSEEN.truth, scores.probability)


def twice(training: TrainingSet) -> TrainingSet:
    rows = np.tile(np.arange(len(training.image_ids)), 2)
    return with_truth(training.inputs.rows(rows), training.truth[rows])


def without_captions(inputs: HeadInputs) -> HeadInputs:
    nobody = np.zeros(len(inputs), dtype=bool)
    silent = ((),) * len(inputs)
    return replace(inputs, caption_prior=0 * inputs.caption_prior, terms=silent, has_caption=nobody)


def without_vision(inputs: HeadInputs) -> HeadInputs:
    nobody = np.zeros(len(inputs), dtype=bool)
    return replace(inputs, vision=0 * inputs.vision, class_prior=0 * inputs.class_prior, has_vision=nobody)


def test_reviews_make_the_scores_of_unseen_images_better() -> None:
    prior = macro_average_precision(UNSEEN.truth, prior_scores(UNSEEN.inputs).probability)
    few, many = quality(planted(25)), quality(planted(250))

    assert few >= prior
    assert many > prior + 0.05


def test_captions_of_unreviewed_images_teach_the_pixels() -> None:
    few, unreviewed = planted(10), planted(200, seed=2).inputs
    silent = without_captions(UNSEEN.inputs)

    alone, helped = fit(few, seed=0), fit(few, seed=0, unreviewed=unreviewed)

    before = macro_average_precision(UNSEEN.truth, alone.head.score(silent).probability)
    after = macro_average_precision(UNSEEN.truth, helped.head.score(silent).probability)
    assert after > before + 0.03
    assert helped.out_of_fold.shape == few.truth.shape


def digest(result: FitResult) -> str:
    """Of every bit of a fit."""
    found = hashlib.sha256(result.out_of_fold.tobytes())
    for name, array in sorted(result.head.to_tensors().items()):
        found.update(name.encode() + array.tobytes())
    return found.hexdigest()


@pytest.mark.parametrize("most", [2500, 40])
def test_the_same_data_and_seed_give_the_same_bits(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(fitting, "MOST_IN_REFERENCE", most)

    assert digest(fit(planted(60), seed=3)) == digest(fit(planted(60), seed=3))
    assert digest(fit(planted(60), seed=3)) != digest(fit(planted(60), seed=4))


def test_the_order_of_rows_changes_nothing_but_their_order() -> None:
    training = planted(60)
    order = np.random.default_rng(1).permutation(60)

    straight, shuffled = fit(training, seed=0), fit(rows_of(training, order), seed=0)

    np.testing.assert_allclose(shuffled.out_of_fold, straight.out_of_fold[order], atol=2e-3)


@pytest.mark.parametrize("most", [2500, 40])
def test_the_number_of_cores_does_not_change_a_bit(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(fitting, "MOST_IN_REFERENCE", most)
    digests = set()
    for cores in (1, 2, 5):
        monkeypatch.setattr(parallel, "cores", lambda cores=cores: cores)
        digests.add(digest(fit(planted(90), seed=3)))

    assert len(digests) == 1


def test_a_new_process_with_other_threads_gives_the_same_bits() -> None:
    script = (
        "from tests.mlmodels.core.learning.test_fitting import *; print(digest(fit(planted(600, 6), seed=3)))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for threads in ("1", "2")
    }

    assert found == {digest(fit(planted(600, 6), seed=3))}


def test_a_large_set_learns_from_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    few, training = quality(planted(100)), planted(400)
    whole = quality(training)
    monkeypatch.setattr(fitting, "MOST_IN_REFERENCE", 100)

    by_reference = quality(training)

    assert by_reference > few + 0.01
    assert by_reference > whole - 0.02


def test_a_reference_keeps_scores_out_of_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "MOST_IN_REFERENCE", 60)
    training = planted(160)
    noise = with_truth(training.inputs, np.random.default_rng(0).permutation(training.truth))

    honest, fooled = fit(training, seed=0).out_of_fold, fit(noise, seed=0).out_of_fold

    assert macro_average_precision(training.truth, honest) > 0.6
    assert macro_average_precision(noise.truth, fooled) < float(noise.truth.mean()) + 0.12


def test_a_reference_of_one_more_image_is_almost_the_same() -> None:
    ids = list(range(100, 400))

    before, after = splits.choose(ids, 50, seed=1), splits.choose([*ids, 7], 50, seed=1)

    assert len(before) == len(after) == 50
    assert len({ids[row] for row in before} & {[*ids, 7][row] for row in after}) >= 49


def test_out_of_fold_scores_have_not_seen_their_own_image() -> None:
    training = planted(80)
    rng = np.random.default_rng(0)
    noise = with_truth(training.inputs, rng.permutation(training.truth))

    result = fit(noise, seed=0)
    learnt_by_heart = macro_average_precision(noise.truth, result.head.score(noise.inputs).probability)

    chance = float(noise.truth.mean())
    assert macro_average_precision(noise.truth, result.out_of_fold) < chance + 0.12
    assert learnt_by_heart >= macro_average_precision(noise.truth, result.out_of_fold)


def test_an_unknown_pair_does_not_move_the_fit() -> None:
    training = planted(60)
    hidden, flipped = training.truth.copy(), training.truth.copy()
    flipped[:30, 0] = 1 - flipped[:30, 0]
    hidden[:30, 0] = -1
    other = flipped.copy()
    other[:30, 0] = -1

    one = fit(with_truth(training.inputs, hidden), seed=0)
    two = fit(with_truth(training.inputs, other), seed=0)

    assert one.out_of_fold.tobytes() == two.out_of_fold.tobytes()


def test_probabilities_out_of_fold_are_calibrated() -> None:
    training = planted(400)
    scores = fit(training, seed=0).out_of_fold

    assert abs(float(scores.mean()) - float(training.truth.mean())) < 0.01
    sure = scores > 0.8
    assert abs(float(training.truth[sure].mean()) - float(scores[sure].mean())) < 0.06


def test_a_new_tag_is_learnt_from_ten_yes_and_twenty_no() -> None:
    training = planted(300)
    rows = np.concatenate(
        [np.flatnonzero(training.truth[:, 0] == answer)[:n] for answer, n in ((1, 10), (0, 20))]
    )
    truth = training.truth.copy()
    truth[:, 0] = -1
    truth[rows, 0] = training.truth[rows, 0]
    silent = replace(
        training.inputs, class_prior=training.inputs.class_prior * np.array([0, 1, 1, 1], np.float32)
    )

    head = fit(with_truth(silent, truth), seed=0).head

    unseen = without_captions(UNSEEN.inputs)
    found = head.score(unseen).probability[:, :1]
    assert macro_average_precision(UNSEEN.truth[:, :1], found) > 0.7


@pytest.mark.parametrize(
    "training",
    [
        pytest.param(planted(1), id="one image"),
        pytest.param(planted(2), id="two images"),
        pytest.param(planted(40, tags=1), id="one tag"),
        pytest.param(planted(1, tags=1), id="one image and one tag"),
        pytest.param(twice(planted(15)), id="every image twice"),
        pytest.param(with_truth(planted(30).inputs, np.zeros((30, 4), np.int8)), id="no yes"),
        pytest.param(with_truth(planted(30).inputs, np.ones((30, 4), np.int8)), id="no no"),
        pytest.param(with_truth(planted(30).inputs, np.full((30, 4), -1, np.int8)), id="all unknown"),
        pytest.param(with_truth(without_captions(planted(30).inputs), planted(30).truth), id="no captions"),
        pytest.param(with_truth(without_vision(planted(30).inputs), planted(30).truth), id="no vision"),
        pytest.param(
            with_truth(without_captions(without_vision(planted(30).inputs)), planted(30).truth),
            id="no source",
        ),
        pytest.param(
            with_truth(replace(planted(30).inputs, vision=np.ones((30, 3), np.float32)), planted(30).truth),
            id="constant features",
        ),
        pytest.param(
            with_truth(replace(planted(30).inputs, vision=np.zeros((30, 0), np.float32)), planted(30).truth),
            id="features of no length",
        ),
    ],
)
@pytest.mark.parametrize("most", [2500, 10])
def test_thin_data_still_give_probabilities(
    monkeypatch: pytest.MonkeyPatch, training: TrainingSet, most: int
) -> None:
    monkeypatch.setattr(fitting, "MOST_IN_REFERENCE", most)
    result = fit(training, seed=0)
    scores = result.head.score(training.inputs)

    assert result.out_of_fold.shape == training.truth.shape
    for values in (result.out_of_fold, scores.probability, scores.vision, scores.caption):
        assert values.dtype == np.float32
        assert ((values >= 0) & (values <= 1)).all()
    assert (result.head.thresholds == 0.5).all()


def test_weights_move_the_calibration() -> None:
    training = planted(200)
    heavy = np.where(training.truth[:, 0] == 1, 10, 1).astype(np.float32)

    plain = fit(training, seed=0).out_of_fold[:, 0].mean()
    weighted = fit(replace(training, weights=heavy), seed=0).out_of_fold[:, 0].mean()

    assert weighted > plain + 0.01


def test_many_images_use_fewer_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "MANY_IMAGES", 50)
    training = planted(60)

    result = fit(training, seed=0)

    assert macro_average_precision(training.truth, result.out_of_fold) > 0.7


def test_nothing_to_fit_is_said() -> None:
    with pytest.raises(TrainingDataError, match="wait for reviews"):
        fit(planted(0), seed=0)
