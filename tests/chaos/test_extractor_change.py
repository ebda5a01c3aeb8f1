"""A real worker is killed while a project's new extractor looks at its images, and another goes on."""

import os
import signal

import psutil
import pytest
from django.db.models import Count

from annotations.models import SuggestionSet
from annotations.services import projects
from mlmodels import selectors
from mlmodels.models import ImageFeature
from tagger import processes
from tests import workers
from tests.factories import make_cast, make_images, make_tags
from tests.mlmodels.conftest import drawn, with_file

OLD, NEW = "tf_efficientnet_lite0", "resnet10t"
IMAGES = 240
WAIT_S = 300


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """Made here, found by the worker in its folder of weights."""
    import mlmodels.core.vision  # noqa: F401  isort: skip
    import timm
    import torch

    torch.save(timm.create_model(NEW, pretrained=False).state_dict(), tmp_path / f"{NEW}.pth")
    monkeypatch.setenv("TAGGER_WEIGHTS_DIR", str(tmp_path))


def seen_by(name: str) -> int:
    return ImageFeature.objects.filter(extractor__name=name).count()


def wait_for(condition, what: str) -> None:
    assert processes.wait_until(condition, timeout_s=WAIT_S), f"waited {WAIT_S} s for {what}"


def test_a_killed_worker_leaves_what_it_stored_and_the_next_one_goes_on(transactional_db, weights):
    cast = make_cast()
    make_tags(cast.project, "dog")
    with workers.running() as worker:
        images = make_images(cast.project, IMAGES, caption="A dog.")
        for number, image in enumerate(images):
            with_file(image, drawn(f"rgb({number}, 90, 20)"))
        from annotations import signals

        signals.send_on_commit(signals.images_changed, project_id=cast.project.pk, image_ids=[])
        wait_for(lambda: seen_by(OLD) == IMAGES, "the first features")
        projects.update(cast.membership(cast.admin), {"extractor": NEW})
        wait_for(lambda: seen_by(NEW) > 0, "the first of the new features")
        for member in [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]:
            os.kill(member.pid, signal.SIGKILL)
        worker.wait()
    kept = set(ImageFeature.objects.filter(extractor__name=NEW).values_list("pk", flat=True))
    assert 0 < len(kept) < IMAGES
    assert selectors.read_extractor(cast.project.pk).name == OLD
    assert SuggestionSet.objects.filter(project=cast.project).count() == IMAGES

    with workers.running():
        from mlmodels import tasks

        tasks.sweep.delay()
        wait_for(lambda: seen_by(NEW) == IMAGES, "the rest of the new features")
        wait_for(lambda: selectors.read_extractor(cast.project.pk).name == NEW, "suggestions to read them")

    after = ImageFeature.objects.filter(extractor__name=NEW)
    assert kept < set(after.values_list("pk", flat=True))
    pairs = ImageFeature.objects.values("image", "extractor").annotate(times=Count("id"))
    assert not pairs.filter(times__gt=1).exists()
