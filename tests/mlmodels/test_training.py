"""A run from claim to live: what it learns, what it refuses, and what survives a kill."""

import pytest

from annotations.models import LiveModel, SuggestionSet
from annotations.models.job import JobState
from annotations.selectors import stats
from annotations.services import jobs
from mlmodels.models import ModelVersion, TrainingRun
from mlmodels.services import runs, training


def train(planted, seed=0):
    return training.execute(runs.request(planted.project.pk, seed=seed).pk)


def test_reviews_become_a_live_version_that_suggests_on_other_images(planted):
    planted.images(60)
    planted.review(40)

    run = train(planted)

    assert run.state == JobState.DONE, run.reason
    version = ModelVersion.objects.get(run=run)
    assert LiveModel.objects.get(project=planted.project).version_id == version.pk
    waiting = SuggestionSet.objects.filter(project=planted.project, model_number=version.number)
    assert waiting.count() == 20
    for suggestions in waiting.select_related("image"):
        offered = {name for name, tag_id in planted.tags.items() if tag_id in suggestions.offered_ids}
        assert offered == set(planted.yes_of(suggestions.image))
