"""What a text encoder adds to a head: it is used, kept in the file, and never mixed with another encoder's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlmodels.core import artifacts
from mlmodels.core.errors import TrainingDataError
from mlmodels.core.evaluation.ranking import macro_average_precision
from mlmodels.core.learning.dataset import CaptionText, HeadInputs, TrainingSet
from mlmodels.core.learning.fitting import fit
from mlmodels.core.learning.fusion import prior_scores
from mlmodels.core.learning.heads import Head
from mlmodels.core.learning.merged_heads import MergedHead, carried
from tests.mlmodels.core.learning.planted import planted, rows_of

WIDTH = 12


def with_text(
    training: TrainingSet, *, encoder: str = "tiny", meaning: float = 0.3, seed: int = 0
) -> TrainingSet:
    """The same images, in whose caption vectors every tag has a direction; `meaning` is how near true tags are."""
    rng = np.random.default_rng([seed, 7])
    directions = np.random.default_rng(98).standard_normal((training.truth.shape[1], WIDTH))
    vector = training.truth @ directions + rng.standard_normal((len(training.truth), WIDTH))
    vector /= np.linalg.norm(vector, axis=1, keepdims=True)
    near = meaning * training.truth + 0.1 * rng.standard_normal(training.truth.shape)
    text = CaptionText(encoder, vector.astype(np.float32), near.astype(np.float32))
    return replace(training, inputs=replace(training.inputs, text=text))


PLAIN = planted(240, mentioned=0.3)
TRAINING = with_text(PLAIN)
FIT = fit(rows_of(TRAINING, np.arange(120)), seed=0)
UNSEEN, UNSEEN_TRUTH = TRAINING.inputs.rows(np.arange(120, 240)), PLAIN.truth[120:]


def average_precision(head: Head, inputs: HeadInputs) -> float:
    return macro_average_precision(UNSEEN_TRUTH, head.score(inputs).probability)


def test_meaning_ranks_before_any_review() -> None:
    with_meaning = macro_average_precision(UNSEEN_TRUTH, prior_scores(UNSEEN).probability)
    without = macro_average_precision(UNSEEN_TRUTH, prior_scores(UNSEEN.without_text()).probability)
    assert with_meaning > without + 0.1


def test_vectors_alone_improve_a_head() -> None:
    silent = with_text(PLAIN, meaning=0.0)
    head = fit(rows_of(silent, np.arange(120)), seed=0).head
    plain = fit(rows_of(PLAIN, np.arange(120)), seed=0).head

    unseen = silent.inputs.rows(np.arange(120, 240))
    assert average_precision(head, unseen) > average_precision(plain, unseen) + 0.02
    assert np.abs(head.text).max() > 0


def test_the_caption_and_not_the_pixels_are_credited() -> None:
    zeros = replace(UNSEEN.text, vector=0 * UNSEEN.text.vector, meaning=0 * UNSEEN.text.meaning)
    said, silent = FIT.head.score(UNSEEN), FIT.head.score(replace(UNSEEN, text=zeros))

    assert said.vision.tobytes() == silent.vision.tobytes()
    assert np.abs(said.caption - silent.caption).max() > 0.1
    assert np.isfinite(silent.probability).all()


def test_nearness_to_one_tag_is_evidence_for_others() -> None:
    nearer = UNSEEN.text.meaning.copy()
    nearer[:, 0] += 0.5
    said, more = (
        FIT.head.score(UNSEEN),
        FIT.head.score(replace(UNSEEN, text=replace(UNSEEN.text, meaning=nearer))),
    )

    assert np.abs(FIT.head.meaning - np.diag(np.diag(FIT.head.meaning))).max() > 0
    assert np.abs(said.probability - more.probability)[:, 1:].max() > 0.001


def test_a_head_of_before_that_reads_as_it_was_trained() -> None:
    tensors = FIT.head.to_tensors()
    del tensors["meaning"]
    earlier = Head.from_tensors(tensors, FIT.head.to_manifest())
    silent = replace(FIT.head, meaning=0 * FIT.head.meaning)

    assert earlier.score(UNSEEN).probability.tobytes() == silent.score(UNSEEN).probability.tobytes()
    assert earlier.align([*FIT.head.tag_ids, 77]).meaning.shape == (0, 5)


def test_a_merged_tag_is_near_to_itself_alone() -> None:
    into, gone = FIT.head.tag_ids[0], FIT.head.tag_ids[3]
    left = [tag for tag in FIT.head.tag_ids if tag != gone]
    merged = carried(FIT.head, left, {gone: into}, {})

    assert isinstance(merged, MergedHead)
    assert not merged.head.meaning[3, :3].any()
    assert merged.head.meaning[3, 3] == FIT.head.meaning[3, 3]


def test_a_head_read_back_from_its_file_scores_the_same_bits(tmp_path: Path) -> None:
    digest = artifacts.save(tmp_path, FIT.head.to_tensors(), FIT.head.to_manifest())
    again = Head.from_tensors(*artifacts.load(tmp_path, digest))

    assert again.encoding.text.encoder == "tiny"
    assert again.score(UNSEEN).probability.tobytes() == FIT.head.score(UNSEEN).probability.tobytes()


def test_a_head_without_an_encoder_keeps_no_trace_of_one_and_leaves_vectors_out(tmp_path: Path) -> None:
    head = fit(rows_of(PLAIN, np.arange(120)), seed=0).head
    digest = artifacts.save(tmp_path, head.to_tensors(), head.to_manifest())
    tensors, manifest = artifacts.load(tmp_path, digest)

    assert not [name for name in (*tensors, *manifest) if name.startswith("text") or name == "meaning"]
    plain = head.score(UNSEEN.without_text()).probability
    assert Head.from_tensors(tensors, manifest).score(UNSEEN).probability.tobytes() == plain.tobytes()


@pytest.mark.parametrize("text", [None, replace(UNSEEN.text, encoder="other")])
def test_captions_that_another_encoder_or_none_has_read_are_refused(text: CaptionText | None) -> None:
    with pytest.raises(TrainingDataError, match="expected captions read by text encoder 'tiny'"):
        FIT.head.score(replace(UNSEEN, text=text))


def test_captions_of_two_encoders_are_not_joined() -> None:
    with pytest.raises(TrainingDataError, match="expected text encoder 'tiny', got 'other'"):
        UNSEEN.with_more(replace(UNSEEN, text=replace(UNSEEN.text, encoder="other")))


def test_unreviewed_images_bring_their_vectors_along() -> None:
    result = fit(rows_of(TRAINING, np.arange(60)), seed=0, unreviewed=UNSEEN)
    assert result.out_of_fold.shape == (60, 4)
    assert np.isfinite(result.head.score(UNSEEN).probability).all()


def test_the_same_data_and_seed_give_the_same_bits() -> None:
    again = fit(rows_of(TRAINING, np.arange(120)), seed=0)

    assert again.head.text.tobytes() == FIT.head.text.tobytes()
    assert again.out_of_fold.tobytes() == FIT.out_of_fold.tobytes()


def test_aligning_keeps_the_text_of_known_tags_and_gives_new_ones_the_prior() -> None:
    aligned = FIT.head.align([*FIT.head.tag_ids, 77])
    text = replace(UNSEEN.text, meaning=UNSEEN.text.meaning[:, [0, 1, 2, 3, 0]])
    wide = replace(
        UNSEEN,
        class_prior=UNSEEN.class_prior[:, [0, 1, 2, 3, 0]],
        caption_prior=UNSEEN.caption_prior[:, [0, 1, 2, 3, 0]],
        text=text,
    )

    probability = aligned.score(wide).probability

    np.testing.assert_allclose(probability[:, :4], FIT.head.score(UNSEEN).probability, atol=1e-6)
    np.testing.assert_allclose(probability[:, 4], prior_scores(wide).probability[:, 4], atol=1e-6)


@pytest.mark.parametrize("field", ["vector", "meaning"])
@pytest.mark.parametrize("change", ["row", "nan"])
def test_arrays_that_do_not_fit_are_refused_by_name(field: str, change: str) -> None:
    array = getattr(UNSEEN.text, field).copy()
    array[3, 1] = np.nan
    broken = array if change == "nan" else array[:3]
    with pytest.raises(TrainingDataError) as caught:
        replace(UNSEEN, text=replace(UNSEEN.text, **{field: broken}))
    assert caught.value.field == f"text.{field}"


def test_what_stands_by_serves_a_head_that_learnt_from_it() -> None:
    other = replace(UNSEEN.text, encoder="other", meaning=0 * UNSEEN.text.meaning)
    both = replace(UNSEEN, text=other, words=UNSEEN.text)

    rows = np.arange(3)
    for inputs, expected in ((both, UNSEEN), (both.rows(rows), UNSEEN.rows(rows))):
        np.testing.assert_array_equal(
            FIT.head.score(inputs).probability, FIT.head.score(expected).probability
        )
    assert len(both.with_more(both).words.vector) == 2 * len(UNSEEN)
    columns = np.array([1, 0])
    np.testing.assert_array_equal(both.columns(columns).words.meaning, UNSEEN.text.meaning[:, columns])
