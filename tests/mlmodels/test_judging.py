"""What a candidate is judged by: the holdout's rules, the incumbents, and figures that can be worked out again."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from annotations.models import Image, Review
from annotations.selectors import model_inputs
from mlmodels.core import artifacts
from mlmodels.core.evaluation import metrics
from mlmodels.models import Extractor, ImageFeature, ModelVersion
from mlmodels.services import curves, evidence, heads, judging, runs, training, versions
from mlmodels.services.evidence import HoldoutPictures, near_holdout


@pytest.fixture(autouse=True)
def no_lingering(monkeypatch):
    monkeypatch.setattr(training, "LINGER_S", 0.0)


def train(planted):
    run = training.execute(runs.request(planted.project.pk).pk)
    return ModelVersion.objects.get(run=run)


@pytest.fixture
def with_holdout(planted):
    """Sixty reviewed images on either side."""
    planted.images(60)
    planted.images(60, first=1000, holdout=True)
    planted.review(120)
    return planted


def judged_again(planted, version):
    """A judgement of the version's own head, with the evidence as it is now."""
    read = evidence.read(planted.project.pk, version.extractor)
    stored = heads.load_out_of_fold(version)
    head = heads.load_head(version)
    return judging.judge(planted.project.pk, read, head, np.asarray(stored.scores), seed=version.seed)


def test_figures_of_the_holdout_count_each_image_by_its_inverse_chance(with_holdout):
    """Half of it was drawn while one in fifty was: each of those speaks for fifty, in every figure of a version."""
    rare = Image.objects.filter(project=with_holdout.project, is_holdout=True).order_by("pk")[:30]
    Image.objects.filter(pk__in=[image.pk for image in rare]).update(holdout_probability=0.02)
    Image.objects.filter(project=with_holdout.project, is_holdout=True).exclude(
        pk__in=[image.pk for image in rare]
    ).update(holdout_probability=0.2)

    version = train(with_holdout)

    weights = evidence.read(with_holdout.project.pk, version.extractor).holdout.weights
    assert {*weights.tolist()} == {50.0, 5.0}
    stored = artifacts.load_judged(heads.artifact_folder(version), version.artifact_sha256)
    scores, truth = stored["candidate.scores"], stored["truth"]
    assert {*stored["weights"].tolist()} == {50.0, 5.0}
    for k, tag_id in enumerate(stored["tag_ids"]):
        figures = version.tag_metrics[str(tag_id)]
        expected = metrics.calibration_error(truth[:, [k]], scores[:, [k]], weights=stored["weights"])
        assert figures["calibration_error"] == judging.number(expected)
    assert version.curves == curves.draw(truth, scores, stored["weights"])
    assert version.curves != curves.draw(truth, scores, np.ones(len(truth)))


class TestReasons:
    def test_the_holdout_verdict_follows_from_what_is_stored(self, with_holdout):
        version = train(with_holdout)
        verdict = judging.again(version)
        assert version.metrics["judged_on"] == "holdout"
        assert (verdict.outcome, list(verdict.reasons)) == (version.verdict, version.reasons)
        assert verdict.details.items() <= version.details.items()
        assert verdict.details["deviations_from_chance_taught"] > 4

    def test_so_does_one_from_training_images(self, planted):
        planted.images(60)
        planted.review(40)
        version = train(planted)
        verdict = judging.again(version)
        assert version.metrics["judged_on"] != "holdout"
        assert (verdict.outcome, list(verdict.reasons)) == (version.verdict, version.reasons)

    def test_every_figure_has_an_interval_and_macro_figures_say_of_how_many_tags(self, with_holdout):
        version = train(with_holdout)
        for name in ("micro_precision", "micro_f1", "macro_f1", "macro_average_precision", "precision_at_3"):
            lower, upper = version.metrics[f"{name}_interval"]
            assert lower <= version.metrics[name] <= upper, name
        assert version.metrics["macro_tags"] == 3
        for figures in version.tag_metrics.values():
            assert figures["f1_interval"][0] <= figures["f1"] <= figures["f1_interval"][1]


class TestHoldout:
    def test_the_newest_reviews_are_reported_beside_the_others(self, with_holdout, monkeypatch):
        monkeypatch.setattr(judging, "FRESH_IMAGES", 20)
        reviews = Review.objects.filter(image__is_holdout=True).order_by("-created_at")
        newest = set(reviews.values_list("image_id", flat=True)[:20])

        version = train(with_holdout)

        read = evidence.read(with_holdout.project.pk, version.extractor).holdout
        rows = [n for n, image_id in enumerate(read.batch.image_ids) if image_id in newest]
        head = heads.load_head(version)
        scores = head.score(read.batch.inputs).probability
        expected = metrics.report(read.truth[rows], scores[rows], head.thresholds, read.weights[rows])
        assert version.metrics["fresh"]["images"] == 20
        assert version.metrics["fresh"]["corrections"] == pytest.approx(expected.corrections, abs=1e-5)
        assert version.metrics["fresh"]["micro_f1"] == pytest.approx(expected.micro_f1, abs=1e-5)

    def test_an_image_of_the_holdout_among_the_training_images_stops_the_judgement(self, with_holdout):
        version = train(with_holdout)
        read = evidence.read(with_holdout.project.pk, version.extractor)
        Image.objects.filter(pk=read.training.batch.image_ids[0]).update(is_holdout=True)
        with pytest.raises(ValueError, match="no holdout image among those trained on, got 1"):
            judging.judge(
                with_holdout.project.pk,
                read,
                heads.load_head(version),
                np.zeros(read.training.truth.shape),
                seed=0,
            )

    def test_the_manifest_names_the_training_images_and_none_of_the_holdout(self, with_holdout):
        from mlmodels.core import artifacts

        version = train(with_holdout)
        manifest = artifacts.read_manifest(heads.artifact_folder(version), version.artifact_sha256)
        holdout = {image.image_id for image in model_inputs.holdout(with_holdout.project.pk)}
        assert len(manifest["training_image_ids"]) == version.trained_images
        assert not holdout & set(manifest["training_image_ids"])

    def test_an_image_weighs_by_its_draw(self, with_holdout):
        images = Image.objects.filter(is_holdout=True).order_by("id")
        images.update(holdout_probability=0.5)
        images.filter(pk=images[0].pk).update(holdout_probability=0.02)
        images.filter(pk=images[1].pk).update(holdout_probability=0.125)
        read = evidence.read(with_holdout.project.pk, with_holdout.extractor)
        weight = dict(zip(read.holdout.batch.image_ids, read.holdout.weights.tolist(), strict=True))
        assert [weight[image.pk] for image in images[:3]] == [50.0, 8.0, 2.0]

    @pytest.mark.parametrize(
        ("bits", "cosine", "near"), [(6, 0.0, True), (7, 0.0, False), (64, 0.98, True), (64, 0.96, False)]
    )
    def test_what_counts_as_the_same_picture(self, bits, cosine, near):
        holdout = HoldoutPictures(
            hashes=np.array([0], dtype=np.uint64), vision=np.array([[1.0, 0.0]], dtype=np.float32)
        )
        hashes = np.array([2**bits - 1], dtype=np.uint64)
        vision = np.array([[cosine, (1 - cosine**2) ** 0.5]], dtype=np.float32)
        assert near_holdout(hashes, vision, holdout).tolist() == [near]


class TestIncumbents:
    @pytest.fixture
    def two(self, with_holdout):
        """A version that went live, and a later one that is live now."""
        first = train(with_holdout)
        with_holdout.images(30, first=2000)
        with_holdout.review(30)
        second = train(with_holdout)
        versions.go_live(first)
        versions.go_live(second)
        return first, second

    def test_the_live_version_and_the_best_of_thirty_days(self, with_holdout, two):
        first, second = two
        assert judged_again(with_holdout, second).incumbents == (second.number, first.number)
        ModelVersion.objects.filter(pk=first.pk).update(activated_at=timezone.now() - timedelta(days=31))
        assert judged_again(with_holdout, second).incumbents == (second.number,)

    def test_on_training_images_too(self, planted):
        planted.images(90)
        planted.review(40)
        first = train(planted)
        planted.review(40)
        second = train(planted)
        versions.go_live(first)
        versions.go_live(second)
        assert judged_again(planted, second).incumbents == (second.number, first.number)

    def test_behind_an_unreadable_live_version_what_serves_instead(self, with_holdout, two):
        first, second = two
        head = heads.load_head(second)
        (heads.artifact_folder(second) / "manifest.json").unlink()
        heads._load_head.cache_clear()
        heads.load_out_of_fold.cache_clear()
        read = evidence.read(with_holdout.project.pk, with_holdout.extractor)
        out_of_fold = np.full(read.training.truth.shape, 0.5)
        judgement = judging.judge(with_holdout.project.pk, read, head, out_of_fold, seed=0)
        assert judgement.incumbents == (first.number,)

    def test_a_version_is_judged_on_the_features_that_it_reads(self, with_holdout, two):
        _, live = two
        other = Extractor.objects.create(key="other", name="other", dimensions=2)
        ImageFeature.objects.bulk_create(
            ImageFeature(
                project=with_holdout.project,
                image=image,
                extractor=other,
                vector=[1.0, 0.0],
                class_probabilities=np.zeros(1000),
            )
            for image in Image.objects.filter(project=with_holdout.project)
        )
        own = judged_again(with_holdout, live).stored["incumbent_0.scores"]
        read = evidence.read(with_holdout.project.pk, other)
        assert not len(read.training), "all look like the holdout to an extractor that sees nothing"
        judged = judging.rivals.of_project(with_holdout.project.pk, read, read.holdout)
        assert judged[0].number == live.number
        assert np.array_equal(judged[0].scores, own)
