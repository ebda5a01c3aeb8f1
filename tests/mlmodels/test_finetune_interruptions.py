"""What comes between in a fine-tuning run: kills, others who wait, errors that are not its own, a project that goes."""

import pytest

from mlmodels.core.learning.tuning import Progress
from mlmodels.models import TrainingRun
from mlmodels.services import finetune_progress, runs
from tests.mlmodels.test_finetuning import asked

pytestmark = pytest.mark.usefixtures("one_thread")


def claimed(planted, **changes) -> TrainingRun:
    """A run that a worker has begun."""
    run = asked(planted)
    TrainingRun.objects.filter(pk=run.pk).update(**changes)
    return runs.claim(run.pk)


def test_progress_that_a_kill_leaves_makes_the_next_kill_the_first_one(planted):
    run = claimed(planted, attempts=3)
    watch = finetune_progress.Watch(run, steps_aside=False)

    watch(Progress("look", 7, 100, None))
    assert TrainingRun.objects.get(pk=run.pk).attempts == 4
    watch(Progress("look", 8, 100, None, saved=True))
    assert TrainingRun.objects.get(pk=run.pk).attempts == 1

    TrainingRun.objects.filter(pk=run.pk).update(attempts=4)
    watch.looked(10, 100)
    assert TrainingRun.objects.get(pk=run.pk).attempts == 1
