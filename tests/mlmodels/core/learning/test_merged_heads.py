"""A head goes on speaking for tags that were merged or split after it was trained."""

import numpy as np

from mlmodels.core.learning import heads
from mlmodels.core.learning.fitting import fit
from mlmodels.core.learning.heads import Head
from mlmodels.core.learning.merged_heads import MergedHead, carried
from tests.mlmodels.core.learning.planted import planted
from tests.mlmodels.core.learning.test_heads import with_tags

TRAINING = planted(80)
HEAD = fit(TRAINING, seed=0).head
FIRST, SECOND, THIRD, FOURTH = HEAD.tag_ids


def test_without_merges_and_splits_the_head_is_merely_aligned() -> None:
    found = carried(HEAD, HEAD.tag_ids, {}, {})

    assert isinstance(found, Head)
    np.testing.assert_array_equal(
        found.score(TRAINING.inputs).probability, HEAD.score(TRAINING.inputs).probability
    )


def test_a_merged_tag_speaks_for_the_surviving_one_where_it_says_more() -> None:
    found = carried(HEAD, [FIRST, THIRD, FOURTH], {SECOND: FIRST}, {})

    assert isinstance(found, MergedHead)
    blind = with_tags(TRAINING.inputs, [0, 2, 3])
    no_evidence = np.zeros_like(blind.class_prior)
    blind = heads_inputs(blind, no_evidence)
    scores = found.score(blind)
    alone = HEAD.score(heads_inputs(TRAINING.inputs, np.zeros_like(TRAINING.inputs.class_prior)))
    np.testing.assert_allclose(scores.probability[:, 0], alone.probability[:, :2].max(axis=1), atol=1e-5)
    np.testing.assert_allclose(scores.vision[:, 0], alone.vision[:, :2].max(axis=1), atol=1e-5)
    np.testing.assert_allclose(scores.probability[:, 1:], alone.probability[:, 2:], atol=1e-5)
    assert found.thresholds[0] == min(HEAD.thresholds[:2])
    np.testing.assert_array_equal(found.thresholds[1:], HEAD.thresholds[2:])


def test_other_tags_hear_the_evidence_of_merged_ones_once() -> None:
    kept = with_tags(TRAINING.inputs, [0, 2, 3])

    merged = carried(HEAD, [FIRST, THIRD, FOURTH], {SECOND: FIRST}, {}).score(kept)

    dropped = HEAD.align([FIRST, THIRD, FOURTH]).score(kept)
    np.testing.assert_allclose(merged.probability[:, 1:], dropped.probability[:, 1:], atol=1e-6)
    assert (merged.probability[:, 0] >= dropped.probability[:, 0] - 1e-6).all()


def test_a_tag_merged_into_one_that_the_head_does_not_know() -> None:
    inputs = with_tags(TRAINING.inputs, [0, 2, 3])

    found = carried(HEAD, [77, THIRD, FOURTH], {FIRST: 77}, {})

    assert (found.score(inputs).probability[:, 0] > 0.5).sum() > 0
    assert found.thresholds[0] == min(HEAD.thresholds[0], heads.DEFAULT_THRESHOLD)


def test_a_merge_that_the_head_was_trained_after_changes_nothing() -> None:
    assert isinstance(carried(HEAD, HEAD.tag_ids, {99: FIRST}, {}), Head)


def test_the_parts_of_a_split_start_with_the_coefficients_of_the_tag_and_are_not_offered() -> None:
    tag_ids = [77, 78, SECOND, THIRD, FOURTH]
    inputs = with_tags(TRAINING.inputs, [0, 0, 1, 2, 3])

    found = carried(HEAD, tag_ids, {}, {77: FIRST, 78: FIRST})

    np.testing.assert_array_equal(
        found.head.vision if isinstance(found, MergedHead) else found.vision[:, 0], HEAD.vision[:, 0]
    )
    scores = found.score(inputs).probability
    np.testing.assert_array_equal(scores[:, 0], scores[:, 1])
    order = np.argsort(-HEAD.score(TRAINING.inputs).probability[:, 0])
    yes = TRAINING.truth[:, 0] == 1
    assert scores[yes, 0].mean() > scores[~yes, 0].mean() + 0.3, order
    assert (scores[:, :2] < found.thresholds[:2]).all()


def heads_inputs(inputs, class_prior):
    """The inputs with pixels and captions that name no tag."""
    return type(inputs)(
        vision=inputs.vision,
        has_vision=inputs.has_vision,
        class_prior=class_prior,
        caption_prior=class_prior.copy(),
        terms=inputs.terms,
        has_caption=inputs.has_caption,
    )
