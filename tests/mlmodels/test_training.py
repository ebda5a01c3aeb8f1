"""A run from claim to live: what it learns, what it refuses, and what survives a kill."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.models import LiveModel, Review, SuggestionSet
from annotations.models.job import JobState
from annotations.selectors import model_inputs, stats
from annotations.services import jobs, reviews
from mlmodels import tasks
from mlmodels.models import ImageFeature, ModelVersion, TrainingRun
from mlmodels.services import evidence, heads, languages, runs, training


def train(planted, seed=0):
    return training.execute(runs.request(planted.project.pk, seed=seed).pk)


@pytest.fixture(autouse=True)
def no_lingering(monkeypatch):
    """Tests answer and train within a second; only the test of lingering waits for more."""
    monkeypatch.setattr(training, "LINGER_S", 0.0)


def unlearned(planted):
    return stats.project_stats(planted.project)["unlearned_decisions"]


def test_reviews_become_a_live_version_that_suggests_on_other_images(planted):
    planted.images(60)
    planted.review(40)

    run = train(planted)

    assert run.state == JobState.DONE, run.reason
    version = ModelVersion.objects.get(run=run)
    assert LiveModel.objects.get(project=planted.project).version_id == version.pk
    waiting = SuggestionSet.objects.filter(project=planted.project, model_number=version.number)
    assert waiting.count() == 20
    wrong = 0
    for suggestions in waiting.select_related("image"):
        offered = {name for name, tag_id in planted.tags.items() if tag_id in suggestions.offered_ids}
        wrong += len(offered ^ set(planted.yes_of(suggestions.image)))
    assert wrong <= 12, "of 60 pairs, where guessing is wrong in 30"


def test_the_cursor_counts_what_the_newest_judged_version_has_read(planted):
    planted.images(60)
    planted.review(20)
    before = unlearned(planted)
    train(planted)
    learned = unlearned(planted)
    planted.review(1)

    assert before > 0
    assert learned == 0
    assert unlearned(planted) > 0


def test_an_undo_is_something_to_learn(planted):
    planted.images(40)
    planted.review(20)
    train(planted)

    review = Review.objects.filter(project=planted.project).last()
    reviews.undo(planted.cast.membership(planted.cast.annotator), review.pk)

    assert unlearned(planted) == 1
    assert train(planted).state in (JobState.DONE, JobState.REFUSED)
    assert ModelVersion.objects.last().trained_images == 19
    assert unlearned(planted) == 0


def test_unchanged_data_is_not_trained_on_again(planted):
    planted.images(40)
    planted.review(20)
    first = train(planted)

    again = train(planted)

    assert again.state == JobState.DONE
    assert again.result["skipped"] is True
    assert again.result["version"] == first.result["version"]
    assert ModelVersion.objects.count() == 1


def test_a_version_whose_run_failed_before_it_went_live_does_not_count_as_known(planted, monkeypatch):
    planted.images(40)
    planted.review(20)

    def break_down(*_):
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("mlmodels.services.rescoring.before_promotion", break_down)
        assert train(planted).state == JobState.FAILED
    assert unlearned(planted) > 0

    again = train(planted)

    assert "skipped" not in again.result
    assert LiveModel.objects.get(project=planted.project).number == again.result["version"]["number"]
    assert unlearned(planted) == 0


def test_a_cold_start_from_the_same_data_and_seed_gives_the_same_bits(planted):
    planted.images(40)
    planted.review(20)

    found = [evidence.read(planted.project.pk, planted.extractor) for _ in range(2)]
    one, other = (training.fit_head(each, 3) for each in found)

    assert found[0].fingerprint == found[1].fingerprint
    tensors = other.head.to_tensors()
    assert all((value == tensors[name]).all() for name, value in one.head.to_tensors().items())


def test_holdout_answers_judge_and_never_train(planted):
    planted.images(80)
    planted.images(60, first=1000, holdout=True)
    planted.review(130)
    answered = Review.objects.filter(project=planted.project, image__is_holdout=True).count()
    assert answered >= 50, "the draw gives the holdout its share once the rest is done"

    train(planted)

    version = ModelVersion.objects.get()
    assert version.metrics["judged_on"] == "holdout"
    assert version.holdout_images == answered
    left_out = version.metrics["near_holdout_left_out"]
    assert version.trained_images + left_out + answered == 130
    trained = set(heads.load_out_of_fold(version).image_ids.tolist())
    assert not trained & {image.image_id for image in model_inputs.holdout(planted.project.pk)}


def test_captions_of_unreviewed_images_teach_but_never_the_holdouts(planted):
    silent = planted.images(3)
    waiting = planted.images(4, first=100, caption="A dog.")
    holdout = planted.images(3, first=200, holdout=True, caption="A dog.")
    reviewed = planted.review(2)
    read = evidence.read(planted.project.pk, planted.extractor)
    expected = {image.pk for image in waiting} - {image.pk for image in reviewed}
    assert set(read.unreviewed.image_ids) == expected
    assert not expected & {image.pk for image in [*silent, *holdout]}


def test_after_warming_up_a_run_reads_no_caption_again(planted, monkeypatch):
    planted.images(4, caption="A dog in a boat.")
    tasks.warm_up(planted.project.pk)
    reader = languages.of_project(planted.project.pk).reader
    monkeypatch.setattr(reader, "read", lambda captions: pytest.fail(f"read again: {captions}"))
    assert len(evidence.read(planted.project.pk, planted.extractor).unreviewed.image_ids) == 4


def test_a_near_duplicate_of_a_holdout_image_stays_out_of_training(planted):
    images = planted.images(30)
    (kept_apart,) = planted.images(1, first=500, holdout=True)
    copy = images[0]
    vector = ImageFeature.objects.get(image=kept_apart).vector
    ImageFeature.objects.filter(image=copy).update(vector=vector)
    planted.review(31)

    read = evidence.read(planted.project.pk, planted.extractor)

    assert read.near_holdout == 1
    assert copy.pk not in read.training.batch.image_ids


def test_what_serves_follows_the_verdict_and_the_evidence_counts_as_read_either_way(planted):
    planted.images(120)
    planted.review(40)
    good = train(planted)
    # From here on the truth is turned round: what was learned serves on if the new head is no better.
    planted.review(3, wrong=True)

    second = train(planted)

    assert unlearned(planted) == 0
    live = LiveModel.objects.get(project=planted.project)
    assert live.last_candidate["verdict"] == second.result["verdict"]
    expected = second if second.result["verdict"] != "refused" else good
    assert live.number == expected.result["version"]["number"]


def test_shuffled_answers_are_refused(planted):
    images = planted.images(60)
    for image in images:  # features that say nothing of the answers
        ImageFeature.objects.filter(image=image).update(
            vector=ImageFeature.objects.get(image=images[(images.index(image) * 17 + 5) % 60]).vector
        )
    planted.review(50)

    run = train(planted)

    assert run.state == JobState.REFUSED
    assert LiveModel.objects.get(project=planted.project).number == 0
    assert stats.project_stats(planted.project)["last_candidate"]["verdict"] == "refused"


def test_without_answers_a_run_is_refused_with_a_reason(planted):
    planted.images(5)
    run = train(planted)
    assert run.state == JobState.REFUSED
    assert "review" in run.reason


def test_a_run_delivered_twice_has_one_effect(planted):
    planted.images(40)
    planted.review(20)
    run = runs.request(planted.project.pk)

    tasks.train(run.pk)
    tasks.train(run.pk)

    assert ModelVersion.objects.count() == 1
    assert TrainingRun.objects.get(pk=run.pk).attempts == 1


def test_two_runs_of_a_project_never_run_at_once(planted):
    planted.images(30)
    planted.review(10)
    first = runs.request(planted.project.pk)
    assert runs.claim(first.pk) is not None
    second = runs.request(planted.project.pk)

    assert second.pk != first.pk
    assert runs.claim(second.pk) is None
    assert runs.request(planted.project.pk).pk == second.pk, "one waits, and answers for all"


class Killed(BaseException):
    """What a `kill -9` looks like from inside: nothing of ours runs any more."""


@pytest.mark.parametrize(
    "where",
    [
        "mlmodels.services.training.fit_head",
        "mlmodels.services.judging.judge",
        "mlmodels.services.versions.next_number",
        "mlmodels.services.rescoring.before_promotion",
        "mlmodels.services.versions.go_live",
    ],
)
def test_a_kill_between_any_two_stages_heals(planted, monkeypatch, where):
    planted.images(40)
    planted.review(20)
    run = runs.request(planted.project.pk)

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(where, die)
        with pytest.raises(Killed):
            training.execute(run.pk)
    assert training.execute(run.pk) is None, "its heartbeat is fresh: nobody takes it yet"
    silent = timezone.now() - jobs.STALE_AFTER - timedelta(seconds=1)
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=silent)
    assert run.pk in jobs.waiting_ids(TrainingRun)

    healed = training.execute(run.pk)

    assert healed.state == JobState.DONE
    assert ModelVersion.objects.count() == 1
    assert LiveModel.objects.get(project=planted.project).number == 1


def test_a_worker_that_lost_its_claim_publishes_nothing(planted, monkeypatch):
    planted.images(40)
    planted.review(20)
    run = runs.request(planted.project.pk)
    fit = training.fit_head

    def fit_while_another_takes_over(*given):
        silent = timezone.now() - jobs.STALE_AFTER - timedelta(seconds=1)
        TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=silent)
        assert jobs.claim(TrainingRun, run.pk) is not None
        return fit(*given)

    monkeypatch.setattr(training, "fit_head", fit_while_another_takes_over)
    training.execute(run.pk)

    assert not ModelVersion.objects.exists()
    assert TrainingRun.objects.get(pk=run.pk).state == JobState.RUNNING


def test_a_run_stops_between_stages_when_asked(planted, monkeypatch):
    planted.images(40)
    planted.review(20)
    run = runs.request(planted.project.pk)
    fit = training.fit_head

    def fit_while_somebody_cancels(*given):
        runs.cancel(TrainingRun.objects.get(pk=run.pk), actor_id=None)
        return fit(*given)

    monkeypatch.setattr(training, "fit_head", fit_while_somebody_cancels)
    ended = training.execute(run.pk)

    assert ended.state == JobState.CANCELLED
    assert not ModelVersion.objects.exists()
    assert unlearned(planted) > 0


def test_answers_that_arrive_during_the_fit_are_learned_by_the_same_run(planted, monkeypatch):
    planted.images(60)
    planted.review(20)
    fit, calls = training.fit_head, []

    def fit_while_somebody_reviews(*given):
        if not calls:
            planted.review(5)
        calls.append(given)
        return fit(*given)

    monkeypatch.setattr(training, "fit_head", fit_while_somebody_reviews)
    train(planted)

    assert ModelVersion.objects.get().trained_images == 25
    assert unlearned(planted) == 0


def test_a_run_lingers_while_somebody_is_still_answering(planted, monkeypatch):
    planted.images(60)
    planted.review(20)
    monkeypatch.setattr(training, "LINGER_S", 60.0)
    monkeypatch.setattr(training, "STILL_ANSWERING_S", 60.0)
    looks = []

    def review_meanwhile(seconds):
        looks.append(seconds)
        planted.review(5)
        monkeypatch.setattr(training, "LINGER_S", 0.0)

    monkeypatch.setattr(training.time, "sleep", review_meanwhile)
    train(planted)

    assert len(looks) == 1
    assert ModelVersion.objects.get().trained_images == 25


def test_an_error_ends_the_run_as_failed_with_its_reason(planted, monkeypatch):
    planted.images(40)
    planted.review(20)

    def break_down(*_):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(training, "fit_head", break_down)
    run = train(planted)

    assert run.state == JobState.FAILED
    assert "the disk is full" in run.reason
