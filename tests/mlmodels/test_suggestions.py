"""Suggestions follow what happens: new pictures, a new tag, a changed caption, another version, a broken file."""

import json

import pytest

from annotations.models import Image, LiveModel, QueueEntry, SuggestionSet
from annotations.selectors import model_inputs
from annotations.services import image_edits, queue, suggestions, tags
from annotations.types import SuggestionRow, TagSpec
from mlmodels import tasks
from mlmodels.models import ImageFeature, ModelVersion
from mlmodels.services import heads, languages, rescoring, runs, scoring, training, versions
from tests.factories import make_tags


def words_of(planted, image):
    found = SuggestionSet.objects.get(image=image)
    names = {tag_id: name for name, tag_id in planted.tags.items()}
    return [names[tag_id] for tag_id in found.tag_ids]


def train(planted):
    run = training.execute(runs.request(planted.project.pk).pk)
    return ModelVersion.objects.get(run=run)


def test_before_the_first_review_a_caption_suggests_with_its_evidence(planted):
    (image,) = planted.images(1, caption="A dog runs past a boat.")

    scoring.refresh(planted.project.pk, [image.pk])

    found = SuggestionSet.objects.get(image=image)
    assert words_of(planted, image) == ["dog", "boat", "tree"]
    assert planted.tags["dog"] in found.offered_ids
    assert planted.tags["tree"] not in found.offered_ids
    assert (found.calibrated, found.model_number) == (False, 0)
    said = next(source for source in found.sources[0] if source["kind"] == "caption")
    assert said["evidence"] == {"start": 2, "end": 5, "text": "dog", "rule": "exact"}


def test_what_a_word_is_merely_near_to_is_no_reason_to_show(planted):
    (image,) = planted.images(1, caption="A wolf howls.")
    language = languages.of_project(planted.project.pk)

    scoring.refresh(planted.project.pk, [image.pk])

    near = {match.tag_id: match.score for match in language.read([image.caption])[0].matches}
    found = SuggestionSet.objects.get(image=image)
    kinds = {source["kind"] for source in found.sources[found.tag_ids.index(planted.tags["dog"])]}
    assert near[planted.tags["dog"]] > 0
    assert "caption" not in kinds


def test_a_denied_mention_is_kept_with_its_place_but_not_offered(planted):
    (image,) = planted.images(1, caption="A boat without a dog.")

    scoring.refresh(planted.project.pk, [image.pk])

    found = SuggestionSet.objects.get(image=image)
    place = found.tag_ids.index(planted.tags["dog"])
    said = next(source for source in found.sources[place] if source["kind"] == "caption")
    assert planted.tags["dog"] not in found.offered_ids
    assert said["score"] == 0.0
    assert said["evidence"]["negated"] is True
    assert (said["evidence"]["start"], said["evidence"]["end"]) == (17, 20)


def test_a_denied_mention_is_kept_even_among_many_better_tags(planted):
    make_tags(planted.project, *(f"thing {index}" for index in range(30)))
    (image,) = planted.images(1, caption="No dog: " + ", ".join(f"thing {index}" for index in range(30)))

    scoring.refresh(planted.project.pk, [image.pk])

    found = SuggestionSet.objects.get(image=image)
    assert len(found.tag_ids) == 20
    assert found.tag_ids[-1] == planted.tags["dog"]


def test_a_tag_created_now_is_suggested_by_its_prior(planted):
    (image,) = planted.images(1, caption="A red car under a tree.")
    scoring.refresh(planted.project.pk, [image.pk])
    (car,) = tags.create_many(planted.project, [TagSpec(name="car")], actor=None)

    tasks.vocabulary_changed(planted.project.pk)

    assert car.pk in SuggestionSet.objects.get(image=image).offered_ids


def test_a_new_tag_is_suggested_beside_a_head_that_does_not_know_it(planted):
    planted.images(40, caption="A red car.")
    planted.review(30)
    version = train(planted)
    (car,) = tags.create_many(planted.project, [TagSpec(name="car")], actor=None)

    rescoring.next_of_queue(planted.project.pk)

    entry = QueueEntry.objects.filter(project=planted.project).first()
    found = SuggestionSet.objects.get(image_id=entry.image_id)
    assert car.pk in found.tag_ids
    assert found.model_number == version.number


def test_an_alias_counts_in_captions_as_soon_as_it_is_there(planted):
    (image,) = planted.images(1, caption="A hound by the sea.")
    tag = planted.project.tags.get(name="boat")
    scoring.refresh(planted.project.pk, [image.pk])
    tags.update(tag, {"aliases": ["hound"]}, actor=planted.cast.manager)

    tasks.vocabulary_changed(planted.project.pk)
    tasks.walk(planted.project.pk, everything=True)

    assert words_of(planted, image)[0] == "boat"


def test_a_changed_caption_is_read_again(planted):
    (image,) = planted.images(1, caption="A dog.")
    scoring.refresh(planted.project.pk, [image.pk])
    Image.objects.filter(pk=image.pk).update(caption="A tree.")

    tasks.images_changed(planted.project.pk, [image.pk])

    assert words_of(planted, image)[0] == "tree"


def test_a_changed_caption_is_read_again_even_if_the_message_is_lost(planted, monkeypatch):
    monkeypatch.setattr(tasks, "nudge", lambda *_, **__: None)
    (image,) = planted.images(1, caption="A dog.")
    scoring.refresh(planted.project.pk, [image.pk])
    assert not rescoring.has_stale(planted.project.pk)

    changes = {"caption": "A tree."}
    image_edits.update(planted.project, image.pk, 1, changes, actor=planted.cast.manager)
    assert rescoring.has_stale(planted.project.pk)
    rescoring.walk(planted.project.pk)

    assert words_of(planted, image)[0] == "tree"


def test_a_walk_brings_only_stale_suggestions_up_to_date_and_then_finds_none(planted):
    planted.images(30)
    planted.review(20)
    version = train(planted)
    assert rescoring.has_stale(planted.project.pk), "reviewed images still lack the new version's suggestions"

    walked = rescoring.walk(planted.project.pk)

    assert walked.scored == 20
    assert not rescoring.has_stale(planted.project.pk)
    numbers = set(SuggestionSet.objects.values_list("model_number", flat=True))
    assert numbers == {version.number}


def test_before_the_scores_are_calibrated_the_queue_is_in_random_order(planted):
    planted.images(10)
    scoring.refresh(planted.project.pk, list(Image.objects.values_list("pk", flat=True)))
    assert set(QueueEntry.objects.values_list("reason", flat=True)) == {"random"}


def test_an_image_without_a_caption_or_a_feature_does_no_harm(planted):
    (image,) = planted.images(1)
    ImageFeature.objects.update(vector=None, class_probabilities=None, error="The file is cut.")

    scoring.refresh(planted.project.pk, [image.pk])

    found = SuggestionSet.objects.get(image=image)
    assert found.offered_ids == []
    assert found.tag_ids and found.sources == [[] for _ in found.tag_ids]


def test_a_project_without_tags_has_nothing_to_suggest(planted):
    (image,) = planted.images(1, caption="A dog.")
    for tag in planted.project.tags.all():
        tags.retire(tag, actor=planted.cast.manager)

    scoring.refresh(planted.project.pk, [image.pk])

    assert SuggestionSet.objects.get(image=image).tag_ids == []


class TestVersions:
    @pytest.fixture
    def two(self, planted):
        planted.images(90)
        planted.review(40)
        first = train(planted)
        planted.review(30)
        second = train(planted)
        assert second.verdict != "refused", second.reasons
        return first, second

    def test_roll_back_serves_the_earlier_version_and_keeps_the_cursor(self, planted, two):
        first, _ = two
        before = LiveModel.objects.get(project=planted.project)

        versions.activate(planted.project.pk, first.pk, actor_id=planted.cast.admin.pk)
        tasks.version_activated(planted.project.pk)

        live = LiveModel.objects.get(project=planted.project)
        assert (live.version_id, live.number) == (first.pk, first.number)
        assert live.read_decisions == before.read_decisions
        entry = QueueEntry.objects.filter(project=planted.project).first()
        assert SuggestionSet.objects.get(image_id=entry.image_id).model_number == first.number

    def test_a_tampered_file_leaves_the_earlier_version_serving_and_says_so(self, planted, two):
        first, second = two
        file = heads.artifact_folder(second) / "head.safetensors"
        file.write_bytes(file.read_bytes()[:-1] + b"x")
        heads._load_head.cache_clear()

        rescoring.next_of_queue(planted.project.pk)

        live = LiveModel.objects.get(project=planted.project)
        assert live.number == first.number
        assert f"version {second.number}" in live.metrics["problem"]
        entry = QueueEntry.objects.filter(project=planted.project).first()
        assert SuggestionSet.objects.get(image_id=entry.image_id).model_number == first.number

    def test_without_any_readable_file_the_prior_serves(self, planted, two):
        for version in two:
            (heads.artifact_folder(version) / "manifest.json").unlink()
        heads._load_head.cache_clear()

        rescoring.next_of_queue(planted.project.pk)

        live = LiveModel.objects.get(project=planted.project)
        assert (live.version_id, live.number) == (None, 0)
        assert live.metrics["problem"]


def test_an_image_that_left_the_queue_gets_suggestions_but_no_rank(planted):
    (image,) = planted.images(1, caption="A dog.")
    queue.leave(image)

    scoring.refresh(planted.project.pk, [image.pk])

    assert SuggestionSet.objects.filter(image=image).exists()
    assert not QueueEntry.objects.filter(image=image).exists()


@pytest.mark.parametrize("as_text", [False, True])
def test_any_text_arrives_in_the_evidence_as_it_was(planted, as_text):
    (image,) = planted.images(1)
    said = [[{"kind": "caption", "evidence": {"text": 'back\\slash "quote"\ttab\nline \\N 🐕'}}]]
    row = SuggestionRow(
        image_id=image.pk,
        tag_ids=[planted.tags["dog"]],
        scores=[0.25],
        offered_ids=[],
        sources=json.dumps(said) if as_text else said,
        calibrated=True,
        model_version_id=None,
        model_number=3,
        vocabulary_version=1,
    )

    assert suggestions.store(planted.project.pk, [row]) == 1

    found = SuggestionSet.objects.get(image=image)
    assert (found.sources, found.scores, found.offered_ids) == (said, [0.25], [])
    assert (found.model_version_id, found.model_number, found.calibrated) == (None, 3, True)


def test_many_images_are_scored_in_chunks_like_few(planted, monkeypatch):
    images = planted.images(7, caption="A dog without a boat.")
    ids = [image.pk for image in images]
    scoring.refresh(planted.project.pk, ids)
    whole = list(SuggestionSet.objects.order_by("image").values("image", "tag_ids", "scores", "sources"))
    monkeypatch.setattr(scoring, "CHUNK_IMAGES", 2)

    assert scoring.refresh(planted.project.pk, ids) == 7

    chunks = list(SuggestionSet.objects.order_by("image").values("image", "tag_ids", "scores", "sources"))
    assert chunks == whole


def test_a_chunk_that_fails_ends_the_work_after_those_before_it(planted, monkeypatch):
    images = planted.images(6)
    monkeypatch.setattr(scoring, "CHUNK_IMAGES", 2)
    read = model_inputs.images
    broken = images[4].pk

    def fail(project_id, image_ids):
        if broken in image_ids:
            raise OSError("the database went away")
        return read(project_id, image_ids)

    monkeypatch.setattr(model_inputs, "images", fail)
    with pytest.raises(OSError, match="went away"):
        scoring.refresh(planted.project.pk, [image.pk for image in images])

    stored = set(SuggestionSet.objects.values_list("image_id", flat=True))
    assert {image.pk for image in images[:2]} <= stored
    assert broken not in stored
    monkeypatch.undo()
    assert rescoring.walk(planted.project.pk).scored >= 2
    assert SuggestionSet.objects.count() == 6
