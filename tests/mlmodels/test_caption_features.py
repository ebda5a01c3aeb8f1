"""Vectors of captions are computed once, shared and resumable; without an encoder there is no work at all."""

import numpy as np
import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from annotations.models import Image, SuggestionSet
from annotations.models.job import JobState
from annotations.selectors import model_inputs
from mlmodels import checks, tasks
from mlmodels.core.language import nearness
from mlmodels.models import CaptionFeature, ModelVersion
from mlmodels.services import (
    caption_features,
    caption_words,
    encoders,
    evidence,
    halfvec,
    heads,
    inputs,
    languages,
    prediction,
    rescoring,
    runs,
    scoring,
    training,
)
from tests.factories import make_images, make_tags
from tests.mlmodels.core.language import tiny_encoder

CAPTIONS = ("A dog runs.", "a cat", "A dog runs.", "", "The cat is in the picture.", "dogs")


@pytest.fixture
def encoder(tmp_path, settings):
    settings.TEXT_ENCODER = str(tiny_encoder.make(tmp_path / "encoder"))
    return encoders.load()


@pytest.fixture
def images(cast) -> list[Image]:
    made = make_images(cast.project, len(CAPTIONS))
    for image, caption in zip(made, CAPTIONS, strict=True):
        image.caption = caption
    Image.objects.bulk_update(made, ["caption"])
    return made


def built(project_id: int, images: list[Image]):
    """What a head reads of these images; none of them has been looked at."""
    found = model_inputs.images(project_id, [image.pk for image in images])
    return inputs.build(found, None, languages.of_project(project_id)).inputs


def test_without_an_encoder_words_alone_are_read_and_nothing_is_stored_or_sent(cast, images, monkeypatch):
    monkeypatch.setattr(tasks.compute_captions, "apply_async", lambda **options: pytest.fail("was sent"))
    with CaptureQueriesContext(connection) as queries:
        done = caption_features.compute_slice(cast.project.pk)
        vectors = caption_features.vectors(CAPTIONS)
    tasks.images_changed(cast.project.pk, [image.pk for image in images])
    tasks.sweep()

    assert (done.computed, vectors, encoders.key()) == ((), None, "")
    assert not [query for query in queries if "captionfeature" in query["sql"]]
    found = built(cast.project.pk, images)
    assert (found.text.encoder, found.words) == (caption_words.key(), None)
    assert list(found.text.vector.any(axis=1)) == [True, True, True, False, True, True]
    assert not CaptionFeature.objects.exists()


def test_equal_captions_share_a_row_and_blank_ones_have_none(cast, images, encoder):
    done = caption_features.compute_slice(cast.project.pk)
    again = caption_features.compute_slice(cast.project.pk)

    assert sorted(done.computed) == [images[n].pk for n in (0, 1, 2, 4, 5)]
    assert (again.computed, again.resume_after) == ((), None)
    assert CaptionFeature.objects.count() == 4


def test_what_is_stored_is_what_the_encoder_said(cast, images, encoder):
    make_tags(cast.project, "dog", "cat")
    caption_features.compute_slice(cast.project.pk)

    text = built(cast.project.pk, images).text

    expected = nearness.caption_vectors(CAPTIONS, encoder.encode)
    np.testing.assert_allclose(text.vector, expected, atol=2e-3)
    assert text.encoder == encoder.key
    assert text.meaning.shape == (6, 2)
    assert text.meaning[3].tolist() == [0, 0]
    assert text.meaning[0].any()


def test_a_short_caption_is_compared_with_tags_in_the_sentence_that_they_stand_in(encoder):
    short, long = "A sleepy dog.", "A dog sleeps beside the door of a house"
    stored = caption_features.vectors_now([short, long])
    expected = encoder.encode([nearness.SENTENCE.format("sleepy dog"), long])
    np.testing.assert_array_equal(stored, expected)


def test_a_changed_caption_is_read_again_and_the_others_are_not(cast, images, encoder):
    caption_features.compute_slice(cast.project.pk)
    Image.objects.filter(pk=images[0].pk).update(caption="A dog is in the picture.")

    changed = built(cast.project.pk, images[:1]).text.vector
    done = caption_features.compute_slice(cast.project.pk)

    assert not changed.any(), "the old caption's vector does not speak for the new one"
    assert done.computed == (images[0].pk,)
    assert built(cast.project.pk, images[:1]).text.vector.any()


def test_another_encoder_reads_every_caption_itself(cast, images, encoder, tmp_path, settings):
    caption_features.compute_slice(cast.project.pk)
    settings.TEXT_ENCODER = str(tiny_encoder.make(tmp_path / "other", seed=1))

    assert not caption_features.vectors(CAPTIONS).any()
    assert len(caption_features.compute_slice(cast.project.pk).computed) == 5
    assert CaptionFeature.objects.count() == 8


def test_a_slice_says_where_the_next_one_starts(cast, images, encoder, monkeypatch):
    monkeypatch.setattr(caption_features, "SLICE_CAPTIONS", 3)
    first = caption_features.compute_slice(cast.project.pk)
    second = caption_features.compute_slice(cast.project.pk, after_id=first.resume_after)

    assert first.resume_after == images[2].pk
    assert [len(first.computed), len(second.computed)] == [3, 2]
    assert second.resume_after is None


def test_a_slow_slice_ends_early_and_says_where_to_go_on(cast, images, encoder, monkeypatch):
    monkeypatch.setattr(caption_features, "BATCH_CAPTIONS", 2)
    monkeypatch.setattr(caption_features, "SLICE_S", 0.0)
    first = caption_features.compute_slice(cast.project.pk)
    assert (first.computed, first.resume_after) == ((images[0].pk, images[1].pk), images[1].pk)


def test_a_kill_within_a_slice_loses_no_caption(cast, images, encoder, monkeypatch):
    monkeypatch.setattr(caption_features, "BATCH_CAPTIONS", 2)
    store, batches = caption_features._store, []

    def die_in_the_second(*arguments):
        batches.append(arguments)
        if len(batches) == 2:
            raise KeyboardInterrupt
        store(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(caption_features, "_store", die_in_the_second)
        with pytest.raises(KeyboardInterrupt):
            caption_features.compute_slice(cast.project.pk)
    caption_features.compute_slice(cast.project.pk)

    assert CaptionFeature.objects.count() == 4


def test_while_one_worker_reads_a_project_another_leaves_it_alone(cast, images, encoder):
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            key = f"captions:{cast.project.pk}:{encoder.key}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        assert caption_features.compute_slice(cast.project.pk).computed == ()
        other.rollback()
    finally:
        other.close()
    assert len(caption_features.compute_slice(cast.project.pk).computed) == 5


def test_changed_images_are_nudged_once_and_the_task_goes_on_to_the_end(cast, images, encoder, monkeypatch):
    monkeypatch.setattr(caption_features, "SLICE_CAPTIONS", 3)
    sent, refreshed = [], []
    monkeypatch.setattr(tasks.compute_captions, "apply_async", lambda **options: sent.append(options["args"]))
    monkeypatch.setattr(rescoring, "refresh", lambda project_id, ids: refreshed.extend(ids))

    tasks.nudge_captions(cast.project.pk)
    tasks.nudge_captions(cast.project.pk)
    assert sent == [[cast.project.pk]]

    tasks.compute_captions(*sent.pop())
    assert sent == [[cast.project.pk, images[2].pk]]
    tasks.compute_captions(*sent.pop())
    assert sent == []
    assert refreshed == [images[n].pk for n in (0, 1, 2, 4, 5)]


def test_new_images_and_the_sweep_ask_for_captions(cast, images, encoder, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "nudge_captions", sent.append)
    tasks.images_changed(cast.project.pk, [images[0].pk])
    tasks.sweep()
    assert sent.count(cast.project.pk) == 2


def test_reading_vectors_takes_one_query_at_any_number(cast, images, encoder, monkeypatch):
    caption_features.compute_slice(cast.project.pk)
    asked, read = [], halfvec.rows
    monkeypatch.setattr(halfvec, "rows", lambda *query: asked.append(query) or read(*query))
    for count in (1, 6):
        asked.clear()
        found = caption_features.vectors(CAPTIONS[:count])
        assert (len(asked), found.any(axis=1).tolist()) == (1, [bool(text) for text in CAPTIONS[:count]])


def test_a_new_tag_costs_its_own_words_alone(encoder, monkeypatch):
    encoders.encode_words(["There is a walrus in the picture."])
    encode, asked = type(encoder).encode, []
    monkeypatch.setattr(
        type(encoder), "encode", lambda self, texts: asked.append(list(texts)) or encode(self, texts)
    )
    words = ["There is a walrus in the picture.", "There is a narwhal in the picture."]

    vectors = encoders.encode_words(words)

    assert asked == [words[1:]]
    np.testing.assert_allclose(vectors, encode(encoder, words), atol=1e-6)


def test_after_warming_up_no_tag_is_read_again(planted, encoder, monkeypatch):
    images = planted.images(3, caption="A dog runs.")
    caption_features.compute_slice(planted.project.pk)
    tasks.warm_up(planted.project.pk)
    monkeypatch.setattr(type(encoder), "encode", lambda self, texts: pytest.fail(f"read again: {texts}"))
    assert built(planted.project.pk, images).text.meaning.shape == (3, 3)


def test_an_encoder_that_cannot_be_loaded_is_off_and_named_in_the_log(
    cast, images, tmp_path, settings, caplog
):
    folder = tiny_encoder.make(tmp_path / "cut")
    (folder / "model.safetensors").write_bytes(b"cut")
    settings.TEXT_ENCODER = str(folder)

    assert caption_features.compute_slice(cast.project.pk).computed == ()
    assert built(cast.project.pk, images).text.encoder == caption_words.key()
    assert str(folder / "model.safetensors") in caplog.text


def test_a_start_names_an_unusable_folder_and_passes_a_usable_one(tmp_path, settings):
    settings.TEXT_ENCODER = str(tmp_path / "nowhere")
    (problem,) = checks.text_encoder_is_usable()
    assert problem.id == "mlmodels.E003"
    assert str(tmp_path / "nowhere" / "config.json") in problem.msg

    folder = tiny_encoder.make(tmp_path / "wide", hidden_size=16)
    settings.TEXT_ENCODER = str(folder)
    (problem,) = checks.text_encoder_is_usable()
    assert str(folder / "model.safetensors") in problem.msg

    settings.TEXT_ENCODER = str(tiny_encoder.make(tmp_path / "good"))
    assert checks.text_encoder_is_usable() == []
    settings.TEXT_ENCODER = ""
    assert checks.text_encoder_is_usable() == []


def test_a_prediction_reads_its_caption_with_the_encoder(cast, encoder):
    make_tags(cast.project, "dog", "cat")

    def scores(caption: str) -> list[float]:
        found = prediction.predict(cast.project.pk, picture_key=None, caption=caption, limit=0)
        return [
            suggestion["score"] for suggestion in sorted(found.suggestions, key=lambda one: one["tag"]["id"])
        ]

    near, blank = scores("is in the picture"), scores("  ")
    assert near != blank
    assert not CaptionFeature.objects.exists()


def test_a_tag_that_only_meaning_suggests_shows_the_word_that_says_so(cast, images, encoder, monkeypatch):
    tags = make_tags(cast.project, "vehicle")
    caption_features.compute_slice(cast.project.pk)
    monkeypatch.setattr(nearness, "NEAR_CAPTION", -1.0)  # random weights know no nearness
    monkeypatch.setattr(nearness, "NEAR_WORD", -1.0)

    scoring.refresh(cast.project.pk, [image.pk for image in images])

    row = SuggestionSet.objects.get(image=images[1])
    (source,) = row.sources[row.tag_ids.index(tags["vehicle"])]
    assert source["evidence"] == {"start": 2, "end": 5, "text": "cat", "rule": "meaning"}
    assert SuggestionSet.objects.get(image=images[3]).sources == [[]], (
        "without a caption no word says anything"
    )


def test_what_a_caption_denies_is_not_near(cast, images, encoder):
    make_tags(cast.project, "dog")
    Image.objects.filter(pk=images[0].pk).update(caption="There is no dog in the picture.")
    caption_features.compute_slice(cast.project.pk)

    meaning = built(cast.project.pk, images[:1]).text.meaning

    np.testing.assert_allclose(meaning, [[-nearness.NEUTRAL]], atol=1e-6)


def test_a_version_serves_only_with_the_encoder_it_was_trained_with(planted, tmp_path, settings, monkeypatch):
    monkeypatch.setattr(training, "LINGER_S", 0.0)
    planted.images(60, caption="A dog runs.")
    planted.review(30)
    assert train(planted).state == JobState.DONE
    plain = ModelVersion.objects.get()

    settings.TEXT_ENCODER = str(tiny_encoder.make(tmp_path / "encoder"))
    caption_features.compute_slice(planted.project.pk)
    language = languages.of_project(planted.project.pk)
    assert heads.load_head(plain).encoding.text.encoder == caption_words.key()
    assert heads.scorer_for(planted.project.pk, language).version == plain
    planted.review(20)
    run = train(planted)
    assert run.state in (JobState.DONE, JobState.REFUSED), run.reason
    newest = ModelVersion.objects.get(run=run)
    assert heads.load_head(newest).encoding.text.encoder == encoders.key()

    settings.TEXT_ENCODER = ""
    found = heads.first_usable([newest, plain])
    assert found.version == plain
    assert f"The file of version {newest.number} cannot be used" in found.problem
    chosen = heads.of_version(found.version, language)
    images = [
        image.image_id
        for image in model_inputs.images(
            planted.project.pk, SuggestionSet.objects.values_list("image_id", flat=True)
        )
    ]
    batch = inputs.build(model_inputs.images(planted.project.pk, images), planted.extractor, language)
    assert np.isfinite(chosen.score(batch.inputs).probability).all()


def test_vectors_that_arrive_are_something_new_to_learn_from(planted, encoder):
    planted.images(8, caption="A dog runs.")
    planted.review(4)
    before = evidence.read(planted.project.pk, planted.extractor).fingerprint
    caption_features.compute_slice(planted.project.pk)
    assert evidence.read(planted.project.pk, planted.extractor).fingerprint != before


def train(planted):
    return training.execute(runs.request(planted.project.pk, seed=0).pk)


def test_captions_of_another_language_mean_nothing_by_english_words_and_a_head_of_them_still_scores(planted):
    planted.images(60, caption="A dog runs.")
    planted.review(30)
    assert train(planted).state == JobState.DONE
    version = ModelVersion.objects.get()

    planted.project.caption_language = "de"
    planted.project.save()
    language = languages.of_project(planted.project.pk)
    images = model_inputs.images(planted.project.pk, list(Image.objects.values_list("pk", flat=True)))
    found = inputs.build(images, planted.extractor, language).inputs

    assert found.text is None
    assert not found.words.vector.any()
    assert np.isfinite(heads.of_version(version, language).score(found).probability).all()
