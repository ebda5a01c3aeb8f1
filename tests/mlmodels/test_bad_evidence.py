"""Evidence that nothing can be learnt from: a run ends with a reason on the page, and the live version stays."""

import numpy as np
import pytest
from django.test import Client

from annotations.models import LiveModel, Project, Role, SuggestionSet, Tag
from annotations.services import leases, tags
from mlmodels.models import ImageFeature, ModelVersion
from mlmodels.services import policy, runs, scoring, training
from tests.factories import answer_lease


@pytest.fixture(autouse=True)
def no_lingering(monkeypatch):
    monkeypatch.setattr(training, "LINGER_S", 0.0)


def review_only(planted, count, *names):
    """Reviews that know these tags alone."""
    for _ in range(count):
        lease = leases.claim_next(
            planted.project, planted.cast.annotator, role=Role.ANNOTATOR, count=1, rng=planted.rng
        )[0]
        yes = tuple(name for name in planted.yes_of(lease.image) if name in names)
        answer_lease(planted.cast, planted.cast.annotator, lease, yes=yes)


def keep_only(planted, kept):
    for name, tag_id in planted.tags.items():
        if name != kept:
            tags.retire(Tag.objects.get(pk=tag_id), actor=planted.cast.manager)
    planted.project.refresh_from_db()


def no_positives(planted):
    planted.images(30)
    review_only(planted, 12)


def one_image(planted):
    planted.images(1)
    planted.review(1)


def all_masked(planted):
    Project.objects.filter(pk=planted.project.pk).update(unmarked="unknown")
    planted.project.refresh_from_db()
    planted.images(30)
    review_only(planted, 12)


def constant_features(planted):
    planted.images(60)
    see_nothing(planted)
    planted.review(40)


def one_tag_and_constant_features(planted):
    keep_only(planted, "dog")
    planted.images(60)
    see_nothing(planted)
    review_only(planted, 40, "dog")


def see_nothing(planted):
    same = np.ones(planted.extractor.dimensions) / planted.extractor.dimensions**0.5
    ImageFeature.objects.update(vector=same)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (no_positives, "No tag has a yes"),
        (one_image, "more reviews will tell"),
        (all_masked, "nothing to train on"),
        (constant_features, "more reviews will tell"),
        (one_tag_and_constant_features, "more reviews will tell"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_run_is_refused_and_the_ledger_says_why(planted, monkeypatch, bad, reason):
    bad(planted)
    monkeypatch.setattr(policy, "decide", lambda *_: policy.Answer("ran", "quiet", "An answer waited."))

    run = training.execute(policy.check(planted.project.pk).run_id)

    assert run.state == "refused", run.reason
    assert policy.situation(planted.project.pk).reviews_waiting == 0, "it is not tried again and again"
    assert LiveModel.objects.get(project=planted.project).number == 0
    client = Client()
    client.force_login(planted.cast.manager)
    page = client.get(f"/projects/{planted.project.pk}/models/").content.decode()
    assert "An answer waited." in page
    version = ModelVersion.objects.filter(run=run).first()
    where = f"/projects/{planted.project.pk}/models/{version.pk}/" if version else None
    said = client.get(where).content.decode() if where else page
    assert reason in said


def test_what_is_live_serves_on_when_features_turn_to_nothing(planted):
    planted.images(80)
    planted.review(40)
    assert training.execute(runs.request(planted.project.pk).pk).state == "done"
    see_nothing(planted)
    planted.review(15)

    run = training.execute(runs.request(planted.project.pk).pk)

    assert run.state == "refused"
    assert LiveModel.objects.get(project=planted.project).number == 1
    waiting = list(SuggestionSet.objects.values_list("image_id", flat=True)[:3])
    assert scoring.refresh(planted.project.pk, waiting) == 3


def test_one_tag_is_enough(planted):
    keep_only(planted, "dog")
    planted.images(60)
    review_only(planted, 40, "dog")

    run = training.execute(runs.request(planted.project.pk).pk)

    assert run.state == "done", run.reason
    assert ModelVersion.objects.get().tag_ids == [planted.tags["dog"]]
