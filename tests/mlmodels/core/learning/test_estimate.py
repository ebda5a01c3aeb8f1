"""What is told of a tuning before it starts: never less than it takes, also where nothing can be kept."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mlmodels.core.learning import estimate, sources
from tests.mlmodels.core.learning import tuning_set
from tests.mlmodels.core.learning.tuning_set import SETTINGS, SIDE_PX


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return tuning_set.backbone(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def looked(monkeypatch):
    """Rows that the frozen part is run for, by whether they are kept; a clock of its own takes 1 ms for each."""
    counts = {"kept": 0, "anew": 0}
    through = sources.Source._through

    def counted(self, pixels):
        counts["anew" if self._kept is None else "kept"] += len(pixels)
        return through(self, pixels)

    monkeypatch.setattr(sources.Source, "_through", counted)
    # The machine's own clock would tell how busy it is with other work.
    monkeypatch.setattr(estimate, "time", SimpleNamespace(monotonic=lambda: 0.001 * sum(counts.values())))
    return counts


def measured(backbone, settings, images):
    return estimate.measure(backbone, settings, images=images, tags=3, side_px=SIDE_PX, device="cpu")


def test_where_the_runs_own_images_do_not_fit_each_epoch_is_told_with_the_whole_network(backbone, looked):
    one_image = int(2 * np.prod(tuning_set.activation_shape(backbone)))
    settings = replace(SETTINGS, epochs=12, views=2, cache_bytes=2 * 100 * one_image)

    fits = measured(backbone, settings, images=66)
    assert fits.look_seconds == pytest.approx(66 * (1 + 2) * 0.001, rel=0.05)
    assert looked["anew"] == 0

    too_many = measured(backbone, settings, images=1_000)
    assert too_many.look_seconds == 0
    assert too_many.train_seconds > 12 * 1_000 * 0.001


def test_as_many_views_are_told_as_fit(backbone, looked):
    one_image = int(2 * np.prod(tuning_set.activation_shape(backbone)))
    all_fit = measured(backbone, replace(SETTINGS, views=3), images=1_000)
    one_fits = measured(backbone, replace(SETTINGS, views=3, cache_bytes=2 * 1_000 * one_image), images=1_000)
    assert one_fits.look_seconds == pytest.approx(all_fit.look_seconds / 2, rel=0.05)


def test_the_backbone_is_left_as_it_was(backbone):
    before = {name: tensor.clone() for name, tensor in backbone.module.state_dict().items()}
    measured(backbone, SETTINGS, images=100)
    assert all(torch.equal(tensor, before[name]) for name, tensor in backbone.module.state_dict().items())
