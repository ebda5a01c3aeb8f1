"""How long fine-tuning would take, where it cannot be measured or not be told from a few images."""

import errno
import os

import pytest

from mlmodels import tasks
from mlmodels.core.learning import estimate
from mlmodels.services import finetune_estimates

OPTIONS = {"stages": 1, "epochs": 2, "batch": 16, "loss": "binary"}
NO_MEMORY = RuntimeError(
    "DefaultCPUAllocator: can't allocate memory: you tried to allocate 51539607552 bytes"
)
NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("error", "remedy"),
    [(NO_MEMORY, "Choose fewer stages or a smaller batch"), (NO_SPACE, "the disk is full: free some space")],
    ids=["memory", "disk"],
)
def test_whatever_fails_is_told_with_a_remedy_and_not_asked_again(planted, monkeypatch, error, remedy):
    def fail(*_, **__):
        raise error

    planted.images(1)
    monkeypatch.setattr(estimate, "measure", fail)
    tasks.estimate_finetuning(planted.project.pk, OPTIONS)
    told = finetune_estimates.known(planted.project.pk, OPTIONS)
    assert told.sentence.startswith("It could not be measured: ") and remedy in told.sentence
    assert not finetune_estimates.should_ask(planted.project.pk, OPTIONS)
