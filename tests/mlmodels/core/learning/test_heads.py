"""A head is a value: it aligns to other tags, splits its score by source, and survives a file."""

from pathlib import Path

import numpy as np

from mlmodels.core import artifacts
from mlmodels.core.learning import heads
from mlmodels.core.learning.dataset import HeadInputs
from mlmodels.core.learning.fitting import fit
from mlmodels.core.learning.fusion import prior_scores
from mlmodels.core.learning.heads import Head
from tests.mlmodels.core.learning.planted import planted

TRAINING = planted(80)
HEAD = fit(TRAINING, seed=0).head


def with_tags(inputs: HeadInputs, columns: list[int]) -> HeadInputs:
    return HeadInputs(
        vision=inputs.vision,
        has_vision=inputs.has_vision,
        class_prior=inputs.class_prior[:, columns],
        caption_prior=inputs.caption_prior[:, columns],
        terms=inputs.terms,
        has_caption=inputs.has_caption,
    )


def test_a_tag_that_the_head_does_not_know_scores_as_its_prior() -> None:
    aligned = HEAD.align([*HEAD.tag_ids, 77])
    inputs = with_tags(TRAINING.inputs, [0, 1, 2, 3, 0])

    scores, prior = aligned.score(inputs), prior_scores(inputs)

    np.testing.assert_allclose(scores.probability[:, 4], prior.probability[:, 4], atol=1e-6)
    np.testing.assert_allclose(scores.vision[:, 4], prior.vision[:, 4], atol=1e-6)
    np.testing.assert_allclose(scores.caption[:, 4], prior.caption[:, 4], atol=1e-6)
    np.testing.assert_allclose(scores.probability[:, :4], HEAD.score(TRAINING.inputs).probability, atol=1e-6)
    assert aligned.thresholds[4] == heads.DEFAULT_THRESHOLD


def test_aligning_to_another_order_moves_the_columns() -> None:
    order = [2, 0, 3, 1]
    aligned = HEAD.align([HEAD.tag_ids[column] for column in order])

    scores = aligned.score(with_tags(TRAINING.inputs, order))

    np.testing.assert_allclose(
        scores.probability, HEAD.score(TRAINING.inputs).probability[:, order], atol=1e-6
    )


def test_no_tag_in_common_is_the_prior_alone() -> None:
    scores = HEAD.align([1, 2, 3, 4]).score(TRAINING.inputs)

    np.testing.assert_allclose(scores.probability, prior_scores(TRAINING.inputs).probability, atol=1e-6)


def test_a_source_that_an_image_lacks_leaves_the_other_to_speak() -> None:
    inputs = TRAINING.inputs
    nobody = np.zeros(len(inputs), dtype=bool)
    silent = HeadInputs(
        vision=inputs.vision,
        has_vision=inputs.has_vision,
        class_prior=inputs.class_prior,
        caption_prior=0 * inputs.caption_prior,
        terms=((),) * len(inputs),
        has_caption=nobody,
    )

    scores = HEAD.score(silent)

    np.testing.assert_allclose(scores.probability, scores.vision, atol=1e-6)
    np.testing.assert_allclose(scores.vision, HEAD.score(inputs).vision, atol=1e-6)


def test_scoring_in_pieces_equals_scoring_at_once(monkeypatch) -> None:
    whole = HEAD.score(TRAINING.inputs).probability
    monkeypatch.setattr(heads, "ROWS_AT_ONCE", 7)

    np.testing.assert_allclose(HEAD.score(TRAINING.inputs).probability, whole, atol=1e-6)


def test_no_image_scores_to_no_row() -> None:
    nothing = TRAINING.inputs.rows(np.arange(0))

    assert HEAD.score(nothing).probability.shape == (0, 4)


def test_a_head_read_back_from_its_file_scores_the_same_bits(tmp_path: Path) -> None:
    digest = artifacts.save(tmp_path, HEAD.to_tensors(), HEAD.to_manifest())
    again = Head.from_tensors(*artifacts.load(tmp_path, digest))

    scores, expected = again.score(TRAINING.inputs), HEAD.score(TRAINING.inputs)

    assert scores.probability.tobytes() == expected.probability.tobytes()
    assert again.tag_ids == HEAD.tag_ids


def test_pixels_alone_offer_nothing_before_the_first_review() -> None:
    certain = np.ones((1, 2), dtype=np.float32)
    for has_caption in (True, False):
        inputs = HeadInputs(
            vision=np.ones((1, 1), dtype=np.float32),
            has_vision=np.ones(1, dtype=bool),
            class_prior=certain,
            caption_prior=0 * certain,
            terms=((),),
            has_caption=np.array([has_caption]),
        )
        assert (prior_scores(inputs).probability < 0.5).all()
