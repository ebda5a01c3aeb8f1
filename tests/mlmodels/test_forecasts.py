"""The learning curve of the live version: climbed one fit a step, stored once, begun anew when there is more."""

import pytest
from django.utils import timezone

from annotations.models import Image
from mlmodels import tasks
from mlmodels.models import Extractor, LearningForecast, ModelVersion, TrainingRun
from mlmodels.services import evidence, forecasts, runs, training, versions


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Sixty reviews stand for the hundred and twenty that the app asks for."""
    monkeypatch.setattr(training, "LINGER_S", 0.0)
    monkeypatch.setattr(forecasts, "NEEDED_IMAGES", 50)


@pytest.fixture
def taught(planted):
    planted.project.holdout_percent = 0
    planted.project.save()
    planted.images(75)
    planted.review(60)
    run = training.execute(runs.request(planted.project.pk).pk)
    assert run.state == "done", run.reason
    planted.version = ModelVersion.objects.get(run=run)
    return planted


def climb(planted):
    """Every step until there is no more to do; how many."""
    steps = 1
    while forecasts.advance(planted.project.pk):
        steps += 1
    return steps


def copy_of(version, number, **changes):
    """A version that learnt the same."""
    other = ModelVersion.objects.get(pk=version.pk)
    other.pk, other.run, other.number = None, None, number
    for name, value in changes.items():
        setattr(other, name, value)
    other.save()
    return other


def test_a_curve_is_climbed_one_fit_a_step_and_then_says_what_is_expected(taught):
    steps = climb(taught)

    row = LearningForecast.objects.get()
    assert row.version == taught.version
    assert row.finished_at is not None
    assert sorted({point["images"] for point in row.points}) == [11, 22, 45]
    assert steps == len(row.points) + 1
    assert row.judged_on == "set aside"
    assert len(row.judged_ids) == 15
    overall = row.overall
    assert overall["images"] == 60
    assert [one["more"] for one in overall["expected"]] == [10, 20, 50]
    for one in overall["expected"]:
        assert 0 <= one["lower"] <= one["value"] <= one["upper"] <= 1
    assert set(row.tags) <= {str(tag_id) for tag_id in taught.tags.values()}
    assert row.tags
    assert not forecasts.is_due(taught.project.pk)


def test_what_judges_a_point_is_never_learnt_from(taught):
    forecasts.advance(taught.project.pk)
    row = LearningForecast.objects.get()

    learnt, judged = forecasts._sides(row, evidence.read(taught.project.pk, taught.version.extractor))

    assert len(judged.truth) == 15
    assert not set(learnt.image_ids) & set(row.judged_ids)
    assert len(learnt.image_ids) == 45


def test_with_a_reviewed_holdout_the_holdout_judges_and_everything_is_learnt_from(taught, monkeypatch):
    monkeypatch.setattr(forecasts, "HOLDOUT_FROM_IMAGES", 5)
    held = taught.images(20, first=500, holdout=True)
    taught.review(35)
    run = training.execute(runs.request(taught.project.pk).pk)
    versions.go_live(ModelVersion.objects.get(run=run))

    forecasts.advance(taught.project.pk)

    row = LearningForecast.objects.get()
    assert row.judged_on == "holdout"
    assert set(row.judged_ids) <= {image.pk for image in held}
    assert row.images == 75


def test_a_step_that_is_delivered_twice_adds_one_point(taught, monkeypatch):
    forecasts.advance(taught.project.pk)
    row = LearningForecast.objects.get()

    forecasts._store(row, row.points[0])

    row.refresh_from_db()
    assert len(row.points) == 1


def test_training_that_runs_goes_first(taught):
    TrainingRun.objects.create(project=taught.project, state="running")

    assert forecasts.advance(taught.project.pk) is False
    assert not LearningForecast.objects.exists()
    assert forecasts.is_due(taught.project.pk), "the sweep finds it afterwards"


def test_a_curve_is_begun_anew_when_a_fifth_more_was_learnt_from(taught):
    climb(taught)
    for number, (images, due) in enumerate([(71, False), (72, True)], taught.version.number + 1):
        versions.go_live(copy_of(taught.version, number, trained_images=images))
        assert forecasts.is_due(taught.project.pk) is due


def test_a_curve_over_another_backbone_is_begun_anew_and_not_shown_as_the_present_one(taught):
    climb(taught)
    extractor = Extractor.objects.create(key="other", name="other", dimensions=8)
    other = copy_of(taught.version, taught.version.number + 1, extractor=extractor)
    assert forecasts.newest(taught.project.pk).version == taught.version

    versions.go_live(other)

    assert forecasts.is_due(taught.project.pk)
    assert forecasts.newest(taught.project.pk) is None
    versions.go_live(taught.version)
    assert not forecasts.is_due(taught.project.pk)
    assert forecasts.newest(taught.project.pk).version == taught.version


def test_a_curve_of_what_was_left_after_images_were_deleted_is_climbed_once(taught):
    reviewed = Image.objects.filter(project=taught.project, reviews_done__gt=0)
    Image.objects.filter(pk__in=list(reviewed.values_list("pk", flat=True)[:15])).update(
        deleted_at=timezone.now()
    )

    climb(taught)

    assert LearningForecast.objects.get().images == 45
    assert not forecasts.is_due(taught.project.pk), "60 images are a fifth more than 45"


def test_too_few_reviews_are_told_instead_of_a_forecast(taught, monkeypatch):
    monkeypatch.setattr(forecasts, "NEEDED_IMAGES", 120)

    tasks.climb_curve(taught.project.pk)

    assert not LearningForecast.objects.exists()
    progress = forecasts.progress(taught.project.pk)
    assert (progress.learnt, progress.needed, progress.total) == (60, 120, 0)


def test_points_that_share_no_judged_tag_end_in_no_forecast_but_end(taught):
    climb(taught)
    row = LearningForecast.objects.get()
    row.points = [point | {"tags": {}} for point in row.points]

    forecasts._finish(row)

    row.refresh_from_db()
    assert row.overall == {}
    assert row.tags == {}
    assert not forecasts.is_due(taught.project.pk)


def test_points_of_another_extractor_are_thrown_away(taught):
    forecasts.advance(taught.project.pk)
    row = LearningForecast.objects.get()
    other = Extractor.objects.create(key="other", name="other", dimensions=8)
    ModelVersion.objects.filter(pk=row.version_id).update(extractor=other)
    row.version.refresh_from_db()

    newer = copy_of(taught.version, taught.version.number + 1, extractor=taught.extractor)
    versions.go_live(newer)
    forecasts.advance(taught.project.pk)

    again = LearningForecast.objects.get()
    assert again.version == newer
    assert len(again.points) == 1
