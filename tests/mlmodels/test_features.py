"""Features are computed exactly once, go on after a kill, and a bad picture does not stop the others."""

import numpy as np
import pytest
from django.db import connections

from annotations.models import SuggestionSet
from annotations.services import storage
from mlmodels import selectors, tasks
from mlmodels.models import Extractor, ImageFeature
from mlmodels.services import extractors, features, halfvec, inputs, scoring
from tests.factories import make_images, make_tags
from tests.mlmodels.conftest import drawn, with_file


@pytest.fixture
def images(cast, loaded):
    found = make_images(cast.project, 6, caption="A dog.")
    for image, colour in zip(found, ("red", "blue", "green", "black", "grey", "brown"), strict=True):
        with_file(image, drawn(colour))
    return found


def test_each_image_gets_one_feature_however_often_the_task_comes(cast, images):
    first = features.compute_slice(cast.project.pk)
    again = features.compute_slice(cast.project.pk)

    assert sorted(first.computed) == [image.pk for image in images]
    assert again.computed == ()
    assert ImageFeature.objects.count() == 6


def test_what_is_stored_is_what_the_extractor_said(cast, images, loaded):
    features.compute_slice(cast.project.pk)

    from annotations.pictures import open_upright

    picture = open_upright(storage.read(images[0].storage_key), at_least_px=loaded.side_px)
    said = loaded.embed([picture])
    stored = inputs.stored_features([images[0].pk], Extractor.objects.get())
    assert stored.present.tolist() == [True]
    assert float(stored.vision[0] @ said.features[0]) == pytest.approx(1.0, abs=1e-3)
    assert np.abs(stored.class_probabilities - said.class_probabilities).max() < 1e-3


def test_a_kill_between_two_batches_goes_on_where_it_was(cast, images, monkeypatch):
    monkeypatch.setattr(features, "BATCH_IMAGES", 2)
    embed, batches = extractors.load("").embed_pixels, []

    def die_in_the_second(pixels):
        batches.append(len(pixels))
        if len(batches) == 2:
            raise KeyboardInterrupt
        return embed(pixels)

    with monkeypatch.context() as patched:
        patched.setattr(extractors.load(""), "embed_pixels", die_in_the_second)
        with pytest.raises(KeyboardInterrupt):
            features.compute_slice(cast.project.pk)
    stored = set(ImageFeature.objects.values_list("pk", flat=True))
    features.compute_slice(cast.project.pk)

    assert len(stored) == 2
    assert stored < set(ImageFeature.objects.values_list("pk", flat=True))
    assert ImageFeature.objects.count() == 6


def test_a_slice_says_where_the_next_one_starts(cast, images, monkeypatch):
    monkeypatch.setattr(features, "SLICE_IMAGES", 4)
    first = features.compute_slice(cast.project.pk)
    second = features.compute_slice(cast.project.pk, after_id=first.resume_after)

    assert first.resume_after == images[3].pk
    assert [len(first.computed), len(second.computed)] == [4, 2]
    assert second.resume_after is None


def test_a_slow_slice_ends_early_and_says_where_to_go_on(cast, images, monkeypatch):
    monkeypatch.setattr(features, "BATCH_IMAGES", 2)
    monkeypatch.setattr(features, "SLICE_S", -1.0)
    first = features.compute_slice(cast.project.pk)
    assert (first.computed, first.resume_after) == ((images[0].pk, images[1].pk), images[1].pk)


def test_a_picture_that_cannot_be_read_is_recorded_and_still_has_its_caption(cast, images):
    tags = make_tags(cast.project, "dog")
    with_file(images[1], b"this is no picture")
    storage.delete(images[2].storage_key)

    done = features.compute_slice(cast.project.pk)
    scoring.refresh(cast.project.pk, done.computed)

    errors = dict(ImageFeature.objects.exclude(error="").values_list("image_id", "error"))
    assert set(errors) == {images[1].pk, images[2].pk}
    assert "missing" in errors[images[2].pk]
    for image in images:
        assert SuggestionSet.objects.get(image=image).offered_ids == [tags["dog"]]
    assert not selectors.wants_features(cast.project.pk, Extractor.objects.get())


def test_a_storage_that_is_down_is_tried_again(cast, images, monkeypatch):
    def down(key):
        raise ConnectionError(key)

    with monkeypatch.context() as patched:
        patched.setattr(storage, "read", down)
        assert features.compute_slice(cast.project.pk).computed == ()
    assert not ImageFeature.objects.exists()
    assert len(features.compute_slice(cast.project.pk).computed) == 6


def test_while_one_worker_computes_a_project_another_leaves_it_alone(cast, images):
    row = extractors.loaded_row(cast.project.extractor)
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            key = f"features:{cast.project.pk}:{row.pk}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        assert features.compute_slice(cast.project.pk).computed == ()
        other.rollback()
    finally:
        other.close()
    assert len(features.compute_slice(cast.project.pk).computed) == 6


def test_new_images_are_nudged_once_and_suggested_after_their_features(cast, images, monkeypatch):
    make_tags(cast.project, "dog")
    sent = []
    monkeypatch.setattr(tasks.compute_features, "apply_async", lambda **options: sent.append(options["args"]))

    tasks.images_changed(cast.project.pk, [image.pk for image in images])
    tasks.images_changed(cast.project.pk, [image.pk for image in images])
    assert sent == [[cast.project.pk]]
    assert not SuggestionSet.objects.exists()

    tasks.compute_features(*sent[0])
    assert SuggestionSet.objects.count() == 6


def test_the_sweep_finds_images_whose_nudge_was_lost(cast, images, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.compute_features, "apply_async", lambda **options: sent.append(options["args"]))
    tasks.sweep()
    assert [cast.project.pk] in sent


def test_reading_features_takes_one_query_at_any_number(cast, images, monkeypatch):
    features.compute_slice(cast.project.pk)
    extractor = Extractor.objects.get()
    asked, read = [], halfvec.rows
    monkeypatch.setattr(halfvec, "rows", lambda *query: asked.append(query) or read(*query))
    for count in (1, 6):
        asked.clear()
        found = inputs.stored_features([image.pk for image in images[:count]], extractor)
        assert (len(asked), int(found.present.sum())) == (1, count)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_the_engine_may_be_set(engine, settings):
    settings.VISION_ENGINE = engine
    assert extractors.load.__wrapped__("tf_efficientnet_lite0").engine.name == engine
